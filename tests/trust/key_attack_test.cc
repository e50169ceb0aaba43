// Stolen, doubled, missing and foreign keys.
#include <cctype>

#include "tests/trust/attack.h"

namespace skiff::trust {

TEST_F(Attack, fast_forward_and_recovery_by_new_keys) {
    // A thief of the online key signs absurd versions. With that key alone the project is stuck...
    Json snapshot = world_.body("2.snapshot.json");
    snapshot["version"] = 1'000'000;
    snapshot["meta"]["rulesets.0.json"]["version"] = 1'000'000;
    world_.forge("1000000.snapshot.json", snapshot, {world_.online.get()});
    Json timestamp = world_.body("timestamp.json");
    timestamp["version"] = 1'000'000;
    timestamp["meta"]["snapshot.json"]["version"] = 1'000'000;
    world_.forge("timestamp.json", timestamp, {world_.online.get()});
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    world_.tree.files = honest_;
    world_.publish("models/digits/3.tflite", "third model");
    EXPECT_EQ(code_of(device_->refresh(RefreshMode::full)), Code::out_of_range);
    // ... until root names new ones, even when it goes back to small versions.
    const auto fresh = test_signer(9);
    Repository repository = world_.open();
    for (const char* role : {"snapshot", "timestamp", "rulesets", "deltas"})
        ASSERT_TRUE(repository.set_keys(role, {{fresh->public_key()}, 1}).ok());
    ASSERT_TRUE(
        repository.commit({world_.root.get(), world_.targets.get(), fresh.get()}, world_.now_s)
            .ok());
    const auto result = device_->refresh(RefreshMode::full);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_TRUE(device_->find_target("models/digits/3.tflite").ok());
}

TEST_F(Attack, recovery_survives_a_power_cut_at_every_write) {
    Json timestamp = world_.body("timestamp.json");
    timestamp["version"] = 1'000'000;
    world_.forge("timestamp.json", timestamp, {world_.online.get()});
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    world_.tree.files = honest_;
    // The old key stays beside the new one, so the old timestamp still verifies: only forgetting it
    // helps.
    const auto fresh = test_signer(9);
    Repository repository = world_.open();
    ASSERT_TRUE(
        repository.set_keys("timestamp", {{fresh->public_key(), world_.online->public_key()}, 1})
            .ok());
    ASSERT_TRUE(repository.commit(world_.signers(), world_.now_s).ok());
    for (int n = 0; n < 20; ++n) {
        MemoryStore store;
        store.files = world_.store.files;
        store.writes_left = n;
        const bool done = world_.client(world_.metadata, store)->refresh(RefreshMode::full).ok();
        store.writes_left = -1;
        const auto after = world_.client(world_.metadata, store)->refresh(RefreshMode::full);
        ASSERT_TRUE(after.ok()) << n << ": " << after.error().message;
        if (done) return;
    }
    FAIL();
}

TEST_F(Attack, thresholds_count_different_keys) {
    const auto a = test_signer(21), b = test_signer(22), c = test_signer(23);
    Repository repository = world_.open();
    const KeySet three{{a->public_key(), b->public_key(), c->public_key()}, 2};
    ASSERT_TRUE(repository.set_keys("models", three).ok());
    EXPECT_EQ(code_of(repository.commit({world_.targets.get(), world_.online.get(), a.get()},
                                        world_.now_s)),
              Code::unauthenticated);
    ASSERT_TRUE(
        repository
            .commit({world_.targets.get(), world_.online.get(), a.get(), c.get()}, world_.now_s)
            .ok());
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    ASSERT_TRUE(device_->find_target("models/digits/2.tflite").ok());
    const std::string file = "3.models.digits.json";
    const Json body = world_.body(file);
    const struct {
        std::vector<const Signer*> by;
        bool enough;
    } cases[] = {{{a.get()}, false},
                 {{a.get(), world_.models.get()}, false},
                 {{a.get(), a.get()}, false},
                 {{b.get(), c.get()}, true},
                 {{a.get(), b.get(), c.get(), world_.models.get()}, true}};
    for (const auto& test : cases) {
        world_.forge(file, body, test.by);
        MemoryStore empty;
        auto fresh = world_.client(world_.metadata, empty);
        ASSERT_TRUE(fresh->refresh(RefreshMode::full).ok());
        EXPECT_EQ(fresh->find_target("models/digits/2.tflite").ok(), test.enough);
    }
}

TEST_F(Attack, one_key_under_two_keyids_is_one_signature) {
    Json body = next("1.root.json");
    const std::string online = world_.online->keyid(), alias(64, 'a');
    body["keys"][alias] = body["keys"][online];
    // The same key once more, in other letters.
    std::string upper = body["keys"][online]["keyval"]["public"];
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    const std::string second_alias(64, 'b');
    body["keys"][second_alias] = body["keys"][online];
    body["keys"][second_alias]["keyval"]["public"] = upper;
    body["roles"]["timestamp"] = {{"keyids", {online, alias, second_alias}}, {"threshold", 2}};
    world_.forge("2.root.json", body, {world_.root.get()});
    Json timestamp = next("timestamp.json");
    world_.forge("timestamp.json", timestamp, {world_.online.get()});
    Json file = Json::parse(world_.tree.files.at("metadata/timestamp.json"));
    for (const std::string& keyid : {alias, second_alias}) {
        Json copy = file["signatures"][0];
        copy["keyid"] = keyid;
        file["signatures"].push_back(copy);
    }
    world_.tree.files["metadata/timestamp.json"] = file.dump();
    EXPECT_EQ(code_of(device_->refresh(RefreshMode::full)), Code::bad_signature);
}

TEST_F(Attack, broken_signatures_beside_good_ones_do_no_harm) {
    Json file = Json::parse(world_.tree.files.at("metadata/timestamp.json"));
    file["signatures"].push_back({{"keyid", world_.models->keyid()}, {"sig", "not hex"}});
    file["signatures"].push_back({{"keyid", "unknown"}, {"sig", ""}});
    world_.tree.files["metadata/timestamp.json"] = file.dump();
    EXPECT_TRUE(device_->refresh(RefreshMode::full).ok());
}

TEST_F(Attack, another_pinned_root_trusts_nothing_here) {
    World other;
    other.root = test_signer(31);
    other.online = test_signer(32);
    other.publish();
    MemoryStore store;
    Client device(world_.metadata, store,
                  {.pinned_root = other.pinned_root, .clock = [] { return start_s; }});
    EXPECT_EQ(code_of(device.refresh(RefreshMode::full)), Code::bad_signature);
    EXPECT_EQ(store.files.size(), 1u);
    EXPECT_EQ(store.files.at("root.json"), other.pinned_root);
}

TEST_F(Attack, an_unsigned_pinned_root_is_not_taken) {
    Json root = Json::parse(world_.pinned_root);
    root["signatures"] = Json::array();
    MemoryStore store;
    Client device(world_.metadata, store,
                  {.pinned_root = root.dump(), .clock = [] { return start_s; }});
    world_.metadata.take_requests();
    EXPECT_EQ(code_of(device.refresh(RefreshMode::full)), Code::bad_signature);
    EXPECT_TRUE(world_.metadata.take_requests().empty());
}

}  // namespace skiff::trust
