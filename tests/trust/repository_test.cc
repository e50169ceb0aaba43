// The publisher's side: what is written, read back, signed again, rotated, refused.
#include "trust/repository.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.h"
#include "tests/trust/support.h"

namespace skiff::trust {

namespace {

class Publisher : public testing::Test {
 protected:
    void SetUp() override { world_.publish(); }

    bool readable(World& world) {
        MemoryStore empty;
        auto client = world.client(world.metadata, empty);
        return client->refresh(RefreshMode::full).ok() &&
               client->find_target("models/digits/1.tflite").ok();
    }
    std::int64_t version(const std::string& role) {
        return world_.open().targets_role(role)->version;
    }

    World world_;
};

}  // namespace

TEST_F(Publisher, writes_the_files_of_the_layout) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : world_.tree.files) names.push_back(name);
    const std::string model = sha256_hex(as_bytes("first model"));
    const std::string ruleset = sha256_hex(as_bytes("{}"));
    EXPECT_EQ(
        names,
        (std::vector<std::string>{
            "metadata/1.deltas.json", "metadata/1.models.digits.json", "metadata/1.models.json",
            "metadata/1.root.json", "metadata/1.rulesets.0.json", "metadata/1.rulesets.1.json",
            "metadata/1.rulesets.2.json", "metadata/1.rulesets.3.json",
            "metadata/1.rulesets.4.json", "metadata/1.rulesets.5.json",
            "metadata/1.rulesets.6.json", "metadata/1.rulesets.7.json", "metadata/1.rulesets.json",
            "metadata/1.snapshot.json", "metadata/1.targets.json", "metadata/timestamp.json",
            "targets/models/digits/" + model + ".1.tflite",
            "targets/rulesets/" + ruleset + ".digits.json"}));
}

TEST_F(Publisher, roles_live_as_long_as_the_design_says) {
    const std::map<std::string, int> days = {
        {"1.root.json", 730},          {"1.targets.json", 365}, {"1.models.json", 365},
        {"1.models.digits.json", 365}, {"1.rulesets.json", 14}, {"1.rulesets.0.json", 14},
        {"1.deltas.json", 14},         {"1.snapshot.json", 14}, {"timestamp.json", 3}};
    for (const auto& [file, n] : days)
        EXPECT_EQ(world_.body(file)["expires"], date_time_text(start_s + n * day_s)) << file;
    EXPECT_EQ(world_.body("timestamp.json")["signed_at"], date_time_text(start_s));
}

TEST_F(Publisher, offline_keys_sign_what_is_offline_and_nothing_else) {
    const auto signer = [&](const std::string& file) {
        const Json tree = Json::parse(world_.tree.files.at("metadata/" + file));
        EXPECT_EQ(tree["signatures"].size(), 1u);
        return tree["signatures"][0]["keyid"].get<std::string>();
    };
    EXPECT_EQ(signer("1.root.json"), world_.root->keyid());
    EXPECT_EQ(signer("1.targets.json"), world_.targets->keyid());
    EXPECT_EQ(signer("1.models.json"), world_.models->keyid());
    EXPECT_EQ(signer("1.models.digits.json"), world_.models->keyid());
    for (const char* file : {"1.rulesets.json", "1.rulesets.0.json", "1.deltas.json",
                             "1.snapshot.json", "timestamp.json"})
        EXPECT_EQ(signer(file), world_.online->keyid());
    EXPECT_TRUE(world_.body("1.targets.json")["targets"].empty());
}

TEST_F(Publisher, reads_back_what_it_wrote) {
    Repository repository = world_.open();
    ASSERT_TRUE(repository.set_custom("models.digits", {{"minimum_version", 1}}).ok());
    ASSERT_TRUE(repository.commit(world_.signers(), start_s + 60).ok());
    Repository again = world_.open();
    const Targets role = again.targets_role("models.digits").value();
    EXPECT_EQ(role.version, 2);
    EXPECT_EQ(role.custom, "{\"minimum_version\":1}");
    EXPECT_EQ(role.targets.at("models/digits/1.tflite").custom, "{\"version\":1}");
    EXPECT_EQ(again.role_names(), repository.role_names());
    EXPECT_EQ(again.root_file(), world_.pinned_root);
    ASSERT_TRUE(again.set_custom("models.digits", nullptr).ok());
    EXPECT_EQ(again.targets_role("models.digits")->custom, "");
}

