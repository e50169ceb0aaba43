#include "cli/describe_output.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/table.h"

namespace skiff::cli {
namespace {

constexpr std::size_t shown = 5;

template <typename T>
std::vector<double> widen(Bytes data, const Quantization& quantization) {
    std::vector<double> values(data.size() / sizeof(T));
    for (std::size_t i = 0; i < values.size(); ++i) {
        T value;
        std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
        values[i] = quantization.scale > 0
                        ? static_cast<double>(quantization.scale) *
                              (static_cast<double>(value) - quantization.zero_point)
                        : static_cast<double>(value);
    }
    return values;
}

bool is_long_vector(const Shape& shape) {
    int long_dims = 0;
    for (const std::int32_t dim : shape) long_dims += dim > 1 ? 1 : 0;
    return long_dims == 1 && shape.elements() > 2 * static_cast<std::int64_t>(shown);
}

}  // namespace

std::vector<double> real_values(const runtime::TensorInfo& info, Bytes data) {
    switch (info.dtype) {
        case DType::float32:
            return widen<float>(data, {});
        case DType::float64:
            return widen<double>(data, {});
        case DType::int8:
            return widen<std::int8_t>(data, info.quantization);
        case DType::uint8:
            return widen<std::uint8_t>(data, info.quantization);
        case DType::boolean:
            return widen<std::uint8_t>(data, {});
        case DType::int16:
            return widen<std::int16_t>(data, info.quantization);
        case DType::int32:
            return widen<std::int32_t>(data, info.quantization);
        case DType::int64:
            return widen<std::int64_t>(data, {});
        default:
            return {};
    }
}

OutputSummary summarize(const runtime::TensorInfo& info, Bytes data) {
    OutputSummary summary;
    const std::vector<double> values = real_values(info, data);
    bool any = false;
    for (const double value : values) {
        if (std::isnan(value)) {
            ++summary.not_numbers;
            continue;
        }
        summary.min = any ? std::min(summary.min, value) : value;
        summary.max = any ? std::max(summary.max, value) : value;
        any = true;
    }
    summary.first.assign(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(
                                                              std::min(values.size(), shown)));
    if (is_long_vector(info.shape) && summary.not_numbers == 0) {
        std::vector<std::int64_t> order(values.size());
        std::iota(order.begin(), order.end(), 0);
        const auto larger = [&](std::int64_t a, std::int64_t b) {
            const double va = values[static_cast<std::size_t>(a)],
                         vb = values[static_cast<std::size_t>(b)];
            return va > vb || (va == vb && a < b);
        };
        std::partial_sort(order.begin(), order.begin() + shown, order.end(), larger);
        for (std::size_t k = 0; k < shown; ++k)
            summary.top.emplace_back(order[k], values[static_cast<std::size_t>(order[k])]);
    }
    return summary;
}

std::string summary_text(const OutputSummary& summary) {
    std::vector<std::string> parts;
    for (const auto& [index, value] : summary.top)
        parts.push_back(std::to_string(index) + ": " + compact(value));
    if (!parts.empty()) return "top " + joined(parts, ", ");
    for (const double value : summary.first) parts.push_back(compact(value));
    return joined(parts, " ") +
           (summary.not_numbers ? " (" + with_commas(summary.not_numbers) + " NaN)" : "");
}

OrderedJson summary_json(const runtime::TensorInfo& info, const OutputSummary& summary) {
    OrderedJson out = {{"name", info.name},
                       {"dtype", dtype_name(info.dtype)},
                       {"shape", std::vector<int>(info.shape.begin(), info.shape.end())},
                       {"bytes", info.bytes},
                       {"min", summary.min},
                       {"max", summary.max},
                       {"first", summary.first}};
    if (!summary.top.empty()) {
        out["top"] = OrderedJson::array();
        for (const auto& [index, value] : summary.top)
            out["top"].push_back({{"index", index}, {"value", value}});
    }
    return out;
}

}  // namespace skiff::cli
