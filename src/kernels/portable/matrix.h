// Rows of numbers times a weight matrix, and how the weights lie for it. CONV_2D and
// FULLY_CONNECTED are this between gathering rows and storing outputs.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernel.h"

namespace skiff::kernels {

// Integer rows and weights are int16 (a stored value less its zero point needs 9 bits) and padded
// with zeros to whole vectors of 8.
constexpr std::int64_t padded_depth(std::int64_t depth) {
    return (depth + 7) / 8 * 8;
}

// sums[r * sums_stride + o] = sum over k of rows[r * depth + k] * weights[o * depth + k], modulo
// 2^32. depth is a multiple of 8.
void multiply(const std::int16_t* rows, std::int64_t n_rows, const std::int16_t* weights,
              std::int64_t outputs, std::int64_t depth, std::int32_t* sums,
              std::int64_t sums_stride);

// Float weights lie in panels of 16 outputs: [ceil(outputs / 16)][depth][16], the last one padded
// with zeros.
constexpr std::int64_t panel_width = 16;
constexpr std::int64_t panel_count(std::int64_t outputs) {
    return (outputs + panel_width - 1) / panel_width;
}

// The same in float, from panels. Sums of 256 products are added up: long rows lose less.
void multiply(const float* rows, std::int64_t n_rows, const float* panels, std::int64_t outputs,
              std::int64_t depth, float* sums, std::int64_t sums_stride);

// The weights of an operator, unpacked: int8, uint8 and int4 as int16 less the zero point, float32
// as panels. Constant weights are packed once, and again only when they lie elsewhere; others at
// each invoke, into scratch.
class Weights {
 public:
    // `tensor` holds groups * outputs * depth elements, in that order; its quantization is checked
    // already.
    void prepare(const Tensor& tensor, std::int64_t groups, std::int64_t outputs,
                 std::int64_t depth);
    std::size_t scratch_bytes() const { return scratch_bytes_; }
    // To be called first in invoke: packs weights that are not constant into `scratch`.
    void load(const Tensor& tensor, std::uint8_t* scratch);

    // First element of a group.
    const std::int16_t* integers(std::int64_t group) const {
        return integers_ + group * outputs_ * padded_depth(depth_);
    }
    const float* panels(std::int64_t group) const {
        return panels_ + group * panel_count(outputs_) * depth_ * panel_width;
    }

 private:
    void pack(const Tensor& tensor, std::uint8_t* to);

    std::int64_t groups_ = 0, outputs_ = 0, depth_ = 0;
    std::vector<std::uint8_t> packed_;
    const std::uint8_t* packed_from_ = nullptr;
    std::size_t scratch_bytes_ = 0;
    const std::int16_t* integers_ = nullptr;
    const float* panels_ = nullptr;
};

}  // namespace skiff::kernels
