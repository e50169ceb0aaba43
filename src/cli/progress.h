#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace skiff::cli {

// One line on standard error that is overwritten while long work goes on: only on a terminal, only
// after a second.
class Progress {
 public:
    explicit Progress(bool wanted);
    ~Progress();  // clears the line
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void show(std::size_t done, std::size_t total, std::string_view what);
    // A bar of bytes, when `total` is known, and a line beside it: bytes_line(), say.
    void show_bytes(std::uint64_t done, std::uint64_t total, std::string_view what);

 private:
    void print(const std::string& line);
    bool on_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point start_, last_;
};

// "3.2 MB of 10.0 MB, 32 %, 1.2 MB/s"; without the percent or the rate where they are not known.
std::string bytes_line(std::uint64_t done, std::uint64_t total, double bytes_per_s);

}  // namespace skiff::cli
