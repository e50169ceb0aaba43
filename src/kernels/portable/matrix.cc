#include "kernels/portable/matrix.h"

#include <algorithm>
#include <cstring>

namespace skiff::kernels {

namespace {

// R rows by O outputs. The compiler turns the inner loops into multiply-and-add-pairs instructions.
template <int R, int O>
void multiply_tile(const std::int16_t* rows, const std::int16_t* weights, std::int64_t depth,
                   std::int32_t* sums, std::int64_t sums_stride) {
    std::uint32_t tile[R][O] = {};
    for (std::int64_t k = 0; k < depth; ++k)
        for (int r = 0; r < R; ++r)
            for (int o = 0; o < O; ++o) {
                const std::int32_t product =
                    std::int32_t{rows[r * depth + k]} * weights[o * depth + k];
                tile[r][o] += static_cast<std::uint32_t>(product);
            }
    for (int r = 0; r < R; ++r)
        for (int o = 0; o < O; ++o)
            sums[r * sums_stride + o] = static_cast<std::int32_t>(tile[r][o]);
}

// All rows by O outputs, whose weights stay in the cache meanwhile.
template <int O>
void multiply_column(const std::int16_t* rows, std::int64_t n_rows, const std::int16_t* weights,
                     std::int64_t depth, std::int32_t* sums, std::int64_t sums_stride) {
    std::int64_t r = 0;
    for (; r + 2 <= n_rows; r += 2)
        multiply_tile<2, O>(rows + r * depth, weights, depth, sums + r * sums_stride, sums_stride);
    if (r < n_rows)
        multiply_tile<1, O>(rows + r * depth, weights, depth, sums + r * sums_stride, sums_stride);
}

using Float4 [[gnu::vector_size(16)]] = float;
constexpr int panel_vectors = panel_width / 4;

// R rows by one panel, of which `width` outputs are stored.
template <int R>
void multiply_panel(const float* rows, const float* panel, std::int64_t width, std::int64_t depth,
                    float* sums, std::int64_t sums_stride) {
    constexpr std::int64_t run = 256;
    Float4 totals[R][panel_vectors] = {};
    for (std::int64_t k0 = 0; k0 < depth; k0 += run) {
        const std::int64_t k1 = std::min(k0 + run, depth);
        Float4 tile[R][panel_vectors] = {};
        for (std::int64_t k = k0; k < k1; ++k) {
            Float4 weights[panel_vectors];
            std::memcpy(weights, panel + k * panel_width, sizeof(weights));
            for (int r = 0; r < R; ++r)
                for (int v = 0; v < panel_vectors; ++v)
                    tile[r][v] += rows[r * depth + k] * weights[v];
        }
        for (int r = 0; r < R; ++r)
            for (int v = 0; v < panel_vectors; ++v) totals[r][v] += tile[r][v];
    }
    for (int r = 0; r < R; ++r)
        std::memcpy(sums + r * sums_stride, totals[r],
                    static_cast<std::size_t>(width) * sizeof(float));
}

std::int16_t stored_weight(const Tensor& tensor, std::int64_t i) {
    if (tensor.dtype == DType::int8) return tensor.as<std::int8_t>()[i];
    if (tensor.dtype == DType::uint8) return tensor.data[i];
    const int pair = tensor.data[i / 2];  // int4: the low half first
    const int half = (i % 2 == 0 ? pair : pair >> 4) & 15;
    return static_cast<std::int16_t>(half < 8 ? half : half - 16);
}

}  // namespace

void multiply(const std::int16_t* rows, std::int64_t n_rows, const std::int16_t* weights,
              std::int64_t outputs, std::int64_t depth, std::int32_t* sums,
              std::int64_t sums_stride) {
    std::int64_t o = 0;
    for (; o + 4 <= outputs; o += 4)
        multiply_column<4>(rows, n_rows, weights + o * depth, depth, sums + o, sums_stride);
    for (; o < outputs; ++o)
        multiply_column<1>(rows, n_rows, weights + o * depth, depth, sums + o, sums_stride);
}

void multiply(const float* rows, std::int64_t n_rows, const float* panels, std::int64_t outputs,
              std::int64_t depth, float* sums, std::int64_t sums_stride) {
    for (std::int64_t o = 0; o < outputs; o += panel_width) {
        const float* panel = panels + o * depth;
        const std::int64_t width = std::min(panel_width, outputs - o);
        std::int64_t r = 0;
        for (; r + 2 <= n_rows; r += 2)
            multiply_panel<2>(rows + r * depth, panel, width, depth, sums + r * sums_stride + o,
                              sums_stride);
        if (r < n_rows)
            multiply_panel<1>(rows + r * depth, panel, width, depth, sums + r * sums_stride + o,
                              sums_stride);
    }
}

void Weights::prepare(const Tensor& tensor, std::int64_t groups, std::int64_t outputs,
                      std::int64_t depth) {
    groups_ = groups;
    outputs_ = outputs;
    depth_ = depth;
    const std::int64_t bytes =
        tensor.dtype == DType::float32
            ? groups * panel_count(outputs) * depth * panel_width * std::int64_t{sizeof(float)}
            : groups * outputs * padded_depth(depth) * std::int64_t{sizeof(std::int16_t)};
    const auto size = static_cast<std::size_t>(bytes);
    scratch_bytes_ = tensor.constant ? 0 : size;
    if (!tensor.constant) {
        packed_from_ = nullptr;
        return;
    }
    if (packed_from_ != tensor.data || packed_.size() != size) {
        packed_.assign(size, 0);
        pack(tensor, packed_.data());
        packed_from_ = tensor.data;
    }
    load(tensor, packed_.data());
}

void Weights::load(const Tensor& tensor, std::uint8_t* scratch) {
    std::uint8_t* base = packed_from_ != nullptr ? packed_.data() : scratch;
    if (packed_from_ == nullptr) pack(tensor, base);
    integers_ = reinterpret_cast<const std::int16_t*>(base);
    panels_ = reinterpret_cast<const float*>(base);
}

void Weights::pack(const Tensor& tensor, std::uint8_t* to) {
    const std::int64_t rows = groups_ * outputs_;
    if (tensor.dtype == DType::float32) {
        const float* from = tensor.as<float>();
        auto* panels = reinterpret_cast<float*>(to);
        std::fill_n(panels, groups_ * panel_count(outputs_) * depth_ * panel_width, 0.f);
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t o = row % outputs_;
            float* panel = panels + (row / outputs_ * panel_count(outputs_) + o / panel_width) *
                                        depth_ * panel_width;
            for (std::int64_t k = 0; k < depth_; ++k)
                panel[k * panel_width + o % panel_width] = from[row * depth_ + k];
        }
        return;
    }
    const std::int64_t stride = padded_depth(depth_);
    const auto zero_point = static_cast<std::int16_t>(tensor.quantization.zero_point());
    auto* integers = reinterpret_cast<std::int16_t*>(to);
    for (std::int64_t row = 0; row < rows; ++row, integers += stride) {
        for (std::int64_t k = 0; k < depth_; ++k)
            integers[k] =
                static_cast<std::int16_t>(stored_weight(tensor, row * depth_ + k) - zero_point);
        std::fill(integers + depth_, integers + stride, std::int16_t{0});
    }
}

}  // namespace skiff::kernels
