// What a check costs, and whom it believes.
#include <cstdio>

#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

class Checking : public World {};

TEST_F(Checking, idle_check_is_one_small_request) {
    project_.publish("digits", {});
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    asked();
    body_bytes_ = 0;
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(asked(), std::vector<std::string>{"/metadata/timestamp.json"});
    EXPECT_EQ(body_bytes_, 0u);
    // Also in the next process.
    const auto next = client();
    ASSERT_TRUE(next->sync(soon).ok());
    EXPECT_EQ(asked(), std::vector<std::string>{"/metadata/timestamp.json"});
    EXPECT_EQ(body_bytes_, 0u);
}

TEST_F(Checking, root_is_asked_for_once_a_day) {
    project_.publish("digits", {});
    const auto device = client();
    ASSERT_TRUE(device->sync(soon).ok());
    asked();
    project_.clock->advance_ms(24 * 3600 * 1000);
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(asked(),
              (std::vector<std::string>{"/metadata/2.root.json", "/metadata/timestamp.json"}));
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(asked().size(), 1u);
}

TEST_F(Checking, another_model_costs_little) {
    for (const char* name : {"digits", "birds"}) project_.publish(name, {});
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    asked();
    body_bytes_ = 0;
    project_.publish("birds", {.number = 2});
    ASSERT_TRUE(device->sync(soon).ok());
    const std::size_t requests = asked().size();
    std::printf("a version of another model: %zu requests, %llu bytes of bodies\n", requests,
                static_cast<unsigned long long>(body_bytes_));
    EXPECT_LE(requests, 4u);
    EXPECT_LE(body_bytes_, 3000u);
    body_bytes_ = 0;
    project_.publish("insects", {});
    ASSERT_TRUE(device->sync(soon).ok());
    std::printf("a new model: %zu requests, %llu bytes of bodies\n", asked().size(),
                static_cast<unsigned long long>(body_bytes_));
    EXPECT_LE(body_bytes_, 3000u);
}

TEST_F(Checking, another_root_refuses_everything_and_keeps_what_is_there) {
    project_.publish("digits", {});
    {
        const auto device = client();
        const auto digits = model(*device);
        ASSERT_TRUE(device->sync(soon).ok());
    }
    const Project other(5);
    const auto device = client([&](ClientOptions& o) { o.root = other.root(); });
    const auto digits = model(*device, "digits", free(bundled_file()));
    project_.publish("digits", {.number = 2});
    const Status synced = device->sync(soon);
    ASSERT_FALSE(synced.ok());
    EXPECT_EQ(synced.error().code, Code::bad_signature) << synced.error().message;
    EXPECT_EQ(compute(*digits), 1);
    // With the right root it goes on as if nothing had been.
    const auto right = client();
    const auto again = model(*right);
    ASSERT_TRUE(right->sync(soon).ok());
    EXPECT_EQ(compute(*again), 2);
}

TEST_F(Checking, another_root_from_the_start) {
    project_.publish("digits", {});
    const Project other(5);
    const auto device = client([&](ClientOptions& o) { o.root = other.root(); });
    const auto digits = model(*device, "digits", free(bundled_file()));
    EXPECT_EQ(device->sync(soon).error().code, Code::bad_signature);
    EXPECT_EQ(compute(*digits), 100);
}

TEST_F(Checking, expired_metadata_takes_nothing_away) {
    project_.publish("digits", {});
    const auto device = client();
    const auto digits = model(*device, "digits", free(bundled_file()));
    ASSERT_TRUE(device->sync(soon).ok());
    project_.publish("digits", {.number = 2});
    project_.clock->advance_ms(4LL * 24 * 3600 * 1000);
    const Status synced = device->sync(soon);
    ASSERT_FALSE(synced.ok());
    EXPECT_EQ(synced.error().code, Code::failed_precondition) << synced.error().message;
    EXPECT_EQ(compute(*digits), 1);
    EXPECT_EQ(digits->status().why,
              "digits:1 runs: it is the default of the rules (rules from 2027-01-15, stale)");
    project_.resign();
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 2);
    EXPECT_EQ(digits->status().why, "digits:2 runs: it is the default of the rules");
}

