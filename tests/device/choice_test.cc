// Every state and every line that says why, from values alone.
#include "device/choice.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "decide/rollout.h"

namespace skiff::device {
namespace {

using Wanted = Choice::Wanted;
using Source = ModelStatus::Source;

std::string hash_of(std::uint32_t number) {
    return std::string(60, 'a') + std::to_string(1000 + number);
}

class Choosing : public ::testing::Test {
 protected:
    void publish(std::uint32_t number) {
        PublishedVersion version;
        version.record.model = "digits";
        version.record.version = number;
        version.record.io_signature = "same";
        version.main.name = std::to_string(number) + ".tflite";
        version.main.target.hashes = {{"sha256", hash_of(number)}};
        state_.catalog.known = true;
        state_.catalog.versions[number] = version;
    }
    void install(std::uint32_t number) {
        state_.installed[number] = {number, hash_of(number), true, "same", {}, 0};
    }
    void rule(const Json& ruleset) {
        state_.ruleset = decide::Ruleset::parse(json_text(ruleset), "rules").value();
    }
    void want(std::uint32_t number) { rule(decide::empty_model_ruleset("digits", number)); }
    Choice choice() { return choose(state_, context()); }
    ChoiceContext context() {
        return {"digits", &attributes_, io_signature_, has_bundled_, &unloadable_, now_s_};
    }
    // The usual device: 1 and 2 are published and installed, 2 is active, 3 is wanted.
    void SetUp() override {
        for (const std::uint32_t number : {1, 2, 3}) publish(number);
        install(1);
        install(2);
        state_.active = 2;
        state_.previous = 1;
        want(3);
    }

