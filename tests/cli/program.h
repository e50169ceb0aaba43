// Starting the real program, and files to give it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace skiff::cli::test {

struct Finished {
    int exit_code = -1;  // 128 + signal when it died
    std::string out, err;
};

// Runs the `skiff` that lies beside this test program. `environment` is added to ours.
Finished run_skiff(const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment = {});

// The same program, while it runs. Killed with the object.
class Running {
 public:
    // Standard error goes to `err`, an open descriptor, or nowhere.
    explicit Running(const std::vector<std::string>& arguments,
                     const std::map<std::string, std::string>& environment = {}, int err = -1);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    std::string read_line();  // of standard output
    int end(int signal);      // its exit code, as in Finished
    int wait();               // until it ends by itself

 private:
    int pid_ = 0, out_ = -1;
};

std::string build_folder();    // where this test program lies
std::string scratch_folder();  // of this test; made anew, removed at exit

// Writes into the scratch folder and gives the path.
std::string scratch_file(const std::string& name, Bytes bytes);

// y = x + x over `n` floats: small enough to check by hand, and what fake_tflite computes.
std::vector<std::uint8_t> doubling_model(std::int32_t n = 4);

// The official library's path beside this program; empty when scripts/oracle was not run.
std::string oracle(const std::string& file);
// SKIFF_CORPUS, or ../shared/corpus beside the repository; empty when it is not there.
std::string corpus();

}  // namespace skiff::cli::test
