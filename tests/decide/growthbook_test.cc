// The public GrowthBook SDK cases: every case of the parts that rulesets use.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "decide/bucket.h"
#include "decide/condition.h"
#include "decide/ruleset.h"

namespace skiff::decide {

namespace {

class GrowthBook : public testing::Test {
 protected:
    void SetUp() override {
        const char* corpus = std::getenv("SKIFF_CORPUS");
        const std::string path = std::string(corpus ? corpus : "../shared/corpus") +
                                 "/../conformance/growthbook/cases.json";
        if (!file_exists(path)) GTEST_SKIP() << path << " is not there";
        // The cases hold duplicate keys nowhere, but nest deeper than a ruleset may.
        cases_ = Json::parse(*read_file(path));
    }
    Json cases_;
};

std::vector<Range> ranges_from(const Json& value) {
    std::vector<Range> ranges;
    for (const Json& range : value) ranges.emplace_back(range[0], range[1]);
    return ranges;
}

double rounded(double x) {
    return std::round(x * 1e6) / 1e6;
}

}  // namespace

TEST_F(GrowthBook, conditions) {
    int count = 0;
    for (const Json& c : cases_["evalCondition"]) {
        EXPECT_EQ(condition_holds(c[1], c[2], c.size() > 4 ? c[4] : Json::object()),
                  c[3].get<bool>())
            << c[0] << " " << c[1] << " " << c[2];
        ++count;
    }
    EXPECT_EQ(count, 248);
}

TEST_F(GrowthBook, hashes) {
    for (const Json& c : cases_["hash"]) {
        const auto bucket = bucket_of(c[0].get<std::string>(), c[1].get<std::string>(), c[2]);
        EXPECT_EQ(bucket ? Json(*bucket) : Json(), c[3]) << c;
    }
}

TEST_F(GrowthBook, ranges_and_choices) {
    for (const Json& c : cases_["getBucketRange"]) {
        std::vector<double> weights;
        for (const Json& w : c[1][2]) weights.push_back(w);
        const std::vector<Range> got = bucket_ranges(c[1][0], c[1][1], weights);
        const std::vector<Range> wanted = ranges_from(c[2]);
        ASSERT_EQ(got.size(), wanted.size()) << c[0];
        for (std::size_t i = 0; i < got.size(); ++i) {
            EXPECT_EQ(rounded(got[i].first), rounded(wanted[i].first)) << c[0];
            EXPECT_EQ(rounded(got[i].second), rounded(wanted[i].second)) << c[0];
        }
    }
    for (const Json& c : cases_["chooseVariation"])
        EXPECT_EQ(choose_variation(c[1], ranges_from(c[2])), c[3].get<int>()) << c[0];
    for (const Json& c : cases_["getEqualWeights"]) {
        const std::vector<double> got = equal_weights(c[0]);
        ASSERT_EQ(got.size(), c[1].size());
        for (std::size_t i = 0; i < got.size(); ++i)
            EXPECT_NEAR(got[i], c[1][i].get<double>(), 1e-8);
    }
}

TEST_F(GrowthBook, features) {
    // Contextual bandits, and variations that a program forces from outside, are not part of a
    // ruleset here.
    int count = 0, left_out = 0;
    for (const Json& c : cases_["feature"]) {
        const Json& context = c[1];
        if (context.contains("forcedVariations") ||
            c.dump().find("contextual") != std::string::npos) {
            ++left_out;
            continue;
        }
        Json document = {{"features", context.value("features", Json::object())}};
        document["savedGroups"] = context.value("savedGroups", Json::object());
        const auto ruleset = Ruleset::parse(document.dump(), "case");
        ASSERT_TRUE(ruleset.ok()) << ruleset.error().message;
        const Decision got =
            ruleset->evaluate(c[2].get<std::string>(), context.value("attributes", Json::object()));
        EXPECT_EQ(*got.value, c[3]["value"]) << c[0];
        EXPECT_EQ(source_name(got.source), c[3]["source"].get<std::string>()) << c[0];
        if (c[3].contains("experimentResult")) {
            const Json& result = c[3]["experimentResult"];
            EXPECT_EQ(got.variation, result["variationId"].get<int>()) << c[0];
            EXPECT_EQ(got.variation_key, result["key"].get<std::string>()) << c[0];
            EXPECT_EQ(got.bucket, result.value("bucket", got.bucket)) << c[0];
        }
        ++count;
    }
    EXPECT_EQ(count + left_out, 55);
    EXPECT_EQ(left_out, 5);
}

}  // namespace skiff::decide
