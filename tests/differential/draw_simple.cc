// Pools, arithmetic, tables, conversions.
#include <algorithm>

#include "tests/differential/draw.h"

namespace skiff::differential {
namespace {

// A shape that can be broadcast with `shape`: some dimensions 1, some left out, some new.
std::vector<std::int32_t> broadcast_partner(Draft& d, const std::vector<std::int32_t>& shape) {
    std::vector<std::int32_t> other = shape;
    const int kind = d.random.integer(0, 9);
    if (kind < 4) return other;
    if (kind == 4) return {};
    for (std::int32_t& dim : other) {
        if (d.random.chance(40))
            dim = 1;
        else if (dim == 1 && d.random.chance(40))
            dim = d.random.integer(2, 4);
    }
    if (kind < 8) {
        const auto drop = d.random.integer(0, static_cast<int>(other.size()));
        other.erase(other.begin(), other.begin() + drop);
    }
    if (d.random.chance(15))
        while (other.size() < 6 && d.random.chance(60))
            other.insert(other.begin(), d.random.integer(1, 3));
    // The library sometimes leaves out the leading ones of a single quantized constant: an output
    // of [27] instead of [1,27].
    if (elements(other) == 1 && other.size() > shape.size()) other = shape;
    return other;
}

std::vector<std::int32_t> broadcast(const std::vector<std::int32_t>& a,
                                    const std::vector<std::int32_t>& b) {
    std::vector<std::int32_t> shape(std::max(a.size(), b.size()));
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const std::int32_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
        const std::int32_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (da != db && da != 1 && db != 1) return {-1};
        shape[shape.size() - 1 - i] = da == 1 ? db : da;
    }
    return shape;
}

bool is_plain_integer(DType dtype) {
    return dtype == DType::int32 || dtype == DType::int64;
}

}  // namespace

bool draw_pool(Draft& d, std::int32_t input) {
    const auto in = d.shape(input);
    const DType dtype = d.tensor(input).dtype;
    if (in.size() != 4 ||
        (dtype != DType::float32 && dtype != DType::int8 && dtype != DType::uint8))
        return false;
    model::ops::Pool2D o;
    o.filter_h = d.random.chance(15) ? in[1] : d.random.integer(1, 4);
    o.filter_w = d.random.chance(75) ? o.filter_h : d.random.integer(1, 4);
    if (o.filter_h == in[1] && d.random.chance(60)) o.filter_w = in[2];
    o.stride_h = d.random.integer(1, 3);
    o.stride_w = d.random.chance(75) ? o.stride_h : d.random.integer(1, 3);
    o.padding = d.random.chance(50) ? model::ops::Padding::same : model::ops::Padding::valid;
    o.activation = d.activation();
    const auto size = [&](int n, int filter, int stride) {
        if (o.padding == model::ops::Padding::same) return (n + stride - 1) / stride;
        return filter > n ? 0 : (n - filter) / stride + 1;
    };
    const std::int32_t h = size(in[1], o.filter_h, o.stride_h),
                       w = size(in[2], o.filter_w, o.stride_w);
    if (h < 1 || w < 1) return false;
    const bool average = d.random.chance(50);
    Quantization q{};
    if (is_stored(dtype)) q = {d.tensor(input).scales[0], d.tensor(input).zero_points[0]};
    if (average && d.random.chance(5)) q = d.quantization(dtype);
    const std::int32_t output = d.add_tensor(dtype, {in[0], h, w, in[3]}, q);
    return d.add_node(average ? model::ops::average_pool_2d(input, output, o)
                              : model::ops::max_pool_2d(input, output, o),
                      average ? "AVERAGE_POOL_2D" : "MAX_POOL_2D", input);
}

