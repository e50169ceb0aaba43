#include "device/trial_mark.h"

#include <cstdlib>

#include "base/files.h"
#include "base/hex.h"

namespace skiff::device {

namespace {

std::string file_of(const std::string& store_folder, const std::string& sha256) {
    return store_folder + "/trials/" + sha256;
}

}  // namespace

int TrialMark::deaths(const std::string& store_folder, const std::string& sha256) {
    const auto text = read_file(file_of(store_folder, sha256), 16);
    return text.ok() ? std::atoi(text->c_str()) : 0;
}

void TrialMark::forget(const std::string& store_folder, const std::string& sha256) {
    (void)remove_file(file_of(store_folder, sha256));
}

TrialMark::TrialMark(const std::string& store_folder, const std::string& sha256)
    : file_(file_of(store_folder, sha256)) {
    const std::string count = std::to_string(deaths(store_folder, sha256) + 1);
    if (make_folders(store_folder + "/trials").ok()) (void)write_file(file_, as_bytes(count));
}

TrialMark::~TrialMark() {
    (void)remove_file(file_);
}

}  // namespace skiff::device
