// What the two pools share: checks, shapes, and the walk over output pixels. Tensors are [batch,
// height, width, channels].
#pragma once

#include "kernels/kernel.h"
#include "kernels/portable/parallel.h"
#include "kernels/portable/window.h"

namespace skiff::kernels {

struct PoolGeometry {
    std::int64_t batches = 0, channels = 0;
    WindowAxis y, x;
};

// Checks the tensors (float32, int8 or uint8; rank 4; quantized output) and sets the output shape.
Result<PoolGeometry> prepare_pool(PrepareContext& context, const Pool2dParams& params);

// The input elements one output pixel is made of: rows of pixels inside the image.
template <typename T>
struct PoolWindow {
    const T* first = nullptr;  // the top left pixel
    std::int64_t rows = 0, columns = 0;
    std::int64_t row_stride = 0;  // in elements
    std::int64_t channels = 0;
    T* output = nullptr;
};

// Calls each(PoolWindow<T>) for every output pixel.
template <typename T, typename Each>
void for_each_window(const PoolGeometry& g, InvokeContext& context, const Each& each) {
    const T* input = context.input(0)->as<T>();
    T* output = context.output().as<T>();
    const std::int64_t row_stride = g.x.input * g.channels;
    parallel_for(
        context.pool, g.batches * g.y.output, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const std::int64_t batch = row / g.y.output, oy = row % g.y.output;
                const auto ty = g.y.inside(oy);
                const std::int64_t top = batch * g.y.input + g.y.start(oy) + ty.begin;
                for (std::int64_t ox = 0; ox < g.x.output; ++ox) {
                    const auto tx = g.x.inside(ox);
                    const std::int64_t left = g.x.start(ox) + tx.begin;
                    each(PoolWindow<T>{input + top * row_stride + left * g.channels,
                                       ty.end - ty.begin, tx.end - tx.begin, row_stride, g.channels,
                                       output + (row * g.x.output + ox) * g.channels});
                }
            }
        });
}

}  // namespace skiff::kernels