TEST_F(Publisher, an_edit_changes_only_its_role_and_those_that_name_it) {
    const auto before = world_.tree.files;
    world_.publish("models/digits/2.tflite", "second model");
    std::set<std::string> changed;
    for (const auto& [name, bytes] : world_.tree.files)
        if (!before.contains(name) || before.at(name) != bytes) changed.insert(name);
    EXPECT_EQ(
        changed,
        (std::set<std::string>{
            "metadata/2.models.digits.json", "metadata/2.snapshot.json", "metadata/timestamp.json",
            "targets/models/digits/" + sha256_hex(as_bytes("second model")) + ".2.tflite"}));
}

TEST_F(Publisher, no_edit_writes_nothing) {
    const auto before = world_.tree.files;
    Repository repository = world_.open();
    ASSERT_TRUE(repository.commit(world_.signers(), start_s + 60).ok());
    EXPECT_EQ(world_.tree.files, before);
}

TEST_F(Publisher, removes_targets) {
    world_.publish("models/digits/2.tflite", "second model");
    Repository repository = world_.open();
    ASSERT_TRUE(repository.remove_target("models/digits/1.tflite").ok());
    EXPECT_EQ(code_of(repository.remove_target("models/digits/1.tflite")), Code::not_found);
    EXPECT_EQ(code_of(repository.remove_target("models/cats/1.tflite")), Code::not_found);
    ASSERT_TRUE(repository.commit(world_.signers(), start_s).ok());
    auto client = world_.client();
    ASSERT_TRUE(client->refresh(RefreshMode::full).ok());
    EXPECT_EQ(code_of(client->find_target("models/digits/1.tflite")), Code::not_found);
    EXPECT_TRUE(client->find_target("models/digits/2.tflite").ok());
}

TEST_F(Publisher, without_the_keys_nothing_is_written) {
    const auto before = world_.tree.files;
    const std::vector<Signers> lacking = {
        {}, {world_.online.get()}, {world_.models.get()}, {world_.models.get(), world_.root.get()}};
    for (const Signers& signers : lacking) {
        Repository repository = world_.open();
        ASSERT_TRUE(
            repository.set_target("models/digits/2.tflite", {1, std::string(64, '0')}, nullptr)
                .ok());
        const Status done = repository.commit(signers, start_s);
        EXPECT_EQ(code_of(done), Code::unauthenticated);
        EXPECT_EQ(world_.tree.files, before);
    }
    // What the online key may do alone.
    Repository repository = world_.open();
    ASSERT_TRUE(
        repository.set_target("rulesets/digits.json", {1, std::string(64, '0')}, nullptr).ok());
    EXPECT_TRUE(repository.commit({world_.online.get()}, start_s).ok());
}

TEST_F(Publisher, bad_input_is_refused) {
    Repository repository = world_.open();
    const TargetRecord record{1, std::string(64, '0')};
    for (const char* path : {"models/a/b/c", "models/../x", "other/x", "rulesets/x.txt", ""})
        EXPECT_EQ(code_of(repository.set_target(path, record, nullptr)), Code::invalid_argument);
    EXPECT_EQ(code_of(repository.set_target("models/a/b", record, Json("text"))),
              Code::invalid_argument);
    EXPECT_EQ(code_of(repository.set_custom("models.cats", Json::object())), Code::not_found);
    EXPECT_EQ(code_of(repository.set_custom("snapshot", Json::object())), Code::not_found);
    EXPECT_EQ(code_of(repository.set_keys("models.a/b", {{world_.models->public_key()}, 1})),
              Code::invalid_argument);
    EXPECT_EQ(code_of(repository.set_keys("other", {{world_.models->public_key()}, 1})),
              Code::invalid_argument);
    EXPECT_EQ(code_of(repository.set_keys("models", {{world_.models->public_key()}, 2})),
              Code::invalid_argument);
    EXPECT_EQ(code_of(repository.set_keys("models", {{world_.models->public_key()}, 0})),
              Code::invalid_argument);
    EXPECT_EQ(
        code_of(repository.set_keys("models", {{make_key("ed25519", "ed25519", "broken")}, 1})),
        Code::invalid_argument);
    EXPECT_EQ(code_of(Repository::create(world_.tree, world_.keys())), Code::already_exists);
    MemoryTree empty;
    EXPECT_EQ(code_of(Repository::open(empty)), Code::not_found);
}

