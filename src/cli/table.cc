#include "cli/table.h"

#include <algorithm>
#include <cstdio>

namespace skiff::cli {
namespace {

// Terminal columns: one per code point, which is right for the names that models have.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

bool numeric(std::string_view cell) {
    return cell.empty() || cell == "-" || (cell[0] >= '0' && cell[0] <= '9') ||
           (cell[0] == '-' && cell.size() > 1 && cell[1] >= '0' && cell[1] <= '9');
}

std::string csv_cell(const std::string& cell) {
    if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
    std::string quoted = "\"";
    for (const char c : cell) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

}  // namespace

std::string Table::text() const {
    std::vector<std::size_t> widths;
    std::vector<bool> right;
    for (std::size_t column = 0; column < headings_.size(); ++column) {
        widths.push_back(width_of(headings_[column]));
        right.push_back(!rows_.empty());
        for (const auto& row : rows_) {
            widths[column] = std::max(widths[column], width_of(row[column]));
            right[column] = right[column] && numeric(row[column]);
        }
    }
    std::string out;
    const auto add_line = [&](const std::vector<std::string>& cells) {
        std::string line;
        for (std::size_t column = 0; column < cells.size(); ++column) {
            const std::string padding(widths[column] - width_of(cells[column]), ' ');
            line += column == 0 ? "" : "  ";
            line += right[column] ? padding + cells[column] : cells[column] + padding;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    };
    add_line(headings_);
    for (const auto& row : rows_) add_line(row);
    return out;
}

std::string Table::csv() const {
    std::string out;
    const auto add_line = [&](const std::vector<std::string>& cells) {
        for (std::size_t column = 0; column < cells.size(); ++column)
            out += (column ? "," : "") + csv_cell(cells[column]);
        out += "\n";
    };
    add_line(headings_);
    for (const auto& row : rows_) add_line(row);
    return out;
}

std::string with_commas(std::int64_t value) {
    std::string digits = std::to_string(value);
    const std::size_t first = value < 0 ? 1 : 0;
    for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
    return digits;
}

std::string human_bytes(std::uint64_t bytes) {
    if (bytes < 1000) return std::to_string(bytes) + " B";
    constexpr const char* units[] = {"kB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    for (; value >= 999.95 && unit + 1 < std::size(units); ++unit) value /= 1000;
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
    return text;
}

std::string human_time(std::int64_t nanoseconds) {
    const double value = static_cast<double>(nanoseconds);
    if (value < 1e6) return compact(value / 1e3) + " us";
    if (value < 1e9) return compact(value / 1e6) + " ms";
    return compact(value / 1e9) + " s";
}

std::string compact(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return text;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
    std::string out;
    for (const std::string& part : parts) {
        if (!out.empty()) out += separator;
        out += part;
    }
    return out;
}

}  // namespace skiff::cli
