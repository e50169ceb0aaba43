// Rows under headings, for terminals and as CSV.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::cli {

class Table {
 public:
    explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool empty() const { return rows_.empty(); }

    // Columns padded to their widest cell; columns that hold only numbers are aligned to the right.
    std::string text() const;
    // RFC 4180: quoted where needed.
    std::string csv() const;

 private:
    std::vector<std::string> headings_;
    std::vector<std::vector<std::string>> rows_;
};

std::string with_commas(std::int64_t value);        // "20,020"
std::string human_bytes(std::uint64_t bytes);       // "1.3 MB" (decimal)
std::string human_time(std::int64_t nanoseconds);   // "1.32 ms"
std::string compact(double value, int digits = 4);  // "%.4g"
std::string joined(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace skiff::cli
