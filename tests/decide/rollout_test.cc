#include "decide/rollout.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "decide/condition.h"
#include "decide/ruleset.h"

namespace skiff::decide {

namespace {

Ruleset parsed(const Json& document) {
    auto ruleset = Ruleset::parse(document.dump(), "test");
    EXPECT_TRUE(ruleset.ok());
    return *ruleset;
}

std::string arm(const Ruleset& ruleset, int device) {
    const Json attributes = {{"installation_id", "device-" + std::to_string(device)}};
    return ruleset.evaluate("model.digits", attributes).variation_key;
}

RolloutState rollout(double percent) {
    RolloutState state;
    state.id = "rollout-17";
    state.from = 7;
    state.to = 8;
    state.percent = percent;
    return state;
}

}  // namespace

TEST(Rollout, has_the_form_of_the_design) {
    Json ruleset = empty_model_ruleset("digits", 7);
    RolloutState ten = rollout(10);
    ten.condition = R"({"app_version":{"$vgte":"3.2.0"}})";
    ruleset = *start_rollout(std::move(ruleset), "digits", ten);
    const Json wanted =
        Json::parse(R"({"features":{"model.digits":{"defaultValue":{"version":7},"rules":[
        {"id":"rollout-17","key":"rollout-17","seed":"rollout-17","hashVersion":2,
         "hashAttribute":"installation_id","disableStickyBucketing":true,
         "condition":{"app_version":{"$vgte":"3.2.0"}},"variations":[{"version":8},{"version":7}],
         "meta":[{"key":"B"},{"key":"control"}],"ranges":[[0,0.1],[0.9,1]]}]}}})");
    EXPECT_EQ(ruleset, wanted);
}

TEST(Rollout, conditions_that_match_nothing_are_refused) {
    const auto problem = [](const std::string& condition) {
        RolloutState state = rollout(10);
        state.condition = condition;
        const auto started = start_rollout(empty_model_ruleset("digits", 7), "digits", state);
        return started.ok() ? "" : started.error().message;
    };
    for (const char* text : {"[]", "1", R"([{"a":1}])"})
        EXPECT_NE(problem(text).find("is no object"), std::string::npos) << text;
    for (const char* text : {R"({"a":{"$wombat":1}})", R"({"$wombat":[]})",
                             R"({"$or":[{"a":{"$not":{"$wombat":1}}}]})",
                             R"({"a":{"$elemMatch":{"b":{"$wombat":1}}}})"})
        EXPECT_NE(problem(text).find("$wombat (there is: $"), std::string::npos) << text;
    EXPECT_NE(problem(R"({"a":{"$in":"b"}})").find("no list"), std::string::npos);
    EXPECT_EQ(problem(R"({"$or":[{"a":{"$in":["b"]}},{"c.d":{"$not":{"$regex":"x"}}}],"e":1})"),
              "");
    const Json used = Json::parse(R"({"$or":[{"a":{"$in":["b"]}},{"c":1}],"$not":{"e":1}})");
    EXPECT_EQ(condition_attributes(used), (std::set<std::string>{"a", "c", "e"}));
}

TEST(Rollout, nobody_leaves_b_as_it_grows_and_control_is_as_large_up_to_half) {
    constexpr int devices = 20000;
    const Json base = *start_rollout(empty_model_ruleset("digits", 7), "digits", rollout(0));
    std::map<int, std::string> before;
    for (double percent : {0., 1., 10., 25., 50., 75., 100.}) {
        const Ruleset ruleset = parsed(*set_percent(base, "digits", percent));
        std::map<std::string, int> sizes;
        for (int device = 0; device < devices; ++device) {
            const std::string now = arm(ruleset, device);
            ++sizes[now];
            if (before[device] == "B") {
                ASSERT_EQ(now, "B") << percent;
            }
            if (before[device] == "control" && percent <= 50) {
                ASSERT_EQ(now, "control") << percent;
            }
            before[device] = now;
        }
        EXPECT_NEAR(sizes["B"], devices * percent / 100, devices * 0.012) << percent;
        const double control = std::min(percent, 100 - percent);
        EXPECT_NEAR(sizes["control"], devices * control / 100, devices * 0.012) << percent;
    }
}

