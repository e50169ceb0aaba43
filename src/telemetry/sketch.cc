#include "telemetry/sketch.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace skiff::telemetry {

namespace {

constexpr double gamma_ = (1 + Sketch::relative_error) / (1 - Sketch::relative_error);
const double log_gamma = std::log(gamma_);

}  // namespace

std::int32_t Sketch::index_of(double value) {
    const double index = std::ceil(std::log(value) / log_gamma);
    if (!(index > min_index)) return min_index;
    return index < max_index ? static_cast<std::int32_t>(index) : max_index;
}

double Sketch::value_of(std::int32_t index) {
    return 2 * std::exp(index * log_gamma) / (gamma_ + 1);
}

void Sketch::add(double value, std::uint64_t count) {
    if (std::isnan(value) || count == 0) return;
    if (value <= 0)
        zeros_ += count;
    else
        buckets_[index_of(value)] += count;
}

void Sketch::add_bucket(std::int32_t index, std::uint64_t count) {
    if (count) buckets_[std::clamp(index, min_index, max_index)] += count;
}

void Sketch::merge(const Sketch& other) {
    zeros_ += other.zeros_;
    for (const auto& [index, count] : other.buckets_) buckets_[index] += count;
}

std::uint64_t Sketch::count() const {
    std::uint64_t total = zeros_;
    for (const auto& [_, count] : buckets_) total += count;
    return total;
}

void Sketch::for_each(FunctionRef<void(std::int32_t, std::uint64_t)> visit) const {
    for (const auto& [index, count] : buckets_) visit(index, count);
}

double Sketch::quantile(double q) const {
    const std::uint64_t total = count();
    if (total == 0) return 0;
    const double rank = std::floor(std::clamp(q, 0.0, 1.0) * static_cast<double>(total - 1));
    std::uint64_t before = zeros_;
    if (static_cast<double>(before) > rank) return 0;
    for (const auto& [index, count] : buckets_) {
        before += count;
        if (static_cast<double>(before) > rank) return value_of(index);
    }
    return value_of(buckets_.rbegin()->first);
}

Json Sketch::to_json() const {
    Json buckets = Json::array();
    for (const auto& [index, count] : buckets_) buckets.push_back({index, count});
    return {{"zeros", zeros_}, {"buckets", std::move(buckets)}};
}

Result<Sketch> Sketch::from_json(const Json& value) {
    const Error bad =
        error(Code::invalid_argument, "a latency sketch is not {\"zeros\",\"buckets\"}");
    Sketch sketch;
    const auto zeros = json_int(value, "zeros", "sketch");
    const auto buckets = json_array(value, "buckets", "sketch");
    if (!zeros.ok() || *zeros < 0 || !buckets.ok()) return bad;
    sketch.zeros_ = static_cast<std::uint64_t>(*zeros);
    for (const Json& bucket : **buckets) {
        if (!bucket.is_array() || bucket.size() != 2 || !bucket[0].is_number_integer() ||
            !bucket[1].is_number_unsigned())
            return bad;
        const auto index = bucket[0].get<std::int64_t>();
        // A count above 2^48 is no device's: it would overflow when many are merged.
        const auto count = bucket[1].get<std::uint64_t>();
        if (index < min_index || index > max_index || count == 0 || count >> 48) return bad;
        sketch.buckets_[static_cast<std::int32_t>(index)] += count;
    }
    return sketch;
}

}  // namespace skiff::telemetry