TEST_F(Publisher, two_publishers_do_not_overwrite_each_other) {
    Repository first = world_.open(), second = world_.open();
    world_.add(first, "models/digits/2.tflite", "second model", nullptr);
    world_.add(second, "models/digits/3.tflite", "third model", nullptr);
    ASSERT_TRUE(first.commit(world_.signers(), start_s).ok());
    EXPECT_EQ(code_of(second.commit(world_.signers(), start_s)), Code::aborted);
    EXPECT_FALSE(
        world_.open().targets_role("models.digits")->targets.contains("models/digits/3.tflite"));
}

TEST_F(Publisher, a_tampered_tree_is_not_signed_over) {
    for (const char* file : {"1.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json",
                             "1.models.json", "1.models.digits.json", "1.rulesets.0.json"}) {
        World world;
        world.publish();
        Json tree = Json::parse(world.tree.files.at(std::string("metadata/") + file));
        tree["signed"]["x"] = "tampered";
        world.tree.files[std::string("metadata/") + file] = tree.dump();
        EXPECT_EQ(code_of(Repository::open(world.tree)), Code::bad_signature) << file;
    }
}

TEST_F(Publisher, signs_again_with_a_third_of_the_lifetime_left) {
    Repository repository = world_.open();
    const Signers online = {world_.online.get()};
    const auto roles_at = [&](std::int64_t after_s) {
        return repository.resign_if_needed(online, start_s + after_s)->roles;
    };
    EXPECT_TRUE(roles_at(2 * day_s).empty());
    EXPECT_EQ(roles_at(2 * day_s + 1), std::vector<std::string>{"timestamp"});
    EXPECT_TRUE(roles_at(2 * day_s + 2).empty());
    // 14 days: a third is 4 days 16 hours.
    EXPECT_EQ(roles_at(9 * day_s + 8 * 3600 + 1),
              (std::vector<std::string>{"deltas", "rulesets", "rulesets.0", "rulesets.1",
                                        "rulesets.2", "rulesets.3", "rulesets.4", "rulesets.5",
                                        "rulesets.6", "rulesets.7", "snapshot", "timestamp"}));
    const Resigned year = repository.resign_if_needed(online, start_s + 300 * day_s).value();
    std::vector<std::string> absent;
    for (const RoleExpiry& role : year.keys_absent) absent.push_back(role.role);
    EXPECT_EQ(absent, (std::vector<std::string>{"models", "models.digits", "targets"}));
    world_.now_s = start_s + 300 * day_s;
    EXPECT_TRUE(readable(world_));
}

TEST_F(Publisher, warns_ahead) {
    const Repository repository = world_.open();
    const auto soon = repository.expiring(start_s, 60 * day_s);
    ASSERT_EQ(soon.size(), 12u);
    EXPECT_EQ(soon[0].role, "timestamp");
    EXPECT_EQ(soon[0].expires_s, start_s + 3 * day_s);
    EXPECT_EQ(repository.expiring(start_s + 306 * day_s, 60 * day_s).size(), 15u);
}

