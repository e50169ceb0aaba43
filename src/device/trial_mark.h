// How often the process died while a version was tried: a small file in the store per version.
//
// Written without fsync, because it has to outlive the process and not a power cut: so the mark
// stands for as long as the trial computes, milliseconds, and a device that is killed at other
// moments of an update is not taken for one whose model kills it.
#pragma once

#include <string>

namespace skiff::device {

// One trial, under the update lock: begun when made, ended when it goes. Where the file cannot be
// written nothing is remembered.
class TrialMark {
 public:
    TrialMark(const std::string& store_folder, const std::string& sha256);
    ~TrialMark();
    TrialMark(const TrialMark&) = delete;
    TrialMark& operator=(const TrialMark&) = delete;

    // Trials of these bytes that began and did not end.
    static int deaths(const std::string& store_folder, const std::string& sha256);
    static void forget(const std::string& store_folder, const std::string& sha256);

 private:
    std::string file_;
};

}  // namespace skiff::device
