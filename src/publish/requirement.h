// What a publisher demands of a file: --require 'size<=10MB'.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::publish {

// What can be demanded. A file that is not .tflite has a size only.
struct Figures {
    std::uint64_t size_bytes = 0;
    std::optional<std::uint64_t> arena_bytes;  // of one interpreter
    std::optional<std::int64_t> macs;          // multiply-accumulates of one inference
    std::optional<std::int64_t> latency_ns;    // the median of a few inferences here, one thread
};

// FIGURE COMPARISON NUMBER[UNIT], blanks allowed: FIGURE is size, arena, macs or latency; the
// comparison one of <=, <, >=, >; units are B, kB, MB, GB, KiB, MiB, GiB, for macs k, M, G, for
// latency (where one must be given) us, ms, s.
struct Requirement {
    enum class Figure { size, arena, macs, latency } figure = Figure::size;
    std::string comparison;
    double limit = 0;       // bytes, macs or nanoseconds
    std::string unit = {};  // as it was given, "B" for a plain number of bytes
    double factor = 1;      // of the unit
    std::string text;       // as it was given
};

Result<Requirement> parse_requirement(std::string_view text);
// Code::failed_precondition, with what was demanded and what is, in the same unit:
// "size<=10MB does not hold: it is 13.24 MB".
Status check_requirement(const Requirement& requirement, const Figures& figures);

}  // namespace skiff::publish
