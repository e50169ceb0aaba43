// A mergeable sketch of positive values with a bound on the relative error of every quantile
// (DDSketch: Masson, Rim, Lee, VLDB 2019; logarithmic buckets, gamma = (1+a)/(1-a), a = 0.01).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace skiff::telemetry {

class Sketch {
 public:
    static constexpr double relative_error = 0.01;
    static constexpr std::size_t max_buckets = 2048;  // then the lowest are folded together

    void add(double value,
             std::uint64_t count = 1);  // values <= 0 are counted as zero; NaN is not counted
    void merge(const Sketch& other);
    std::uint64_t count() const;
    double sum() const;
    double quantile(double q) const;  // 0 <= q <= 1; of an empty sketch: 0

    Json to_json() const;  // {"zero":n,"sum":x,"first":index,"counts":[...]} run-length free, small
    static Result<Sketch> from_json(const Json& value);

 private:
    std::map<std::int32_t, std::uint64_t> buckets_;
    std::uint64_t zero_ = 0;
    double sum_ = 0;
};

}  // namespace skiff::telemetry
