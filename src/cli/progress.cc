#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/table.h"

namespace skiff::cli {

using namespace std::chrono_literals;

Progress::Progress(bool wanted)
    : on_(wanted && isatty(STDERR_FILENO) != 0), start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
    if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::print(const std::string& line) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_ || now - start_ < 1s || now - last_ < 100ms) return;
    last_ = now;
    shown_ = true;
    std::fprintf(stderr, "\r%s\033[K", line.c_str());
    std::fflush(stderr);
}

void Progress::show(std::size_t done, std::size_t total, std::string_view what) {
    print(std::to_string(done) + "/" + std::to_string(total) + "  " +
          std::string(what.substr(0, 60)));
}

void Progress::show_bytes(std::uint64_t done, std::uint64_t total, std::string_view what) {
    constexpr std::size_t width = 20;
    std::string bar;
    if (total > 0) {
        const auto full = static_cast<std::size_t>(std::min(done, total) * width / total);
        bar = "[" + std::string(full, '#') + std::string(width - full, '.') + "] ";
    }
    print(bar + std::string(what.substr(0, 100)));
}

std::string bytes_line(std::uint64_t done, std::uint64_t total, double bytes_per_s) {
    std::string line = human_bytes(done) + " of " + human_bytes(total);
    if (total > 0) line += ", " + std::to_string(std::min(done, total) * 100 / total) + " %";
    if (bytes_per_s > 0) line += ", " + human_bytes(static_cast<std::uint64_t>(bytes_per_s)) + "/s";
    return line;
}

}  // namespace skiff::cli
