#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace skiff::cli {

using namespace std::chrono_literals;

Progress::Progress(bool wanted)
    : on_(wanted && isatty(STDERR_FILENO) != 0), start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
    if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::show(std::size_t done, std::size_t total, std::string_view what) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_ || now - start_ < 1s || now - last_ < 100ms) return;
    last_ = now;
    shown_ = true;
    const std::string line =
        std::to_string(done) + "/" + std::to_string(total) + "  " + std::string(what.substr(0, 60));
    std::fprintf(stderr, "\r%s\033[K", line.c_str());
    std::fflush(stderr);
}

}  // namespace skiff::cli
