// Padding geometry of one axis of a sliding window (convolutions and pools).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/result.h"
#include "kernels/params.h"

namespace skiff::kernels {

// Tap t of output o reads input position start(o) + t * dilation; positions outside [0, input) are
// padding.
struct WindowAxis {
    std::int64_t input = 0, filter = 0, stride = 1, dilation = 1;
    std::int64_t output = 0;
    std::int64_t pad = 0;  // positions before the image; what SAME adds after it needs no name

    struct Taps {
        std::int64_t begin, end;
    };

    std::int64_t start(std::int64_t o) const { return o * stride - pad; }

    // The taps of output o that lie inside the image.
    Taps inside(std::int64_t o) const {
        const std::int64_t first = start(o);
        const std::int64_t begin = first < 0 ? (-first + dilation - 1) / dilation : 0;
        const std::int64_t end = first < input ? (input - first + dilation - 1) / dilation : 0;
        const std::int64_t limit = std::min(end, filter);
        return {std::min(begin, limit), limit};
    }
};

// SAME: ceil(input / stride) outputs, what is missing is padded, the odd one after the image.
// VALID: the windows that fit.
inline Result<WindowAxis> window_axis(std::int64_t input, std::int64_t filter, std::int64_t stride,
                                      std::int64_t dilation, Padding padding) {
    if (filter < 1 || stride < 1 || dilation < 1)
        return error(Code::invalid_argument, "filter, stride and dilation must be at least 1");
    if (input < 0) return error(Code::invalid_argument, "the input has a negative dimension");
    WindowAxis axis{input, filter, stride, dilation};
    const std::int64_t extent = (filter - 1) * dilation + 1;
    if (padding == Padding::same) {
        axis.output = (input + stride - 1) / stride;
        axis.pad = std::max<std::int64_t>((axis.output - 1) * stride + extent - input, 0) / 2;
        return axis;
    }
    if (extent > input)
        return error(Code::invalid_argument, "the filter (" + std::to_string(extent) +
                                                 ") is larger than the input (" +
                                                 std::to_string(input) + ") and padding is VALID");
    axis.output = (input - extent) / stride + 1;
    return axis;
}

}  // namespace skiff::kernels
