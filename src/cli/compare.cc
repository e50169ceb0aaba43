#include "cli/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cli/table.h"

namespace skiff::cli {
namespace {

template <typename T>
T load(Bytes bytes, std::size_t i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    return value;
}

double half_to_double(std::uint16_t half) {
    const int exponent = (half >> 10) & 31;
    const double mantissa = half & 1023;
    double value;
    if (exponent == 31)
        value = mantissa != 0 ? std::nan("") : std::numeric_limits<double>::infinity();
    else if (exponent == 0)
        value = std::ldexp(mantissa, -24);
    else
        value = std::ldexp(mantissa + 1024, exponent - 25);
    return half & 0x8000 ? -value : value;
}

void note(Comparison& c, double difference, std::size_t i) {
    if (c.worst_index >= 0 && difference <= c.max_abs_diff) return;
    c.max_abs_diff = difference;
    c.worst_index = static_cast<std::int64_t>(i);
}

template <typename T>
Comparison compare_integers(Bytes reference, Bytes actual) {
    Comparison c;
    const std::size_t n = reference.size() / sizeof(T);
    c.values = static_cast<std::int64_t>(n);
    for (std::size_t i = 0; i < n; ++i) {
        const T a = load<T>(reference, i), b = load<T>(actual, i);
        if (a == b) continue;
        ++c.differing;
        // Exact for every pair of 64-bit values; a difference beyond int64 is as good as the
        // largest.
        const std::uint64_t distance =
            a > b ? static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)
                  : static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
        const std::uint64_t steps =
            std::min<std::uint64_t>(distance, std::numeric_limits<std::int64_t>::max());
        note(c, static_cast<double>(steps), i);
        c.max_quant_steps = std::max(c.max_quant_steps, static_cast<std::int64_t>(steps));
    }
    if (c.differing == 0) return c;
    c.match =
        c.max_quant_steps <= 1 && c.differing * 1000 <= c.values ? Match::close : Match::differs;
    c.reason = with_commas(c.differing) + " of " + with_commas(c.values) +
               " values off by at most " + std::to_string(c.max_quant_steps) +
               (c.max_quant_steps == 1 ? " step" : " steps") + " (most at value " +
               std::to_string(c.worst_index) + ")";
    return c;
}

double to_double(float value) {
    return value;
}
double to_double(double value) {
    return value;
}
double to_double(std::uint16_t half) {
    return half_to_double(half);
}

template <typename T>
Comparison compare_floats(Bytes reference_bytes, Bytes actual_bytes,
                          const CompareOptions& options) {
    const auto reference = [&](std::size_t i) { return to_double(load<T>(reference_bytes, i)); };
    const auto actual = [&](std::size_t i) { return to_double(load<T>(actual_bytes, i)); };
    Comparison c;
    const std::size_t n = reference_bytes.size() / sizeof(T);
    c.values = static_cast<std::int64_t>(n);
    for (std::size_t i = 0; i < n; ++i)
        if (std::isfinite(reference(i)))
            c.max_abs_reference = std::max(c.max_abs_reference, std::fabs(reference(i)));
    if (options.max_abs_reference)
        c.max_abs_reference = std::max(c.max_abs_reference, *options.max_abs_reference);
    const double tight = float_bound * c.max_abs_reference;
    for (std::size_t i = 0; i < n; ++i) {
        const double a = reference(i), b = actual(i);
        if (a == b || (std::isnan(a) && std::isnan(b))) continue;
        const double difference = std::isfinite(a) && std::isfinite(b)
                                      ? std::fabs(a - b)
                                      : std::numeric_limits<double>::infinity();
        note(c, difference, i);
        if (difference > tight) ++c.differing;
    }
    if (c.differing == 0) return c;
    const bool within = c.max_abs_diff <= options.loose_float_bound * c.max_abs_reference;
    c.match = within ? Match::close : Match::differs;
    c.reason = with_commas(c.differing) + " of " + with_commas(c.values) + " values off by up to " +
               compact(c.max_abs_diff, 3) + " where the largest is " +
               compact(c.max_abs_reference, 3) + " (most at value " +
               std::to_string(c.worst_index) + ")" +
               (within ? "; granted to nets of dynamic-range operators" : "");
    return c;
}

}  // namespace

void Comparison::merge(const Comparison& other) {
    if (other.match > match) {
        match = other.match;
        reason = other.reason;
    }
    values += other.values;
    differing += other.differing;
    max_quant_steps = std::max(max_quant_steps, other.max_quant_steps);
    max_abs_reference = std::max(max_abs_reference, other.max_abs_reference);
    if (other.max_abs_diff > max_abs_diff || worst_index < 0) {
        max_abs_diff = std::max(max_abs_diff, other.max_abs_diff);
        worst_index = other.worst_index;
    }
}

Result<Comparison> compare_values(DType dtype, Bytes reference, Bytes actual,
                                  const CompareOptions& options) {
    CHECK(actual.size() >= reference.size());
    switch (dtype) {
        case DType::int8:
            return compare_integers<std::int8_t>(reference, actual);
        case DType::uint8:
        case DType::boolean:
            return compare_integers<std::uint8_t>(reference, actual);
        case DType::int16:
            return compare_integers<std::int16_t>(reference, actual);
        case DType::uint16:
            return compare_integers<std::uint16_t>(reference, actual);
        case DType::int32:
            return compare_integers<std::int32_t>(reference, actual);
        case DType::uint32:
            return compare_integers<std::uint32_t>(reference, actual);
        case DType::int64:
            return compare_integers<std::int64_t>(reference, actual);
        case DType::uint64:
            return compare_integers<std::uint64_t>(reference, actual);
        case DType::complex64:  // two floats each
        case DType::float32:
            return compare_floats<float>(reference, actual, options);
        case DType::float64:
            return compare_floats<double>(reference, actual, options);
        case DType::float16:
            return compare_floats<std::uint16_t>(reference, actual, options);
        default:
            return error(Code::unimplemented, "outputs of type " + std::string(dtype_name(dtype)) +
                                                  " cannot be compared");
    }
}

int dynamic_range_operators(const model::Model& model) {
    int count = 0;
    for (const model::Subgraph& subgraph : model.subgraphs())
        for (const model::Operator& op : subgraph.operators) {
            const auto tensor = [&](std::int32_t i) -> const model::Tensor* {
                return i < 0 ? nullptr : &subgraph.tensors[static_cast<std::size_t>(i)];
            };
            if (op.inputs.size() < 2 || op.name == "DEQUANTIZE") continue;
            const model::Tensor* data = tensor(op.inputs[0]);
            if (data == nullptr || data->dtype != DType::float32) continue;
            const bool narrow = std::ranges::any_of(op.inputs, [&](std::int32_t i) {
                const model::Tensor* t = tensor(i);
                return t && t->is_constant && !t->quantization.scales.empty() &&
                       (t->dtype == DType::int8 || t->dtype == DType::int4 ||
                        t->dtype == DType::uint8);
            });
            count += narrow ? 1 : 0;
        }
    return count;
}

double loose_bound_for(const model::Model& model) {
    return dynamic_range_operators(model) >= 2 ? dynamic_range_bound : float_bound;
}

const char* match_name(Match match) {
    switch (match) {
        case Match::exact:
            return "exact";
        case Match::close:
            return "close";
        default:
            return "differs";
    }
}

}  // namespace skiff::cli
