// Attacks by someone who owns the server or the network: old, endless, mixed, frozen, forged files.
#include "tests/trust/attack.h"

namespace skiff::trust {

TEST_F(Attack, files_signed_by_a_stranger) {
    const auto stranger = test_signer(66);
    world_.forge("timestamp.json", next("timestamp.json"), {stranger.get()});
    expect_refused(Code::bad_signature);
    world_.tree.files = honest_;
    world_.forge("2.root.json", next("1.root.json"), {stranger.get()});
    EXPECT_EQ(code_of(device_->refresh(RefreshMode::full)), Code::bad_signature);
    expect_recovers();
}

TEST_F(Attack, a_changed_byte_in_a_signed_file) {
    std::string& bytes = world_.tree.files.at("metadata/timestamp.json");
    bytes.replace(bytes.find("\"version\":2"), 11, "\"version\":3");
    expect_refused(Code::bad_signature);
    expect_recovers();
}

TEST_F(Attack, a_role_signs_for_another) {
    // The online key may not sign models, the models key may not sign the timestamp.
    world_.forge("timestamp.json", next("timestamp.json"), {world_.models.get()});
    expect_refused(Code::bad_signature);
    world_.tree.files = honest_;
    Json snapshot = next("2.snapshot.json");
    snapshot["meta"]["models.digits.json"]["version"] = 3;
    world_.forge("3.snapshot.json", snapshot, {world_.online.get()});
    world_.forge("3.models.digits.json", next("2.models.digits.json"), {world_.online.get()});
    name_snapshot(3);
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    EXPECT_EQ(code_of(device_->find_target("models/digits/2.tflite")), Code::bad_signature);
    EXPECT_EQ(world_.store.files.at("models.digits.json"), before_.at("models.digits.json"));
}

TEST_F(Attack, another_type_of_file) {
    // Properly signed by the online key, but a snapshot.
    Json body = next("2.snapshot.json");
    body["meta"] = {{"snapshot.json", {{"version", 2}}}};
    world_.forge("timestamp.json", body, {world_.online.get()});
    expect_refused(Code::invalid_argument);
    expect_recovers();
}

TEST_F(Attack, rollback_of_the_timestamp) {
    Json body = world_.body("timestamp.json");
    body["version"] = 1;
    world_.forge("timestamp.json", body, {world_.online.get()});
    expect_refused(Code::out_of_range);
    expect_recovers();
}

TEST_F(Attack, rollback_of_the_snapshot_by_the_timestamp) {
    name_snapshot(1);
    expect_refused(Code::out_of_range);
    expect_recovers();
}

TEST_F(Attack, rollback_of_a_role_by_the_snapshot) {
    Json body = next("2.snapshot.json");
    body["meta"]["models.digits.json"]["version"] = 1;
    world_.forge("3.snapshot.json", body, {world_.online.get()});
    name_snapshot(3);
    expect_refused(Code::out_of_range, {"timestamp.json", "timestamp.etag"});
}

TEST_F(Attack, a_role_taken_out_of_the_snapshot) {
    Json body = next("2.snapshot.json");
    body["meta"].erase("models.digits.json");
    world_.forge("3.snapshot.json", body, {world_.online.get()});
    name_snapshot(3);
    expect_refused(Code::out_of_range, {"timestamp.json", "timestamp.etag"});
}

TEST_F(Attack, rollback_is_noticed_by_an_expired_trusted_file_too) {
    world_.now_s += 4 * day_s;
    Json body = world_.body("timestamp.json");
    body["version"] = 1;
    body["expires"] = date_time_text(world_.now_s + day_s);
    world_.forge("timestamp.json", body, {world_.online.get()});
    expect_refused(Code::out_of_range);
}

TEST_F(Attack, root_of_the_wrong_version) {
    for (const int version : {1, 3}) {
        Json body = world_.body("1.root.json");
        body["version"] = version;
        body["x"] = "another";
        world_.forge("2.root.json", body, {world_.root.get()});
        EXPECT_EQ(code_of(device_->refresh(RefreshMode::full)), Code::out_of_range) << version;
        EXPECT_EQ(world_.store.files.at("root.json"), before_.at("root.json"));
    }
}

TEST_F(Attack, root_signed_only_by_the_old_or_only_by_the_new_key) {
    const auto fresh = test_signer(8);
    Json body = next("1.root.json");
    body["keys"][fresh->keyid()] = key_json(fresh->public_key());
    body["roles"]["root"]["keyids"] = {fresh->keyid()};
    for (const Signer* signer : {world_.root.get(), fresh.get()}) {
        world_.forge("2.root.json", body, {signer});
        EXPECT_EQ(code_of(device_->refresh(RefreshMode::full)), Code::bad_signature);
    }
    world_.forge("2.root.json", body, {world_.root.get(), fresh.get()});
    EXPECT_TRUE(device_->refresh(RefreshMode::full).ok());
    EXPECT_EQ(device_->trusted().root().version, 2);
}

TEST_F(Attack, freeze_by_old_files) {
    // The server keeps showing the same state until each level expires: an error that says stale,
    // and nothing is lost.
    world_.now_s = start_s + 3 * day_s;
    expect_refused(expired_code);
    ASSERT_TRUE(device_->staleness());
    EXPECT_EQ(device_->staleness()->role, "timestamp");
    EXPECT_EQ(device_->staleness()->expired_at_s, start_s + 3 * day_s);
    honest_ = world_.tree.files;
    expect_recovers();
    EXPECT_FALSE(device_->staleness());
}

TEST_F(Attack, each_level_expires_by_itself) {
    const auto resigned = [&](const std::string& file, const Signer* signer, std::int64_t at) {
        Json body = world_.body(file);
        body["expires"] = date_time_text(at);
        world_.forge(file, body, {signer});
    };
    const struct {
        const char* file;
        const Signer* signer;
    } levels[] = {{"1.root.json", world_.root.get()},
                  {"timestamp.json", world_.online.get()},
                  {"2.snapshot.json", world_.online.get()},
                  {"1.targets.json", world_.targets.get()}};
    for (const auto& level : levels) {
        for (const bool expired : {true, false}) {
            world_.tree.files = honest_;
            resigned(level.file, level.signer, start_s + (expired ? 0 : 1));
            MemoryStore empty;
            Client fresh(world_.metadata, empty,
                         {.pinned_root = world_.tree.files.at("metadata/1.root.json"),
                          .clock = [] { return start_s; }});
            EXPECT_EQ(code_of(fresh.refresh(RefreshMode::full)), expired ? expired_code : Code::ok)
                << level.file;
            EXPECT_EQ(fresh.staleness().has_value(), expired);
        }
    }
    // And a delegated role.
    world_.tree.files = honest_;
    resigned("2.models.digits.json", world_.models.get(), start_s);
    MemoryStore empty;
    auto fresh = world_.client(world_.metadata, empty);
    ASSERT_TRUE(fresh->refresh(RefreshMode::full).ok());
    EXPECT_EQ(code_of(fresh->find_target("models/digits/2.tflite")), expired_code);
    EXPECT_FALSE(empty.files.contains("models.digits.json"));
}

TEST_F(Attack, endless_data) {
    // A fetcher that ignores its limit is caught as well.
    for (const char* file : {"timestamp.json", "2.root.json", "3.snapshot.json"}) {
        world_.tree.files = honest_;
        world_.metadata.instead = nullptr;
        if (std::string(file) == "3.snapshot.json") name_snapshot(3);
        world_.metadata.instead = [&](const std::string& path) -> std::optional<Fetched> {
            if (path != file) return std::nullopt;
            return Fetched{Fetched::Kind::file, std::string(6'000'000, ' '), {}};
        };
        EXPECT_EQ(code_of(device_->refresh(RefreshMode::full)), Code::resource_exhausted) << file;
    }
}

TEST_F(Attack, endless_roots) {
    Json body = world_.body("1.root.json");
    world_.metadata.instead = [&](const std::string& path) -> std::optional<Fetched> {
        if (!path.ends_with(".root.json")) return std::nullopt;
        body["version"] = std::stoi(path);
        std::string bytes = Json({{"signatures", Json::array()}, {"signed", body}}).dump();
        return Fetched{Fetched::Kind::file, sign_file(bytes, *world_.root).value(), {}};
    };
    EXPECT_TRUE(device_->refresh(RefreshMode::full).ok());
    EXPECT_EQ(device_->trusted().root().version, 1 + max_new_roots);
}

TEST_F(Attack, a_lying_304) {
    // To a device that has nothing, and to files that are never asked for conditionally.
    for (const std::string file : {"timestamp.json", "2.root.json", "2.snapshot.json"}) {
        MemoryStore empty;
        world_.metadata.instead = [&](const std::string& path) -> std::optional<Fetched> {
            if (path != file) return std::nullopt;
            return Fetched{Fetched::Kind::not_modified, {}, {}};
        };
        auto fresh = world_.client(world_.metadata, empty);
        EXPECT_EQ(code_of(fresh->refresh(RefreshMode::full)), Code::unavailable) << file;
    }
    // A 304 for ever is a freeze, and ends with the expiry.
    world_.metadata.instead = [&](const std::string& path) -> std::optional<Fetched> {
        if (path != "timestamp.json") return std::nullopt;
        return Fetched{Fetched::Kind::not_modified, {}, {}};
    };
    EXPECT_FALSE(device_->refresh(RefreshMode::quick).value());
    world_.now_s += 3 * day_s;
    EXPECT_EQ(code_of(device_->refresh(RefreshMode::quick)), expired_code);
}

TEST_F(Attack, mix_and_match) {
    // The snapshot says version 2 of a role; the server shows version 1, properly signed, under
    // that name.
    MemoryStore empty;
    world_.tree.files["metadata/2.models.digits.json"] =
        world_.tree.files["metadata/1.models.digits.json"];
    auto fresh = world_.client(world_.metadata, empty);
    ASSERT_TRUE(fresh->refresh(RefreshMode::full).ok());
    EXPECT_EQ(code_of(fresh->find_target("models/digits/1.tflite")), Code::out_of_range);
    world_.tree.files["metadata/2.snapshot.json"] = world_.tree.files["metadata/1.snapshot.json"];
    MemoryStore other;
    EXPECT_EQ(code_of(world_.client(world_.metadata, other)->refresh(RefreshMode::full)),
              Code::out_of_range);
}

TEST_F(Attack, one_roles_file_shown_as_anothers) {
    // A thief of the online key cannot sign models, but could show the role of a model with a low
    // floor as that of another: both have the same keys.
    Repository repository = world_.open();
    for (const char* version : {"1", "2", "3"})
        world_.add(repository, std::string("models/faces/") + version, version, nullptr);
    ASSERT_TRUE(repository.set_custom("models.digits", {{"minimum_version", 2}}).ok());
    ASSERT_TRUE(repository.commit(world_.signers(), world_.now_s).ok());
    Json faces = world_.body("1.models.faces.json");
    faces["version"] = 9;
    world_.forge("9.models.digits.json", faces, {world_.models.get()});
    Json snapshot = next("3.snapshot.json");
    snapshot["meta"]["models.digits.json"]["version"] = 9;
    world_.forge("4.snapshot.json", snapshot, {world_.online.get()});
    name_snapshot(4);
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    const std::vector<std::string> chain = {"models", "models.digits"};
    EXPECT_EQ(code_of(device_->role(chain)), Code::bad_signature);
}

TEST_F(Attack, stated_lengths_and_hashes_of_metadata_bind) {
    const std::string& targets = honest_.at("metadata/1.targets.json");
    const auto meta = [&](std::int64_t length, const std::string& hash) {
        return Json{{"version", 1}, {"length", length}, {"hashes", {{"sha256", hash}}}};
    };
    const auto size = static_cast<std::int64_t>(targets.size());
    const std::string right = sha256_hex(as_bytes(targets)), wrong(64, '0');
    const struct {
        Json meta;
        Code code;
    } cases[] = {{meta(size, right), Code::ok},
                 {meta(size + 1, right), Code::hash_mismatch},
                 {meta(size - 1, right), Code::resource_exhausted},
                 {meta(size, wrong), Code::hash_mismatch}};
    for (const auto& c : cases) {
        world_.tree.files = honest_;
        Json snapshot = next("2.snapshot.json");
        snapshot["meta"]["targets.json"] = c.meta;
        world_.forge("3.snapshot.json", snapshot, {world_.online.get()});
        name_snapshot(3);
        MemoryStore empty;
        EXPECT_EQ(code_of(world_.client(world_.metadata, empty)->refresh(RefreshMode::full)),
                  c.code);
    }
}

}  // namespace skiff::trust