bool draw_arithmetic(Draft& d, std::int32_t input) {
    const DType dtype = d.tensor(input).dtype;
    if (dtype != DType::float32 && !is_stored(dtype) && !is_plain_integer(dtype)) return false;
    const auto in = d.shape(input);
    std::int32_t other = d.random.chance(5) ? input : -1;
    for (const std::int32_t candidate : d.pool)
        if (d.tensor(candidate).dtype == dtype && d.random.chance(30) &&
            broadcast(in, d.shape(candidate)) != std::vector<std::int32_t>{-1})
            other = candidate;
    if (other < 0)
        other =
            d.add_variable_or_constant(dtype, broadcast_partner(d, in), d.quantization(dtype), 60);
    const auto out = broadcast(in, d.shape(other));
    if (elements(out) < 0 || elements(out) > most_elements || out.size() > 8) return false;
    const int op = d.random.integer(0, 2);
    Quantization q = d.quantization(dtype);
    if (is_stored(dtype)) {
        const double a = d.tensor(input).scales[0], b = d.tensor(other).scales[0];
        q.scale = d.scale_near(op == 2 ? a * b * 100 : std::max(a, b) * 1.5);
    }
    const std::int32_t output = d.add_tensor(dtype, out, q);
    const auto activation = d.activation();
    std::int32_t first = input, second = other;
    if (d.random.chance(30)) std::swap(first, second);
    using namespace model::ops;
    return d.add_node(op == 0   ? add(first, second, output, activation)
                      : op == 1 ? sub(first, second, output, activation)
                                : mul(first, second, output, activation),
                      op == 0   ? "ADD"
                      : op == 1 ? "SUB"
                                : "MUL",
                      input);
}

bool draw_softmax(Draft& d, std::int32_t input) {
    const DType dtype = d.tensor(input).dtype;
    if (d.shape(input).empty() ||
        (dtype != DType::float32 && dtype != DType::int8 && dtype != DType::uint8))
        return false;
    Quantization q{1.f / 256, dtype == DType::int8 ? -128 : 0};
    if (dtype == DType::uint8 && d.random.chance(10)) q.scale = d.scale_near(1.0 / 256);
    const std::int32_t output = d.add_tensor(dtype, d.shape(input), q);
    const float beta = static_cast<float>(d.random.one_of({1.0, 1.0, 1.0, 0.5, 2.0, 10.0}));
    return d.add_node(model::ops::softmax(input, output, beta), "SOFTMAX", input);
}

bool draw_table(Draft& d, std::int32_t input) {
    const DType dtype = d.tensor(input).dtype;
    if (dtype != DType::float32 && dtype != DType::int8 && dtype != DType::uint8) return false;
    const int op = d.random.integer(0, 3);
    Quantization q{0, 0};
    if (is_stored(dtype)) {
        q = {d.scale_near(d.tensor(input).scales[0]), d.zero_point(dtype)};
        if (op > 0 && d.random.chance(30))
            q = {d.tensor(input).scales[0], d.tensor(input).zero_points[0]};
        if (op == 0 && d.random.chance(75)) q = {1.f / 256, dtype == DType::int8 ? -128 : 0};
    }
    const std::int32_t output = d.add_tensor(dtype, d.shape(input), q);
    using namespace model::ops;
    return d.add_node(op == 0   ? logistic(input, output)
                      : op == 1 ? relu(input, output)
                      : op == 2 ? relu6(input, output)
                                : hard_swish(input, output),
                      op == 0   ? "LOGISTIC"
                      : op == 1 ? "RELU"
                      : op == 2 ? "RELU6"
                                : "HARD_SWISH",
                      input);
}

bool draw_quantize(Draft& d, std::int32_t input) {
    const DType from = d.tensor(input).dtype;
    if (from != DType::float32 && !is_stored(from)) return false;
    const DType to = d.random.one_of({DType::int8, DType::int8, DType::uint8, DType::uint8,
                                      d.random.chance(20) ? DType::int16 : DType::int8});
    Quantization q = d.quantization(to);
    if (is_stored(from) && to != DType::int16) q.scale = d.scale_near(d.tensor(input).scales[0]);
    const std::int32_t output = d.add_tensor(to, d.shape(input), q);
    return d.add_node(model::ops::quantize(input, output),
                      "QUANTIZE to " + std::string(dtype_name(to)) + " from", input);
}

bool draw_dequantize(Draft& d, std::int32_t input) {
    if (!is_stored(d.tensor(input).dtype)) return false;
    const std::int32_t output = d.add_tensor(DType::float32, d.shape(input), {});
    return d.add_node(model::ops::dequantize(input, output), "DEQUANTIZE", input);
}

}  // namespace skiff::differential
