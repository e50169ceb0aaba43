#include "decide/bucket.h"

#include <cmath>
#include <cstdint>

namespace skiff::decide {

namespace {

class Fnv1a32 {
 public:
    void add_unit(std::uint32_t unit) { hash_ = (hash_ ^ unit) * 0x01000193u; }

    void add(std::string_view utf8) {
        for (std::size_t i = 0; i < utf8.size();) {
            const auto lead = static_cast<unsigned char>(utf8[i]);
            const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            std::uint32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
            for (std::size_t k = 1; k < length && i + k < utf8.size(); ++k)
                point = point << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3F);
            if (point > 0xFFFF) {
                add_unit(0xD800 + ((point - 0x10000) >> 10));
                add_unit(0xDC00 + ((point - 0x10000) & 0x3FF));
            } else {
                add_unit(point);
            }
            i += length;
        }
    }

    std::uint32_t value() const { return hash_; }

 private:
    std::uint32_t hash_ = 0x811C9DC5u;
};

}  // namespace

std::optional<double> bucket_of(std::string_view seed, std::string_view value, int hash_version) {
    Fnv1a32 hash;
    if (hash_version == 1) {
        hash.add(value);
        hash.add(seed);
        return hash.value() % 1000 / 1000.0;
    }
    if (hash_version != 2) return std::nullopt;
    hash.add(seed);
    hash.add(value);
    Fnv1a32 again;
    again.add(std::to_string(hash.value()));
    return again.value() % 10000 / 10000.0;
}

bool in_range(double bucket, const Range& range) {
    return bucket >= range.first && bucket < range.second;
}

int choose_variation(double bucket, std::span<const Range> ranges) {
    for (std::size_t i = 0; i < ranges.size(); ++i)
        if (in_range(bucket, ranges[i])) return static_cast<int>(i);
    return -1;
}

std::vector<double> equal_weights(int variations) {
    if (variations <= 0) return {};
    return std::vector<double>(static_cast<std::size_t>(variations), 1.0 / variations);
}

std::vector<Range> bucket_ranges(int variations, double coverage, std::vector<double> weights) {
    coverage = std::fmin(std::fmax(coverage, 0), 1);
    double total = 0;
    for (const double weight : weights) total += weight;
    if (weights.size() != static_cast<std::size_t>(variations) || total < 0.99 || total > 1.01)
        weights = equal_weights(variations);
    std::vector<Range> ranges;
    double start = 0;
    for (const double weight : weights) {
        ranges.emplace_back(start, start + coverage * weight);
        start += weight;
    }
    return ranges;
}

}  // namespace skiff::decide
