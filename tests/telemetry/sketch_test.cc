#include "telemetry/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

namespace skiff::telemetry {

TEST(Sketch, every_quantile_is_within_one_percent) {
    std::mt19937 random(1);
    std::lognormal_distribution<double> latency(8, 2);
    for (int n : {1, 2, 10, 1000, 20000}) {
        Sketch sketch;
        std::vector<double> values;
        for (int i = 0; i < n; ++i) {
            values.push_back(latency(random));
            sketch.add(values.back());
        }
        std::sort(values.begin(), values.end());
        for (double q : {0., 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.}) {
            const double exact = values[static_cast<std::size_t>(q * (n - 1))];
            ASSERT_NEAR(sketch.quantile(q), exact, exact * Sketch::relative_error * 1.0001)
                << n << " " << q;
        }
    }
}

TEST(Sketch, buckets_hold_their_value_within_one_percent) {
    for (double value = 0.0011; value < 9e11; value *= 1.0007) {
        const double back = Sketch::value_of(Sketch::index_of(value));
        ASSERT_LE(std::abs(back / value - 1), Sketch::relative_error * 1.0001) << value;
    }
}

TEST(Sketch, merging_parts_is_the_whole) {
    Sketch whole, parts[3];
    for (int i = 0; i < 3000; ++i) {
        whole.add(i * 1.7);
        parts[i % 3].add(i * 1.7);
    }
    parts[0].merge(parts[1]);
    parts[0].merge(parts[2]);
    EXPECT_EQ(parts[0], whole);
    EXPECT_EQ(whole.count(), 3000u);
    EXPECT_EQ(whole.zeros(), 1u);
}

TEST(Sketch, values_at_the_edges) {
    Sketch sketch;
    EXPECT_EQ(sketch.quantile(0.5), 0);
    sketch.add(NAN);
    EXPECT_EQ(sketch.count(), 0u);
    for (double odd : {-1., 0., 1e-300, 1e300, double(INFINITY)}) sketch.add(odd);
    EXPECT_EQ(sketch.count(), 5u);
    EXPECT_EQ(sketch.quantile(0), 0);
}

TEST(Sketch, json_both_ways_and_refusals) {
    Sketch sketch;
    for (int i = 0; i < 100; ++i) sketch.add(i);
    EXPECT_EQ(*Sketch::from_json(sketch.to_json()), sketch);
    for (const char* bad :
         {"[]", "{}", R"({"zeros":-1,"buckets":[]})", R"({"zeros":0,"buckets":[[1]]})",
          R"({"zeros":0,"buckets":[[1,0]]})", R"({"zeros":0,"buckets":[[1,-4]]})",
          R"({"zeros":0,"buckets":[[99999,1]]})",
          R"({"zeros":0,"buckets":[[1,300000000000000000]]})"})
        EXPECT_FALSE(Sketch::from_json(Json::parse(bad)).ok()) << bad;
}

}  // namespace skiff::telemetry