// A clock that fell back must not make old metadata look fresh.
TEST_F(Checking, clock_has_a_floor) {
    project_.publish("digits", {});
    project_.clock->advance_ms(2LL * 24 * 3600 * 1000);
    project_.publish("digits", {.number = 2});
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    project_.clock->jump_to(0);
    // What was signed later than the clock says is fine; the floor is when it was signed.
    ASSERT_TRUE(client()->sync(soon).ok());
    const Json timestamp =
        Json::parse(read_file(project_.folder() + "/metadata/timestamp.json").value());
    const std::int64_t expires_s =
        trust::parse_date_time(timestamp["signed"]["expires"].get<std::string>()).value();
    project_.clock->jump_to((expires_s + 1) * 1000);
    EXPECT_FALSE(client()->sync(soon).ok());
}

TEST_F(Checking, unreachable_is_no_network) {
    reachable_ = false;
    const Status synced = client()->sync(soon);
    ASSERT_FALSE(synced.ok());
    EXPECT_EQ(synced.error().code, Code::no_network);
    EXPECT_TRUE(synced.error().retry);
}

// Each says what it is, in whatever process, and nothing is said that is over.
TEST_F(Checking, why_says_what_the_last_check_failed_with) {
    project_.publish("digits", {});
    reachable_ = false;
    const auto device = client();
    const auto digits = model(*device);
    EXPECT_EQ(digits->status().why, "nothing runs: no check has been made for digits yet");
    EXPECT_FALSE(device->sync(soon).ok());
    const std::string why = digits->status().why;
    EXPECT_TRUE(why.starts_with("nothing runs: the last check failed: http://models.example/"))
        << why;
    EXPECT_TRUE(why.ends_with("cannot be reached")) << why;
    EXPECT_EQ(model(*client())->status().why, why);
    EXPECT_TRUE(why.ends_with(device->diagnostics()->at("check_failure").get<std::string>()));

    // One model's own failure is not that of another.
    reachable_ = true;
    project_.publish("birds", {.number = 5});
    project_.rules("digits", [](const Json&) { return Json{{"features", 3}}; });
    const auto birds = model(*device, "birds");
    EXPECT_FALSE(device->sync(soon).ok());
    EXPECT_TRUE(digits->status().why.starts_with("nothing runs: the last check failed: "))
        << digits->status().why;
    EXPECT_EQ(compute(*birds), 5);
    EXPECT_EQ(device->diagnostics()->at("check_failure"), "");
    project_.rules("digits", [](const Json&) { return decide::empty_model_ruleset("digits", 1); });
    EXPECT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(digits->status().why, "digits:1 runs: it is the default of the rules");
    reachable_ = false;
    EXPECT_FALSE(device->sync(soon).ok());
    EXPECT_EQ(digits->status().why, "digits:1 runs: it is the default of the rules");
    EXPECT_NE(device->diagnostics()->at("check_failure"), "");
}

TEST_F(Checking, a_model_that_nobody_publishes) {
    project_.publish("digits", {});
    const auto device = client();
    const auto birds = model(*device, "birds");
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(birds->status().why, "nothing runs: nothing is published under the name birds");
    EXPECT_EQ(birds->interpreter().error().code, Code::not_found);
    project_.publish("birds", {.number = 5});
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(compute(*birds), 5);
}

TEST_F(Checking, broken_rules_leave_the_last_ones) {
    project_.publish("digits", {});
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    project_.rules("digits", [](const Json&) { return Json{{"features", 3}}; });
    EXPECT_EQ(device->sync(soon).error().code, Code::invalid_argument);
    EXPECT_EQ(compute(*digits), 1);
    project_.publish("digits", {.number = 2}, false);
    project_.rules("digits", [](const Json&) { return decide::empty_model_ruleset("digits", 2); });
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(compute(*digits), 2);
}

TEST_F(Checking, options_are_checked) {
    ClientOptions wrong = options();
    wrong.data_dir = "";
    EXPECT_EQ(Client::create(wrong).error().code, Code::invalid_argument);
    wrong = options();
    wrong.root = "{}";
    EXPECT_EQ(Client::create(wrong).error().code, Code::invalid_argument);
    wrong = options();
    wrong.attributes = "[1]";
    EXPECT_EQ(Client::create(wrong).error().code, Code::invalid_argument);
    wrong = options();
    wrong.urls = {};
    wrong.root = "";
    const auto alone = Client::create(wrong);
    ASSERT_TRUE(alone.ok());
    EXPECT_EQ((*alone)->sync(soon).error().code, Code::failed_precondition);
    EXPECT_EQ((*alone)->model("No Name", {}).error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace skiff::device::testing