TEST_F(Publisher, rotates_every_key) {
    auto device = world_.client();
    ASSERT_TRUE(device->refresh(RefreshMode::full).ok());
    World fresh;
    fresh.root = test_signer(11);
    fresh.targets = test_signer(12);
    fresh.models = test_signer(13);
    fresh.online = test_signer(14);
    Repository repository = world_.open();
    const ProjectKeys keys = fresh.keys();
    ASSERT_TRUE(repository.set_keys("root", keys.root).ok());
    ASSERT_TRUE(repository.set_keys("targets", keys.targets).ok());
    ASSERT_TRUE(repository.set_keys("models", keys.models).ok());
    for (const char* role : {"snapshot", "timestamp", "rulesets", "deltas"})
        ASSERT_TRUE(repository.set_keys(role, keys.online).ok());
    // A new root needs the old root's signature as well.
    EXPECT_EQ(code_of(repository.commit(fresh.signers(), start_s)), Code::unauthenticated);
    Signers all = fresh.signers();
    for (const Signer* signer : world_.signers()) all.push_back(signer);
    ASSERT_TRUE(repository.commit(all, start_s).ok());
    ASSERT_TRUE(device->refresh(RefreshMode::quick).ok());
    EXPECT_TRUE(device->find_target("models/digits/1.tflite").ok());
    EXPECT_TRUE(readable(world_));
    // The old keys are of no use now, the new ones are enough.
    repository = world_.open();
    world_.add(repository, "models/digits/2.tflite", "second", nullptr);
    EXPECT_EQ(code_of(repository.commit(world_.signers(), start_s)), Code::unauthenticated);
    ASSERT_TRUE(repository.commit(fresh.signers(), start_s).ok());
    EXPECT_TRUE(readable(world_));
    EXPECT_EQ(repository.root().keys.size(), 3u) << "keys nobody uses leave the root";
}

TEST_F(Publisher, one_model_may_have_keys_of_its_own) {
    const auto team = test_signer(15);
    Repository repository = world_.open();
    ASSERT_TRUE(repository.set_keys("models.faces", {{team->public_key()}, 1}).ok());
    ASSERT_TRUE(
        repository.commit({world_.models.get(), world_.online.get(), team.get()}, start_s).ok());
    world_.add(repository, "models/faces/1.tflite", "a face", nullptr);
    EXPECT_EQ(code_of(repository.commit(world_.signers(), start_s)), Code::unauthenticated);
    ASSERT_TRUE(repository.commit({world_.online.get(), team.get()}, start_s).ok());
    auto client = world_.client();
    ASSERT_TRUE(client->refresh(RefreshMode::full).ok());
    EXPECT_TRUE(client->find_target("models/faces/1.tflite").ok());
    // New keys for "models" do not touch it.
    const auto other = test_signer(16);
    ASSERT_TRUE(repository.set_keys("models", {{other->public_key()}, 1}).ok());
    ASSERT_TRUE(
        repository.commit({world_.targets.get(), other.get(), world_.online.get()}, start_s).ok());
    EXPECT_EQ(repository.targets_role("models.faces")->version, 2);
    EXPECT_EQ(repository.targets_role("models.digits")->version, 2);
    ASSERT_TRUE(client->refresh(RefreshMode::full).ok());
    EXPECT_TRUE(client->find_target("models/faces/1.tflite").ok());
    EXPECT_TRUE(client->find_target("models/digits/1.tflite").ok());
}

