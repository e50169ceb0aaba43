#include "tests/differential/draw.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace skiff::differential {
namespace {

template <typename T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
    std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

struct Stored {
    int lo, hi;
};
Stored stored_range(DType dtype) {
    if (dtype == DType::uint8) return {0, 255};
    if (dtype == DType::int16) return {-32768, 32767};
    return {-128, 127};
}

}  // namespace

bool is_stored(DType dtype) {
    return dtype == DType::int8 || dtype == DType::uint8 || dtype == DType::int16;
}

std::int64_t elements(const std::vector<std::int32_t>& shape) {
    return Shape(shape).elements();
}

std::string Draft::next_name() {
    return "t" + std::to_string(net.tensors.size());
}

std::int64_t Draft::zero_point(DType dtype) {
    const Stored range = stored_range(dtype);
    if (dtype == DType::int16) return 0;
    switch (random.integer(0, 5)) {
        case 0:
            return range.lo;
        case 1:
            return range.hi;
        case 2:
            return dtype == DType::uint8 ? 128 : 0;
        default:
            return random.integer(range.lo, range.hi);
    }
}

float Draft::scale_near(double usual) {
    const int kind = random.integer(0, 19);
    if (kind == 0) return static_cast<float>(usual * std::exp2(random.real(-12, 12)));
    // Where the bounds of activations are ties.
    if (kind == 1) return random.one_of({2.f, 4.f, 0.4f, 2.f / 3, 12.f});
    if (kind < 4) return static_cast<float>(std::exp2(std::round(std::log2(usual))));
    if (kind < 8) return static_cast<float>(usual * std::exp2(random.real(-4, 4)));
    return static_cast<float>(usual * std::exp2(random.real(-1, 1)));
}

Quantization Draft::quantization(DType dtype) {
    if (!is_stored(dtype)) return {0, 0};
    return {scale_near(dtype == DType::int16 ? 1.0 / 32768 : 1.0 / 64), zero_point(dtype)};
}

std::int32_t Draft::add_tensor(DType dtype, std::vector<std::int32_t> shape, Quantization q) {
    model::TensorSpec spec;
    spec.name = next_name();
    spec.dtype = dtype;
    spec.shape = std::move(shape);
    if (is_stored(dtype)) {
        spec.scales = {q.scale};
        spec.zero_points = {q.zero_point};
    }
    net.tensors.push_back(std::move(spec));
    return static_cast<std::int32_t>(net.tensors.size()) - 1;
}

std::int32_t Draft::add_input(DType dtype, std::vector<std::int32_t> shape, Quantization q) {
    const std::int32_t index = add_tensor(dtype, std::move(shape), q);
    net.inputs.push_back(index);
    if (dtype == DType::float32)
        net.magnitudes[index] = static_cast<float>(random.one_of({1.0, 1.0, 4.0, 0.01}));
    return index;
}

std::int32_t Draft::add_constant(DType dtype, std::vector<std::int32_t> shape, Quantization q,
                                 float magnitude) {
    const std::int64_t n = elements(shape);
    const std::int32_t index = add_tensor(dtype, std::move(shape), q);
    net.tensors.back().data = values(dtype, static_cast<std::size_t>(n), magnitude);
    return index;
}

std::int32_t Draft::add_variable_or_constant(DType dtype, std::vector<std::int32_t> shape,
                                             Quantization q, int constant_percent) {
    if (elements(shape) > 0 && random.chance(constant_percent))
        return add_constant(dtype, std::move(shape), q);
    return add_input(dtype, std::move(shape), q);
}

std::int32_t Draft::add_indices(const std::vector<std::int64_t>& values,
                                std::vector<std::int32_t> shape, DType dtype) {
    const std::int32_t index = add_tensor(dtype, std::move(shape), {});
    auto bytes = dtype == DType::int64
                     ? bytes_of(values)
                     : bytes_of(std::vector<std::int32_t>(values.begin(), values.end()));
    if (variable_indices) {
        net.inputs.push_back(index);
        net.given[index] = std::move(bytes);
    } else {
        net.tensors.back().data = std::move(bytes);
    }
    return index;
}

