// Aliases, revocations, rollouts.
#include <nlohmann/json.hpp>

#include "decide/ruleset.h"
#include "tests/publish/support.h"

namespace skiff::publish {
namespace {

using Edits = PublishTest;

// What a device with this id gets.
std::int64_t decided(const ModelState& model, const std::string& id,
                     const std::string& app_version = "1.0") {
    const auto ruleset = decide::Ruleset::parse(model.ruleset->dump(), "ruleset").value();
    const auto decision = ruleset.evaluate("model." + model.name,
                                           {{"installation_id", id}, {"app_version", app_version}});
    return decision.value->is_object() ? (*decision.value)["version"].get<std::int64_t>() : 0;
}
int share_of(const ModelState& model, std::int64_t version) {
    int count = 0;
    for (int i = 0; i < 1000; ++i)
        count += decided(model, "device-" + std::to_string(i)) == version;
    return count;
}

TEST_F(Edits, Aliases) {
    publish_digits(3);
    ASSERT_TRUE(alias("challenger", 2).ok());
    ASSERT_TRUE(alias("champion", 3).ok());
    ModelState model = read("digits");
    EXPECT_EQ(model.aliases, (std::map<std::string, std::uint32_t>{{"challenger", 2}}));
    EXPECT_EQ(model.default_version, 3u);
    EXPECT_EQ(model.before, 1u);
    EXPECT_EQ(resolve(model, parse_reference("digits@champion").value()).value()->record.version,
              3u);
    EXPECT_EQ(resolve(model, parse_reference("digits@challenger").value()).value()->record.version,
              2u);
    EXPECT_EQ(code_of(alias("best", 9)), Code::not_found);
    EXPECT_EQ(code_of(alias("a b", 1)), Code::invalid_argument);
    EXPECT_EQ(code_of(edit("digits",
                           [](auto& repository, auto& tree, auto& model) {
                               return remove_alias(repository, tree, model, "champion");
                           })),
              Code::invalid_argument);
    ASSERT_TRUE(edit("digits", [](auto& repository, auto& tree, auto& model) {
                    return remove_alias(repository, tree, model, "challenger");
                }).ok());
    EXPECT_TRUE(read("digits").aliases.empty());
}

TEST_F(Edits, References) {
    publish_digits(2);
    const ModelState model = read("digits");
    const std::string hash = model.versions.at(2).sha256;
    for (const std::string& text :
         {std::string("digits:2"), "digits@sha256:" + hash, "digits@sha256:" + hash.substr(0, 8)}) {
        const auto reference = parse_reference(text);
        ASSERT_TRUE(reference.ok()) << text;
        EXPECT_EQ(resolve(model, *reference).value()->record.version, 2u) << text;
    }
    for (const char* text : {"digits", "digits:", "digits:0", "digits:x", "digits:2x", "digits@",
                             "digits@sha256:12", "a/b:1", "digits:99999999999", ":1"})
        EXPECT_EQ(code_of(parse_reference(text)), Code::invalid_argument) << text;
    EXPECT_EQ(code_of(parse_version_reference("digits@champion")), Code::invalid_argument);
}

TEST_F(Edits, RolloutGrowsAndEnds) {
    publish_digits(2);
    ASSERT_TRUE(advance(2, 10).ok());
    ModelState model = read("digits");
    ASSERT_TRUE(model.rollout.has_value());
    EXPECT_EQ(model.rollout->id, "rollout-1");
    EXPECT_NEAR(share_of(model, 2), 100, 40);
    EXPECT_EQ(code_of(advance(2, 5)), Code::failed_precondition);
    EXPECT_EQ(code_of(advance(2, 20, R"({"a": 1})")), Code::failed_precondition);
    EXPECT_EQ(code_of(alias("champion", 2)), Code::failed_precondition);
    ASSERT_TRUE(advance(2, 50).ok());
    const ModelState half = read("digits");
    for (int i = 0; i < 1000; ++i) {
        const std::string id = "device-" + std::to_string(i);
        if (decided(model, id) == 2) {
            EXPECT_EQ(decided(half, id), 2) << id;
        }
    }
    ASSERT_TRUE(advance(2, 100).ok());
    model = read("digits");
    EXPECT_FALSE(model.rollout.has_value());
    EXPECT_EQ(model.default_version, 2u);
    EXPECT_EQ(model.before, 1u);
    EXPECT_EQ(share_of(model, 2), 1000);
    ASSERT_TRUE(undo().ok());
    EXPECT_EQ(read("digits").default_version, 1u);
    EXPECT_EQ(code_of(undo()), Code::failed_precondition);
    ASSERT_TRUE(advance(2, 10).ok());
    EXPECT_EQ(read("digits").rollout->id, "rollout-2");
}

TEST_F(Edits, UndoOfARunningRolloutKeepsTheDefault) {
    publish_digits(2);
    ASSERT_TRUE(advance(2, 30, R"({"app_version": {"$vgte": "2.0"}})").ok());
    ModelState model = read("digits");
    EXPECT_EQ(share_of(model, 2), 0);  // apps are 1.0
    ASSERT_TRUE(undo().ok());
    model = read("digits");
    EXPECT_FALSE(model.rollout.has_value());
    EXPECT_EQ(model.default_version, 1u);
}

TEST_F(Edits, RolloutsThatMakeNoSense) {
    publish_digits(3);
    EXPECT_EQ(code_of(advance(1, 10)), Code::failed_precondition);  // the default already
    EXPECT_EQ(code_of(advance(9, 10)), Code::not_found);
    EXPECT_EQ(code_of(advance(2, 10, "{")), Code::invalid_argument);
    EXPECT_EQ(code_of(undo()), Code::failed_precondition);
    ASSERT_TRUE(advance(2, 10).ok());
    EXPECT_EQ(code_of(advance(3, 10)), Code::failed_precondition);  // another runs
    ASSERT_TRUE(undo().ok());
    ASSERT_TRUE(revoke_version(3, "too slow").ok());
    const Status again = advance(3, 10);
    EXPECT_EQ(code_of(again), Code::revoked);
    EXPECT_NE(again.error().message.find("too slow"), std::string::npos);
}

TEST_F(Edits, RevokedIsSignedAndGone) {
    ASSERT_TRUE(publish({.model = "digits",
                         .file = model_file("a"),
                         .with = {file("labels.txt", "x")},
                         .builds = {{"npu", model_file("b")}},
                         .aliases = {"best"}})
                    .ok());
    const std::string sha256 = read("digits").versions.at(1).sha256;
    ASSERT_TRUE(revoke_version(1).ok());
    const ModelState model = read("digits");
    EXPECT_TRUE(model.versions.empty());
    EXPECT_TRUE(model.aliases.empty());
    EXPECT_FALSE(model.default_version.has_value());
    StagedTree tree(*home);
    const auto role = open_home(publisher(), tree).value().targets_role("models.digits").value();
    EXPECT_TRUE(role.targets.empty());
    EXPECT_EQ(Json::parse(role.custom), (Json{{"next_version", 2},
                                              {"revoked", {{"1", "bad"}}},
                                              {"revoked_sha256", {{"1", sha256}}}}));
    EXPECT_EQ(decided(model, "device-1"), 0);
    EXPECT_EQ(code_of(revoke_version(1)), Code::revoked);
    // Nothing is for everyone unless somebody says so.
    EXPECT_FALSE(publish("digits", model_file("c")).value().is_default);
}

TEST_F(Edits, RevokedDefaultGoesBackToBefore) {
    publish_digits(4);
    ASSERT_TRUE(alias("champion", 2).ok());
    ASSERT_TRUE(alias("champion", 4).ok());
    ASSERT_TRUE(revoke_version(4).ok());
    EXPECT_EQ(read("digits").default_version, 2u);
    EXPECT_FALSE(read("digits").before.has_value());
    ASSERT_TRUE(revoke_version(2).ok());
    EXPECT_EQ(read("digits").default_version, 1u);
    ASSERT_TRUE(revoke_version(1).ok());
    EXPECT_FALSE(read("digits").default_version.has_value());  // 3 was never chosen
    EXPECT_EQ(code_of(advance(3, 10)), Code::failed_precondition);
}

TEST_F(Edits, RevokedEndsOfARollout) {
    publish_digits(3);
    ASSERT_TRUE(alias("champion", 2).ok());
    ASSERT_TRUE(advance(3, 40).ok());
    const ModelState before = read("digits");
    ASSERT_TRUE(revoke_version(2).ok());  // A
    ModelState model = read("digits");
    ASSERT_TRUE(model.rollout.has_value());
    EXPECT_EQ(model.rollout->from, 1);
    EXPECT_EQ(model.default_version, 1u);
    EXPECT_EQ(share_of(model, 3), share_of(before, 3));
    ASSERT_TRUE(revoke_version(3).ok());  // B
    model = read("digits");
    EXPECT_FALSE(model.rollout.has_value());
    EXPECT_EQ(share_of(model, 1), 1000);
}

TEST_F(Edits, RevokedOnlyControlEndsTheRollout) {
    publish_digits(2);
    ASSERT_TRUE(advance(2, 40).ok());
    ASSERT_TRUE(revoke_version(1).ok());
    const ModelState model = read("digits");
    EXPECT_FALSE(model.rollout.has_value());
    EXPECT_EQ(model.default_version, 2u);
    EXPECT_EQ(share_of(model, 2), 1000);
}

TEST_F(Edits, AnEditThatChangesNothingPublishesNothing) {
    publish_digits(1);
    ASSERT_TRUE(alias("champion", 1).ok());
    EXPECT_EQ(home->version().value(), 2);
}

}  // namespace
}  // namespace skiff::publish
