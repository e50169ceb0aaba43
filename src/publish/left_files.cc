#include "publish/left_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "base/files.h"

namespace skiff::publish {

namespace {

constexpr std::time_t left_after_s = 3'600;

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_temporary_name(std::string_view name) {
    constexpr std::string_view mark = ".tmp";
    const std::size_t at = name.rfind(mark);
    if (at == name.npos) return false;
    const std::string_view numbers = name.substr(at + mark.size());
    const std::size_t dash = std::min(numbers.find('-'), numbers.size());
    return dash < numbers.size() && is_number(numbers.substr(0, dash)) &&
           is_number(numbers.substr(dash + 1));
}

void remove_left_files(const std::string& folder) {
    const auto names = list_folder(folder);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
        if (!is_temporary_name(name)) continue;
        const std::string path = folder + "/" + name;
        struct stat info {};
        if (::stat(path.c_str(), &info) == 0 && info.st_mtime + left_after_s < std::time(nullptr))
            (void)remove_file(path);
    }
}

}  // namespace skiff::publish
