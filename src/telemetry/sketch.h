// A mergeable sketch of positive values with a bound on the relative error of every quantile
// (DDSketch: Masson, Rim, Lee, VLDB 2019): logarithmic buckets with gamma = (1+a)/(1-a), a = 0.01;
// bucket i holds (gamma^(i-1), gamma^i].
#pragma once

#include <cstdint>
#include <map>

#include "base/function_ref.h"
#include "base/json.h"
#include "base/result.h"

namespace skiff::telemetry {

class Sketch {
 public:
    static constexpr double relative_error = 0.01;
    // Indices reach from 1e-3 to 1e12; values beyond count as the nearest.
    static constexpr std::int32_t min_index = -345, max_index = 1382;

    static std::int32_t index_of(double value);  // value > 0
    static double value_of(std::int32_t index);  // within 1 % of everything in the bucket

    void add(double value, std::uint64_t count = 1);  // values <= 0 count as 0; NaN does not count
    void add_bucket(std::int32_t index, std::uint64_t count);
    void add_zeros(std::uint64_t count) { zeros_ += count; }
    void merge(const Sketch& other);
    std::uint64_t count() const;
    // The value of rank floor(q * (count - 1)), 0 <= q <= 1, within 1 %. Of an empty sketch: 0.
    double quantile(double q) const;
    std::uint64_t zeros() const { return zeros_; }
    void for_each(FunctionRef<void(std::int32_t index, std::uint64_t count)> visit) const;
    friend bool operator==(const Sketch&, const Sketch&) = default;

    Json to_json() const;  // {"zeros":n,"buckets":[[index,count],...]}
    static Result<Sketch> from_json(const Json& value);

 private:
    std::map<std::int32_t, std::uint64_t> buckets_;
    std::uint64_t zeros_ = 0;
};

}  // namespace skiff::telemetry
