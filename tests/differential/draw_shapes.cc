// MEAN, PAD, RESHAPE, SQUEEZE, CONCATENATION: operators about shapes.
#include <algorithm>
#include <set>

#include "tests/differential/draw.h"

namespace skiff::differential {
namespace {

Quantization quantization_of(const Draft& d, std::int32_t tensor) {
    const model::TensorSpec& t = d.tensor(tensor);
    return t.scales.empty() ? Quantization{} : Quantization{t.scales[0], t.zero_points[0]};
}

// Splits `n` into dimensions.
std::vector<std::int32_t> factors(Draft& d, std::int64_t n, int rank) {
    std::vector<std::int32_t> shape;
    for (int i = 0; i + 1 < rank; ++i) {
        std::vector<std::int32_t> divisors;
        for (std::int32_t k = 1; k <= n && k <= 64; ++k)
            if (n % k == 0) divisors.push_back(k);
        shape.push_back(divisors[static_cast<std::size_t>(
            d.random.integer(0, static_cast<int>(divisors.size()) - 1))]);
        n /= shape.back();
    }
    if (rank > 0) shape.push_back(static_cast<std::int32_t>(n));
    return shape;
}

}  // namespace

bool draw_mean(Draft& d, std::int32_t input) {
    const auto in = d.shape(input);
    const DType dtype = d.tensor(input).dtype;
    const int rank = static_cast<int>(in.size());
    if (dtype == DType::boolean || dtype == DType::float16 || rank == 0) return false;
    std::vector<std::int64_t> axes;
    std::set<int> summed;
    const int kind = d.random.integer(0, 9);
    for (int i = 0; i < rank; ++i) {
        const bool take = kind == 0  ? true
                          : kind < 5 ? rank == 4 && (i == 1 || i == 2)
                                     : d.random.chance(40);
        if (!take) continue;
        summed.insert(i);
        axes.push_back(d.random.chance(25) ? i - rank : i);
        if (d.random.chance(3)) axes.push_back(i);
    }
    if (axes.empty()) axes = {rank - 1}, summed = {rank - 1};
    if (d.random.chance(20)) std::ranges::reverse(axes);
    const bool keep = d.random.chance(50);
    std::vector<std::int32_t> out;
    for (int i = 0; i < rank; ++i) {
        if (!summed.contains(i)) out.push_back(in[static_cast<std::size_t>(i)]);
        if (summed.contains(i) && keep) out.push_back(1);
    }
    const auto count = static_cast<std::int32_t>(axes.size());
    const std::int32_t indices = d.add_indices(axes, {count}, DType::int32);
    Quantization q = quantization_of(d, input);
    if (is_stored(dtype) && d.random.chance(60))
        q = {d.scale_near(static_cast<double>(q.scale)), d.zero_point(dtype)};
    const std::int32_t output = d.add_tensor(dtype, out, q);
    return d.add_node(model::ops::mean(input, indices, output, keep), "MEAN", input);
}

bool draw_pad(Draft& d, std::int32_t input) {
    auto out = d.shape(input);
    const auto rank = static_cast<std::int32_t>(out.size());
    const DType dtype = d.tensor(input).dtype;
    if (rank == 0) return false;
    std::vector<std::int64_t> paddings;
    for (std::int32_t i = 0; i < rank; ++i)
        for (int side = 0; side < 2; ++side) {
            const bool usual = rank == 4 ? i == 1 || i == 2 : true;
            paddings.push_back(d.random.chance(usual ? 60 : 15) ? d.random.integer(0, 3) : 0);
            out[static_cast<std::size_t>(i)] += static_cast<std::int32_t>(paddings.back());
        }
    if (elements(out) > most_elements) return false;
    const std::int32_t indices =
        d.add_indices(paddings, {rank, 2},
                      !d.variable_indices && d.random.chance(20) ? DType::int64 : DType::int32);
    const std::int32_t output = d.add_tensor(dtype, out, quantization_of(d, input));
    return d.add_node(model::ops::pad(input, indices, output), "PAD", input);
}

bool draw_reshape(Draft& d, std::int32_t input) {
    const auto in = d.shape(input);
    const std::int64_t n = elements(in);
    if (n == 0) return false;
    const auto shape = factors(d, n, d.random.integer(n == 1 ? 0 : 1, d.random.chance(10) ? 6 : 4));
    std::vector<std::int64_t> wanted(shape.begin(), shape.end());
    if (!wanted.empty() && d.random.chance(40))
        wanted[static_cast<std::size_t>(d.random.integer(0, static_cast<int>(wanted.size()) - 1))] =
            -1;
    const std::int32_t output =
        d.add_tensor(d.tensor(input).dtype, shape, quantization_of(d, input));
    const std::vector<std::int32_t> option(wanted.begin(), wanted.end());
    std::int32_t tensor = model::ops::none;
    if ((d.variable_indices || d.random.chance(70)) && !wanted.empty())
        tensor = d.add_indices(wanted, {static_cast<std::int32_t>(wanted.size())}, DType::int32);
    return d.add_node(model::ops::reshape(input, tensor, output,
                                          tensor == model::ops::none || d.random.chance(70)
                                              ? option
                                              : std::vector<std::int32_t>{}),
                      "RESHAPE", input);
}

bool draw_squeeze(Draft& d, std::int32_t input) {
    const auto in = d.shape(input);
    const int rank = static_cast<int>(in.size());
    std::vector<std::int32_t> dims, out;
    const bool all = d.random.chance(30);
    for (int i = 0; i < rank; ++i) {
        const bool one = in[static_cast<std::size_t>(i)] == 1;
        const bool remove = one && (all || d.random.chance(60));
        if (remove) dims.push_back(d.random.chance(30) ? i - rank : i);
        if (!remove) out.push_back(in[static_cast<std::size_t>(i)]);
    }
    if (dims.empty() && (!all || rank == 0)) return false;
    const std::int32_t output = d.add_tensor(d.tensor(input).dtype, out, quantization_of(d, input));
    if (all) dims.clear();
    return d.add_node(model::ops::squeeze(input, output, dims), "SQUEEZE", input);
}

bool draw_concatenation(Draft& d, std::int32_t input) {
    const auto in = d.shape(input);
    const int rank = static_cast<int>(in.size());
    const DType dtype = d.tensor(input).dtype;
    if (rank == 0) return false;
    const auto axis =
        static_cast<std::size_t>(d.random.chance(50) ? rank - 1 : d.random.integer(0, rank - 1));
    const Quantization q = quantization_of(d, input);
    std::vector<std::int32_t> parts{input};
    auto out = in;
    const int count = d.random.chance(10) ? 1 : d.random.integer(2, 5);
    for (int i = 1; i < count; ++i) {
        auto shape = in;
        shape[axis] = d.random.integer(1, 5);
        std::int32_t part = input;
        Quantization own = q;
        if (dtype == DType::uint8 && d.random.chance(30))
            own = {d.scale_near(static_cast<double>(q.scale)), d.zero_point(dtype)};
        if (d.random.chance(80)) part = d.add_variable_or_constant(dtype, shape, own, 50);
        out[axis] += d.shape(part)[axis];
        parts.push_back(part);
    }
    if (elements(out) > most_elements) return false;
    if (d.random.chance(30)) std::ranges::reverse(parts);
    const std::int32_t output = d.add_tensor(dtype, out, q);
    const int stored_axis = static_cast<int>(axis) - (d.random.chance(40) ? rank : 0);
    return d.add_node(model::ops::concatenation(parts, output, stored_axis), "CONCATENATION",
                      input);
}

}  // namespace skiff::differential