TEST_F(Publisher, files_are_signed_elsewhere_by_exchange) {
    // The machine that publishes has only the online key; two people sign the model with theirs.
    const auto second = test_signer(17);
    Repository repository = world_.open();
    ASSERT_TRUE(
        repository.set_keys("models", {{world_.models->public_key(), second->public_key()}, 2})
            .ok());
    Signers all = world_.signers();
    all.push_back(second.get());
    ASSERT_TRUE(repository.commit(all, start_s).ok());

    world_.add(repository, "models/digits/2.tflite", "second model", nullptr);
    const std::string draft = repository.draft("models.digits", start_s).value();
    const std::string once = sign_file(draft, *world_.models).value();
    const std::string twice = sign_file(sign_file(once, *second).value(), *second).value();
    Repository server = world_.open();
    EXPECT_EQ(code_of(server.put_signed("models.digits", draft)), Code::bad_signature);
    EXPECT_EQ(code_of(server.put_signed("models.digits", once)), Code::bad_signature);
    EXPECT_EQ(code_of(server.put_signed("models", twice)), Code::invalid_argument);
    EXPECT_EQ(code_of(server.put_signed("timestamp", twice)), Code::invalid_argument);
    EXPECT_EQ(code_of(server.put_signed("models.cats", twice)), Code::out_of_range);
    ASSERT_TRUE(server.put_signed("models.digits", twice).ok());
    ASSERT_TRUE(server.commit({world_.online.get()}, start_s).ok());
    EXPECT_EQ(world_.tree.files.at("metadata/3.models.digits.json"), twice) << "byte for byte";
    EXPECT_TRUE(readable(world_));
    EXPECT_EQ(code_of(server.put_signed("models.digits", twice)), Code::out_of_range)
        << "once only";
}

TEST_F(Publisher, a_file_signed_elsewhere_may_not_reach_beyond_its_paths) {
    Json body = world_.body("1.models.digits.json");
    body["version"] = 2;
    body["targets"]["models/faces/1.tflite"] = body["targets"]["models/digits/1.tflite"];
    const std::string bytes =
        sign_file(Json({{"signatures", Json::array()}, {"signed", body}}).dump(), *world_.models)
            .value();
    Repository server = world_.open();
    EXPECT_EQ(code_of(server.put_signed("models.digits", bytes)), Code::permission_denied);
}

TEST_F(Publisher, a_root_signed_elsewhere_needs_old_and_new_keys) {
    const auto fresh = test_signer(18);
    Repository repository = world_.open();
    ASSERT_TRUE(repository.set_keys("root", {{fresh->public_key()}, 1}).ok());
    const std::string draft = repository.draft("root", start_s).value();
    const std::string by_new = sign_file(draft, *fresh).value();
    const std::string by_both = sign_file(by_new, *world_.root).value();
    Repository server = world_.open();
    EXPECT_EQ(code_of(server.put_signed("root", by_new)), Code::bad_signature);
    EXPECT_EQ(code_of(server.put_signed("root", sign_file(draft, *world_.root).value())),
              Code::bad_signature);
    ASSERT_TRUE(server.put_signed("root", by_both).ok());
    ASSERT_TRUE(server.commit({world_.online.get()}, start_s).ok());
    EXPECT_EQ(world_.open().root().version, 2);
    EXPECT_TRUE(readable(world_));
}

TEST(SignFile, refuses_what_is_no_metadata) {
    const auto signer = test_signer(1);
    for (const char* bytes : {"", "[]", "{\"signed\":{}}", "{\"signed\":{},\"signatures\":[1]}",
                              "{\"signed\":{\"x\":1.5},\"signatures\":[]}"})
        EXPECT_FALSE(sign_file(bytes, *signer).ok()) << bytes;
}

TEST(FolderTree, holds_a_repository) {
    char name[] = "/tmp/skiff-tree-XXXXXX";
    const std::string folder = ::mkdtemp(name);
    FolderTree tree(folder + "/site");
    World world;
    Repository repository = Repository::create(tree, world.keys()).value();
    const TargetRecord record =
        write_target(tree, "models/digits/1.tflite", as_bytes("first model")).value();
    ASSERT_TRUE(repository.set_target("models/digits/1.tflite", record, nullptr).ok());
    ASSERT_TRUE(repository.commit(world.signers(), start_s).ok());
    EXPECT_TRUE(Repository::open(tree).ok());
    EXPECT_EQ(
        read_file(folder + "/site/targets/models/digits/" + record.sha256 + ".1.tflite").value(),
        "first model");
    std::system(("rm -rf " + folder).c_str());
}

}  // namespace skiff::trust