TEST(Rollout, undo_and_finish) {
    const Json start = empty_model_ruleset("digits", 7);
    const Json running = *start_rollout(start, "digits", rollout(10));
    EXPECT_EQ(running_rollout(running, "digits")->to, 8);
    EXPECT_EQ(running_rollout(running, "digits")->percent, 10);
    EXPECT_EQ(*undo_rollout(running, "digits"), start);
    const Json done = *finish_rollout(running, "digits");
    EXPECT_EQ(default_version(done, "digits"), 8);
    EXPECT_FALSE(running_rollout(done, "digits").has_value());
}

TEST(Rollout, refuses_what_makes_no_sense) {
    const Json start = empty_model_ruleset("digits", 7);
    EXPECT_EQ(undo_rollout(start, "digits").error().code, Code::failed_precondition);
    EXPECT_EQ(set_percent(start, "digits", 10).error().code, Code::failed_precondition);
    EXPECT_EQ(start_rollout(start, "digits", rollout(101)).error().code, Code::invalid_argument);
    const Json running = *start_rollout(start, "digits", rollout(10));
    EXPECT_EQ(start_rollout(running, "digits", rollout(10)).error().code,
              Code::failed_precondition);
    EXPECT_EQ(set_percent(running, "digits", -1).error().code, Code::invalid_argument);
    EXPECT_EQ(set_percent(running, "digits", NAN).error().code, Code::invalid_argument);
}

TEST(Rollout, without_the_hash_attribute_the_default_holds) {
    const Ruleset ruleset =
        parsed(*start_rollout(empty_model_ruleset("digits", 7), "digits", rollout(50)));
    const Decision decision = ruleset.evaluate("model.digits", Json::object());
    EXPECT_EQ(decision.source, Source::default_value);
    EXPECT_EQ((*decision.value)["version"], 7);
}

TEST(Ruleset, refuses_wrong_kinds_in_one_line) {
    for (const char* bad :
         {"[]", "{}", R"({"features":[]})", R"({"features":{"a":1}})",
          R"({"features":{"a":{"rules":{}}}})", R"({"features":{"a":{"rules":[1]}}})"}) {
        const auto ruleset = Ruleset::parse(bad, "rulesets/digits.json");
        ASSERT_FALSE(ruleset.ok()) << bad;
        EXPECT_EQ(ruleset.error().message.find("rulesets/digits.json"), 0u) << bad;
    }
}

TEST(Ruleset, hostile_rules_do_not_apply_and_do_not_crash) {
    const char* rules[] = {
        R"({"variations":[1,2],"ranges":5,"hashAttribute":"id"})",
        R"({"variations":[1,2],"ranges":[[0],["a","b"]],"hashAttribute":"id"})",
        R"({"variations":[1,2],"weights":["x",{}],"coverage":"y"})",
        R"({"variations":[1,2],"hashVersion":9})",
        R"({"variations":[1,2],"meta":[7],"namespace":[1,2]})",
        R"({"force":1,"condition":[]})",
        R"({"force":1,"coverage":{},"range":[1],"parentConditions":[{"id":7}]})",
        R"({"force":1,"filters":[7]})",
        R"({"force":1,"condition":{"id":{"$regex":"("}}})",
    };
    for (const char* rule : rules) {
        const auto ruleset = Ruleset::parse(
            std::string(R"({"features":{"f":{"defaultValue":0,"rules":[)") + rule + "]}}}", "test");
        ASSERT_TRUE(ruleset.ok()) << rule;
        ruleset->evaluate("f", Json{{"id", "1"}});
    }
}

}  // namespace skiff::decide
