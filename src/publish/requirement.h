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
    double limit = 0;  // bytes, macs or nanoseconds
    std::string text;  // as it was given
};

Result<Requirement> parse_requirement(std::string_view text);
// Code::failed_precondition, with what was demanded and what is: "size<=10MB: it is 13244000
// bytes".
Status check_requirement(const Requirement& requirement, const Figures& figures);

}  // namespace skiff::publish
