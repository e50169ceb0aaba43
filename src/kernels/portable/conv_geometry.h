// Shapes of the two convolutions, and the patch of input values that one output pixel is made of.
#pragma once

#include <algorithm>

#include "kernels/kernel.h"
#include "kernels/portable/window.h"

namespace skiff::kernels {

// Input [batches, y.input, x.input, channels], output [batches, y.output, x.output, outputs].
struct ConvGeometry {
    std::int64_t batches = 0, channels = 0, outputs = 0;
    WindowAxis y, x;

    std::int64_t output_rows() const { return batches * y.output; }
    std::int64_t image_elements() const { return y.input * x.input * channels; }
};

// Conv2dParams or DepthwiseConv2dParams. `weights` is [., filter height, filter width, .]. Sets the
// output's shape.
template <typename ConvParams>
Result<ConvGeometry> conv_geometry(const Tensor& input, const Tensor& weights, std::int64_t outputs,
                                   const ConvParams& params, Tensor& output) {
    ConvGeometry g;
    g.batches = input.shape[0];
    g.channels = input.shape[3];
    g.outputs = outputs;
    g.y = TRY(window_axis(input.shape[1], weights.shape[1], params.stride_h, params.dilation_h,
                          params.padding));
    g.x = TRY(window_axis(input.shape[2], weights.shape[2], params.stride_w, params.dilation_w,
                          params.padding));
    output.shape = Shape{input.shape[0], static_cast<std::int32_t>(g.y.output),
                         static_cast<std::int32_t>(g.x.output), static_cast<std::int32_t>(outputs)};
    return g;
}

// Writes the patch of output (oy, ox), channels [first, first + count), to `row` in the order of
// the weights: height, width, channel. Taps outside the image are zeros; the others are
// convert(value).
template <typename In, typename Out, typename Convert>
void gather_patch(const ConvGeometry& g, const In* image, std::int64_t oy, std::int64_t ox,
                  std::int64_t first, std::int64_t count, Out* row, const Convert& convert) {
    const auto ty = g.y.inside(oy), tx = g.x.inside(ox);
    const std::int64_t tap_row = g.x.filter * count;
    // Neighbouring taps that are neighbours in memory are one run.
    const bool joined = g.x.dilation == 1 && count == g.channels;
    const std::int64_t runs =
        joined ? std::min<std::int64_t>(tx.end - tx.begin, 1) : tx.end - tx.begin;
    const std::int64_t run = joined ? (tx.end - tx.begin) * count : count;
    for (std::int64_t t = 0; t < g.y.filter; ++t, row += tap_row) {
        if (t < ty.begin || t >= ty.end || runs == 0) {
            std::fill_n(row, tap_row, Out{0});
            continue;
        }
        const std::int64_t iy = g.y.start(oy) + t * g.y.dilation;
        const std::int64_t ix = g.x.start(ox) + tx.begin * g.x.dilation;
        const In* from = image + (iy * g.x.input + ix) * g.channels + first;
        Out* to = std::fill_n(row, tx.begin * count, Out{0});
        for (std::int64_t i = 0; i < runs; ++i, to += run) {
            const In* values = from + i * g.x.dilation * g.channels;
            for (std::int64_t k = 0; k < run; ++k) to[k] = convert(values[k]);
        }
        std::fill(to, row + tap_row, Out{0});
    }
}

}  // namespace skiff::kernels