    ModelState state_;
    Json attributes_ = {{"installation_id", "x"}};
    std::string io_signature_;
    bool has_bundled_ = true;
    std::map<std::string, std::string> unloadable_;
    std::int64_t now_s_ = 0;
};

TEST_F(Choosing, nothing_is_known) {
    state_ = {};
    EXPECT_EQ(choice().why, "digits (bundled) runs: no check has been made for digits yet");
    EXPECT_EQ(choice().source, Source::bundled);
    has_bundled_ = false;
    EXPECT_EQ(choice().why, "nothing runs: no check has been made for digits yet");
    EXPECT_FALSE(choice().runs);
    state_.check_failure = "http://x: cannot be reached";
    EXPECT_EQ(choice().why, "nothing runs: the last check failed: http://x: cannot be reached");
    state_.catalog.known = true;
    EXPECT_EQ(choice().why, "nothing runs: nothing is published under the name digits");
    publish(1);
    EXPECT_EQ(choice().why, "nothing runs: no rules are published for digits");
    rule({{"features", Json::object()}});
    EXPECT_EQ(choice().why, "nothing runs: the rules name no version of digits for this device");
    EXPECT_EQ(choice().wanted, Wanted::nothing);
}

TEST_F(Choosing, wanted_and_installed) {
    install(3);
    EXPECT_EQ(choice().runs, 3u);
    EXPECT_EQ(choice().source, Source::active);
    EXPECT_EQ(choice().why, "digits:3 runs: it is the default of the rules");
    // Back again, without anything to fetch.
    want(1);
    EXPECT_EQ(choice().runs, 1u);
    EXPECT_EQ(choice().wanted, Wanted::installed);
}

TEST_F(Choosing, wanted_and_missing) {
    EXPECT_EQ(choice().wanted, Wanted::missing);
    EXPECT_EQ(choice().runs, 2u);
    EXPECT_EQ(choice().why, "digits:3 is not fetched yet, digits:2 runs");
    state_.update = UpdateRow{3, hash_of(3), Progress::State::waiting,
                              "waits for wifi: this network is metered (script)"};
    EXPECT_EQ(choice().why,
              "digits:3 waits for wifi: this network is metered (script), digits:2 runs");
    state_.update->why = "could not be fetched: no network";
    EXPECT_EQ(choice().why, "digits:3: could not be fetched: no network, digits:2 runs");
    state_.update->number = 1;  // of another one
    EXPECT_EQ(choice().why, "digits:3 is not fetched yet, digits:2 runs");
}

// The bytes that are installed are not those that the metadata names now.
TEST_F(Choosing, another_build_is_missing) {
    install(3);
    state_.installed[3].sha256 = hash_of(4);
    EXPECT_EQ(choice().wanted, Wanted::missing);
    EXPECT_EQ(choice().runs, 2u);
}

TEST_F(Choosing, build_of_the_device_class) {
    PublishedFile npu = state_.catalog.versions[3].main;
    npu.target.hashes = {{"sha256", hash_of(9)}};
    state_.catalog.versions[3].builds["npu"] = npu;
    install(3);
    attributes_["device_class"] = "phone";
    EXPECT_EQ(choice().runs, 3u);
    attributes_["device_class"] = "npu";
    EXPECT_EQ(choice().wanted, Wanted::missing);
    state_.installed[3].sha256 = hash_of(9);
    EXPECT_EQ(choice().runs, 3u);
}

TEST_F(Choosing, revoked_versions_never_run) {
    state_.catalog.versions.erase(2);
    state_.catalog.revoked[2] = "wrong labels";
    EXPECT_EQ(choice().runs, 1u);
    EXPECT_EQ(choice().source, Source::previous);
    want(2);
    EXPECT_EQ(choice().wanted, Wanted::unusable);
    EXPECT_EQ(choice().why, "digits:2 was revoked: wrong labels, digits:1 runs");
    state_.catalog.revoked[1] = "";
    EXPECT_EQ(choice().runs, 0u);
    EXPECT_EQ(choice().source, Source::bundled);
    want(1);
    EXPECT_EQ(choice().why, "digits:1 was revoked, digits (bundled) runs");
}

TEST_F(Choosing, floor) {
    state_.catalog.minimum_version = 3;
    EXPECT_EQ(choice().runs, 0u);
    want(2);
    EXPECT_EQ(choice().why, "digits:2 is below the signed floor 3, digits (bundled) runs");
    state_.catalog.minimum_version = 2;
    EXPECT_EQ(choice().runs, 2u);
}

TEST_F(Choosing, unsigned_versions) {
    want(7);
    EXPECT_EQ(choice().why, "digits:7 is not among the signed versions, digits:2 runs");
    // Also not when it is installed: its record was taken away.
    state_.catalog.versions.erase(2);
    EXPECT_EQ(choice().runs, 1u);
}

TEST_F(Choosing, app_gate) {
    state_.catalog.versions[3].record.min_app = "3.10.0";
    EXPECT_EQ(choice().why,
              "digits:3 needs app 3.10.0, and this app does not say its version, digits:2 runs");
    attributes_["app_version"] = "3.9.0";
    EXPECT_EQ(choice().why, "digits:3 needs app 3.10.0, this one is 3.9.0, digits:2 runs");
    EXPECT_EQ(choice().wanted, Wanted::unusable);
    attributes_["app_version"] = "3.10.0";
    EXPECT_EQ(choice().wanted, Wanted::missing);
    attributes_["app_version"] = "3.11.0";
    EXPECT_EQ(choice().wanted, Wanted::missing);
}

TEST_F(Choosing, app_versions_compare_by_their_numbers) {
    const auto is_open = [&](const char* min_app, const char* app) {
        state_.catalog.versions[3].record.min_app = min_app;
        attributes_["app_version"] = app;
        return choice().wanted == Wanted::missing;
    };
    EXPECT_TRUE(is_open("3.2.0", "3.2"));
    EXPECT_TRUE(is_open("3.2", "3.2.0"));
    EXPECT_TRUE(is_open("3", "3.0.1"));
    EXPECT_TRUE(is_open("3.2.0", "3.2.0.1"));
    EXPECT_TRUE(is_open("3.2.0", "3.2.0+7"));
    EXPECT_TRUE(is_open("3.2.0-beta", "3.2.0"));
    EXPECT_TRUE(is_open("3.2.0-beta.2", "3.2.0-beta.10"));
    EXPECT_TRUE(is_open("99999.1", "100000.0"));
    EXPECT_FALSE(is_open("3.2.0", "3.2.0-rc1"));
    EXPECT_FALSE(is_open("3.2.0.1", "3.2"));
    EXPECT_FALSE(is_open("3.2.0", "foo"));
    EXPECT_EQ(choice().why,
              "digits:3 needs app 3.2.0, and this app's version \"foo\" is no version, "
              "digits:2 runs");
}

TEST_F(Choosing, runtime_gate) {
    state_.catalog.versions[3].record.min_runtime = 1;
    EXPECT_EQ(choice().wanted, Wanted::missing);
    state_.catalog.versions[3].record.min_runtime = 999;
    EXPECT_EQ(choice().why,
              "digits:3 needs runtime 999, this library has 1 (update libskiff), digits:2 runs");
}

TEST_F(Choosing, interface) {
    io_signature_ = "same";
    EXPECT_EQ(choice().wanted, Wanted::missing);
    io_signature_ = "another";
    EXPECT_EQ(choice().why,
              "digits:3 has other inputs or outputs than this app uses, digits (bundled) runs");
    // A record that does not say: what the trial found out decides.
    state_.catalog.versions[3].record.io_signature = "";
    EXPECT_EQ(choice().wanted, Wanted::missing);
    install(3);
    EXPECT_EQ(choice().wanted, Wanted::unusable);
    state_.installed[3].io_signature = "another";
    EXPECT_EQ(choice().runs, 3u);
}

TEST_F(Choosing, no_build_for_this_class_is_said) {
    install(3);
    attributes_["device_class"] = "watch";
    EXPECT_EQ(choice().why, "digits:3 runs: it is the default of the rules");
    state_.catalog.versions.at(3).builds["npu"] = state_.catalog.versions.at(3).main;
    EXPECT_EQ(choice().why,
              "digits:3 runs: it is the default of the rules (its main file: it has no build for "
              "device class watch)");
    attributes_["device_class"] = "npu";
    EXPECT_EQ(choice().why, "digits:3 runs: it is the default of the rules");
}

TEST_F(Choosing, who_computes_passes_over_opaque_files) {
    install(3);
    state_.active = 3;
    state_.previous = 2;
    state_.installed.at(3).is_tflite = false;
    EXPECT_EQ(choice().runs, 3u);
    ChoiceContext computing = context();
    computing.computes = true;
    Choice chosen = choose(state_, computing);
    EXPECT_EQ(chosen.runs, 2u);
    EXPECT_EQ(chosen.source, Source::previous);
    EXPECT_EQ(chosen.why, "digits:3 is no .tflite file, digits:2 runs");
    state_.installed.at(2).is_tflite = false;
    EXPECT_EQ(choose(state_, computing).runs, 0u);
    computing.has_bundled = false;
    EXPECT_FALSE(choose(state_, computing).runs);
}

TEST_F(Choosing, opaque_files_are_no_interface) {
    state_.catalog.versions[3].record.is_tflite = false;
    state_.catalog.versions[3].record.io_signature = "";
    EXPECT_EQ(choice().wanted, Wanted::missing);
    io_signature_ = "same";
    EXPECT_EQ(choice().why,
              "digits:3 has other inputs or outputs than this app uses, digits:2 runs");
}

TEST_F(Choosing, bad_versions) {
    state_.bad[hash_of(3)] = "failed its smoke test";
    EXPECT_EQ(choice().wanted, Wanted::unusable);
    EXPECT_EQ(choice().why, "digits:3 failed its smoke test, digits:2 runs");
    // Until its bytes are others.
    state_.catalog.versions[3].main.target.hashes["sha256"] = hash_of(4);
    EXPECT_EQ(choice().wanted, Wanted::missing);
}

TEST_F(Choosing, does_not_load_in_this_process) {
    install(3);
    unloadable_[hash_of(3)] = "out of memory";
    EXPECT_EQ(choice().runs, 2u);
    EXPECT_EQ(choice().why, "digits:3 does not load: out of memory, digits:2 runs");
    unloadable_[hash_of(2)] = unloadable_[hash_of(1)] = "out of memory";
    EXPECT_EQ(choice().runs, 0u);
}

TEST_F(Choosing, stale_rules) {
    state_.rules_at_s = 1'800'000'000;
    state_.rules_expire_s = now_s_ = 1'800'300'000;
    EXPECT_EQ(choice().why, "digits:3 is not fetched yet, digits:2 runs");
    now_s_ += 1;
    EXPECT_EQ(choice().why,
              "digits:3 is not fetched yet, digits:2 runs (rules from 2027-01-15, stale)");
}

TEST_F(Choosing, experiments_count_once_the_device_could_run_both) {
    install(3);
    rule(decide::start_rollout(decide::empty_model_ruleset("digits", 2), "digits",
                               {"rollout-17", 2, 3, 100})
             .value());
    Choice now = choice();
    EXPECT_EQ(now.experiment, "rollout-17");
    EXPECT_EQ(now.variant, "B");
    EXPECT_TRUE(now.why.starts_with("digits:3 runs: rollout-17 gives B to buckets 0 to 1"))
        << now.why;
    EXPECT_FALSE(now.counts);
    state_.eligible.insert("rollout-17");
    EXPECT_TRUE(choice().counts);
    state_.bad[hash_of(3)] = "failed its smoke test";
    EXPECT_FALSE(choice().counts);
}

TEST_F(Choosing, versions_that_are_no_versions) {
    for (const Json& value : {Json(3), Json("3"), Json{{"version", 0}}, Json{{"version", -1}},
                              Json{{"version", "3"}}, Json{{"version", 1e12}}}) {
        rule({{"features", {{"model.digits", {{"defaultValue", value}}}}}});
        EXPECT_EQ(choice().wanted, Wanted::nothing) << value.dump();
        EXPECT_EQ(choice().runs, 2u);
    }
}

}  // namespace
}  // namespace skiff::device