std::vector<std::uint8_t> Draft::values(DType dtype, std::size_t n, float magnitude) {
    const int kind = random.integer(0, 9);  // 0: extremes only, 1: narrow
    const auto integers = [&]<typename T>(T, std::int64_t lo, std::int64_t hi) {
        std::vector<T> out(n);
        for (T& value : out) {
            const auto width = static_cast<std::uint64_t>(hi - lo) + 1;
            auto drawn = lo + static_cast<std::int64_t>(random.bits() % width);
            if (kind == 0) drawn = random.chance(80) ? hi : lo;
            if (kind == 1) drawn = lo + (drawn - lo) / 16;
            value = static_cast<T>(drawn);
        }
        return bytes_of(out);
    };
    switch (dtype) {
        case DType::int8:
            return integers(std::int8_t{}, -128, 127);
        case DType::uint8:
            return integers(std::uint8_t{}, 0, 255);
        case DType::int16:
            return integers(std::int16_t{}, -32768, 32767);
        case DType::int32:
            return kind > 1 ? integers(std::int32_t{}, -1000, 1000)
                            : integers(std::int32_t{}, INT32_MIN, INT32_MAX);
        case DType::int64:
            return integers(std::int64_t{}, -100'000, 100'000);
        case DType::boolean:
            return integers(std::uint8_t{}, 0, 1);
        case DType::float16: {  // numbers below 1/16, both signs
            auto halves = integers(std::uint16_t{}, 0, 0x2BFF);
            for (std::size_t i = 1; i < halves.size(); i += 2)
                if (random.chance(50)) halves[i] |= 0x80;
            return halves;
        }
        default:
            break;
    }
    std::vector<float> out(n);
    const bool odd_ones = random.chance(1);
    for (float& value : out) {
        const double drawn = kind == 1 ? random.real(0, 1) : random.real(-1, 1);
        value = static_cast<float>(drawn * static_cast<double>(magnitude));
        if (odd_ones && random.chance(10))
            value = random.one_of({-0.f, 1e-40f, 0.5f, 6.f, -6.f, 1.f});
    }
    return bytes_of(out);
}

bool Draft::add_node(model::OperatorSpec spec, const std::string& op, std::int32_t typed_by) {
    const std::int32_t output = spec.outputs[0];
    net.nodes.push_back(
        {std::move(spec), op + " " + std::string(dtype_name(tensor(typed_by).dtype))});
    pool.push_back(output);
    return true;
}

std::vector<std::int32_t> Draft::image_shape() {
    std::vector<std::int32_t> shape{
        random.one_of({1, 1, 1, 2, 3}), random.integer(1, 12), random.integer(1, 12),
        random.one_of({1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40, 64, 65})};
    if (random.chance(4))
        shape = {1, random.integer(1, 3), random.integer(1, 3), random.integer(200, 1500)};
    if (random.chance(4)) shape[1] = shape[2] = 1;
    while (elements(shape) > most_elements / 2) shape[1] = shape[2] = (shape[1] + 1) / 2;
    return shape;
}

std::vector<std::int32_t> Draft::any_shape(int max_rank) {
    std::vector<std::int32_t> shape;
    const int rank = random.integer(random.chance(10) ? 0 : 1, max_rank);
    for (int i = 0; i < rank; ++i)
        shape.push_back(random.chance(20) ? 1
                        : i == rank - 1   ? random.integer(1, 40)
                                          : random.integer(1, 6));
    return shape;
}

model::ops::Activation Draft::activation() {
    using model::ops::Activation;
    return random.one_of({Activation::none, Activation::none, Activation::relu, Activation::relu6,
                          Activation::relu_n1_to_1});
}

}  // namespace skiff::differential
