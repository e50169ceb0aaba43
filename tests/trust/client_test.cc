// The workflow as it should go: what is asked for, what is kept, what an update costs.
#include "trust/client.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.h"
#include "tests/trust/support.h"

namespace skiff::trust {

namespace {

using Requests = std::vector<std::string>;

class ClientFlow : public testing::Test {
 protected:
    void SetUp() override {
        world_.publish();
        device_ = world_.client();
    }
    World world_;
    std::unique_ptr<Client> device_;
};

}  // namespace

TEST_F(ClientFlow, first_refresh_asks_for_each_file_once) {
    EXPECT_TRUE(device_->refresh(RefreshMode::full).value());
    EXPECT_EQ(world_.metadata.take_requests(),
              (Requests{"2.root.json 404", "timestamp.json", "1.snapshot.json", "1.targets.json"}));
    const TargetInfo target = device_->find_target("models/digits/1.tflite").value();
    EXPECT_EQ(target.role, "models.digits");
    EXPECT_EQ(target.length, 11u);
    EXPECT_EQ(target.custom, "{\"version\":1}");
    EXPECT_EQ(target.url_path,
              "models/digits/" + sha256_hex(as_bytes("first model")) + ".1.tflite");
    EXPECT_EQ(world_.metadata.take_requests(), (Requests{"1.models.json", "1.models.digits.json"}));
}

TEST_F(ClientFlow, keeps_files_byte_for_byte) {
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    for (const auto& [stored, served] :
         std::map<std::string, std::string>{{"root.json", "1.root.json"},
                                            {"timestamp.json", "timestamp.json"},
                                            {"snapshot.json", "1.snapshot.json"},
                                            {"targets.json", "1.targets.json"}})
        EXPECT_EQ(world_.store.files.at(stored), world_.tree.files.at("metadata/" + served));
}

TEST_F(ClientFlow, an_idle_check_is_one_conditional_request) {
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    world_.metadata.take_requests();
    world_.metadata.body_bytes = 0;
    EXPECT_FALSE(device_->refresh(RefreshMode::quick).value());
    EXPECT_EQ(world_.metadata.take_requests(), Requests{"timestamp.json 304"});
    EXPECT_EQ(world_.metadata.body_bytes, 0u);
    // Also after a restart, and from then on.
    auto again = world_.client();
    EXPECT_FALSE(again->refresh(RefreshMode::quick).value());
    EXPECT_EQ(world_.metadata.take_requests(), Requests{"timestamp.json 304"});
    EXPECT_TRUE(again->find_target("models/digits/1.tflite").ok());
}

TEST_F(ClientFlow, a_server_without_etags_costs_one_request_too) {
    world_.metadata.etags = false;
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    world_.metadata.take_requests();
    EXPECT_FALSE(device_->refresh(RefreshMode::quick).value());
    EXPECT_EQ(world_.metadata.take_requests(), Requests{"timestamp.json"});
}

TEST_F(ClientFlow, quick_looks_for_a_new_root_when_the_timestamp_is_new) {
    ASSERT_TRUE(device_->refresh(RefreshMode::quick).ok());
    world_.metadata.take_requests();
    world_.publish("models/digits/2.tflite", "second model");
    EXPECT_TRUE(device_->refresh(RefreshMode::quick).value());
    EXPECT_EQ(world_.metadata.take_requests(),
              (Requests{"timestamp.json", "2.root.json 404", "2.snapshot.json"}));
    EXPECT_TRUE(device_->find_target("models/digits/2.tflite").ok());
    EXPECT_EQ(world_.metadata.take_requests(), (Requests{"1.models.json", "2.models.digits.json"}));
}

TEST_F(ClientFlow, quick_follows_rotated_online_keys) {
    ASSERT_TRUE(device_->refresh(RefreshMode::quick).ok());
    const auto fresh = test_signer(9);
    Repository repository = world_.open();
    for (const char* role : {"snapshot", "timestamp", "rulesets", "deltas"})
        ASSERT_TRUE(repository.set_keys(role, {{fresh->public_key()}, 1}).ok());
    ASSERT_TRUE(
        repository
            .commit({world_.root.get(), world_.targets.get(), world_.models.get(), fresh.get()},
                    world_.now_s)
            .ok());
    EXPECT_TRUE(device_->refresh(RefreshMode::quick).value());
    EXPECT_EQ(device_->trusted().root().version, 2);
}

TEST_F(ClientFlow, quick_looks_for_a_new_root_when_its_own_has_expired) {
    // With the same timestamp.json all the while: another publisher's habit, ours would sign it
    // again.
    for (const bool rotated : {false, true}) {
        const auto fresh = test_signer(9);
        World world;
        world.publish();
        Json old = world.body("1.root.json");
        old["expires"] = date_time_text(start_s + 10);
        world.forge("1.root.json", old, {world.root.get()});
        world.pinned_root = world.tree.files.at("metadata/1.root.json");
        auto device = world.client();
        ASSERT_TRUE(device->refresh(RefreshMode::quick).ok());
        world.now_s += 10;
        EXPECT_EQ(code_of(device->refresh(RefreshMode::quick)), expired_code);
        EXPECT_EQ(device->staleness()->role, "root");
        Json root = world.body("1.root.json");
        root["version"] = 2;
        root["expires"] = date_time_text(start_s + day_s);
        if (rotated) {
            root["keys"][fresh->keyid()] = key_json(fresh->public_key());
            root["roles"]["timestamp"]["keyids"].push_back(fresh->keyid());
        }
        world.forge("2.root.json", root, {world.root.get()});
        EXPECT_TRUE(device->refresh(RefreshMode::quick).ok());
        EXPECT_EQ(device->trusted().root().version, 2);
    }
}

TEST_F(ClientFlow, an_interrupted_refresh_goes_on_where_it_stopped) {
    const int writes = 12;
    for (int n = 0; n < writes; ++n) {
        MemoryStore store;
        store.writes_left = n;
        const bool done = world_.client(world_.metadata, store)->refresh(RefreshMode::full).ok();
        store.writes_left = -1;
        auto after = world_.client(world_.metadata, store);
        ASSERT_TRUE(after->refresh(RefreshMode::quick).ok()) << n;
        ASSERT_TRUE(after->find_target("models/digits/1.tflite").ok()) << n;
        if (done) return;
    }
    FAIL() << "a first refresh needs more than " << writes << " writes";
}

TEST_F(ClientFlow, a_snapshot_that_was_missed_is_fetched_though_the_timestamp_is_not_new) {
    world_.metadata.instead = [](const std::string& path) -> std::optional<Fetched> {
        if (path == "1.snapshot.json") return Fetched{};
        return std::nullopt;
    };
    EXPECT_EQ(code_of(device_->refresh(RefreshMode::full)), Code::unavailable);
    world_.metadata.instead = nullptr;
    EXPECT_TRUE(device_->refresh(RefreshMode::quick).value());
}

TEST_F(ClientFlow, publishing_another_model_costs_little) {
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    ASSERT_TRUE(device_->find_target("models/digits/1.tflite").ok());
    ASSERT_TRUE(device_->find_target("rulesets/digits.json").ok());
    const auto cost = [&] {
        world_.metadata.body_bytes = 0;
        EXPECT_TRUE(device_->refresh(RefreshMode::quick).value());
        EXPECT_TRUE(device_->find_target("models/digits/1.tflite").ok());
        EXPECT_TRUE(device_->find_target("rulesets/digits.json").ok());
        return world_.metadata.body_bytes;
    };
    const Json custom = {{"version", 1}, {"notes", std::string(500, 'x')}};
    const auto publish = [&](const std::string& model, int version) {
        Repository repository = world_.open();
        const std::string file = "models/" + model + "/" + std::to_string(version) + ".tflite";
        world_.add(repository, file, model + std::to_string(version), custom);
        world_.add(repository, "rulesets/" + model + ".json", std::to_string(version), nullptr);
        repository.commit(world_.signers(), world_.now_s).value();
    };
    publish("faces", 1);
    const auto first = cost();
    publish("faces", 2);
    const auto next = cost();
    for (int i = 0; i < 8; ++i) publish("m" + std::to_string(i), 1);
    cost();
    publish("faces", 3);
    const auto of_ten = cost();
    std::printf("[ bytes    ] another model: new %d, next version %d, among ten models %d\n",
                static_cast<int>(first), static_cast<int>(next), static_cast<int>(of_ten));
    EXPECT_LE(first, 2500u);
    EXPECT_LE(next, 2000u);
    EXPECT_LE(of_ten, 2200u);
}

TEST_F(ClientFlow, lists_a_models_versions_and_floor) {
    Repository repository = world_.open();
    ASSERT_TRUE(repository.set_custom("models.digits", {{"minimum_version", 1}}).ok());
    ASSERT_TRUE(repository.commit(world_.signers(), world_.now_s).ok());
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    const std::vector<std::string> chain = {"models", "models.digits"};
    const Targets role = device_->role(chain).value();
    EXPECT_EQ(role.custom, "{\"minimum_version\":1}");
    EXPECT_EQ(role.targets.size(), 1u);
    EXPECT_EQ(code_of(device_->role(std::vector<std::string>{"models", "models.cats"})),
              Code::not_found);
}

TEST_F(ClientFlow, what_was_verified_can_be_read_offline_and_after_expiry) {
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    ASSERT_TRUE(device_->find_target("models/digits/1.tflite").ok());
    world_.now_s += 3000 * day_s;
    world_.metadata.instead = [](const std::string&) { return Fetched{}; };
    auto offline = world_.client();
    EXPECT_FALSE(offline->refresh(RefreshMode::quick).ok());
    EXPECT_EQ(code_of(offline->find_target("models/digits/1.tflite")), Code::unavailable);
    EXPECT_TRUE(offline->find_target("models/digits/1.tflite", Source::store).ok());
    ASSERT_TRUE(offline->staleness().has_value());
    EXPECT_EQ(offline->staleness()->role, "timestamp");
}

TEST_F(ClientFlow, time_never_goes_below_the_floor) {
    ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
    EXPECT_EQ(device_->signed_at_s(), start_s);
    MemoryStore empty;
    Client dead_clock(world_.metadata, empty,
                      {.pinned_root = world_.pinned_root,
                       .clock = [] { return std::int64_t{0}; },
                       .earliest_time_s = start_s + 4 * day_s});
    EXPECT_EQ(code_of(dead_clock.refresh(RefreshMode::full)), expired_code);
}

TEST_F(ClientFlow, a_client_without_a_pinned_root_says_so) {
    MemoryStore empty;
    Client client(world_.metadata, empty, {.pinned_root = {}, .clock = [] { return start_s; }});
    EXPECT_EQ(code_of(client.refresh(RefreshMode::full)), Code::not_found);
}

class ClientDownload : public ClientFlow {
 protected:
    void SetUp() override {
        ClientFlow::SetUp();
        char name[] = "/tmp/skiff-download-XXXXXX";
        folder_ = ::mkdtemp(name);
        file_ = folder_ + "/model";
        ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
        target_ = device_->find_target("models/digits/1.tflite").value();
    }
    void TearDown() override { std::system(("rm -rf " + folder_).c_str()); }
    std::string folder_, file_;
    TargetInfo target_;
};

TEST_F(ClientDownload, fetches_once) {
    ASSERT_TRUE(device_->download(target_, world_.files, file_).ok());
    EXPECT_EQ(read_file(file_).value(), "first model");
    EXPECT_EQ(world_.files.take_requests(), Requests{target_.url_path});
    ASSERT_TRUE(device_->download(target_, world_.files, file_).ok());
    EXPECT_EQ(world_.files.take_requests(), Requests{});
}

TEST_F(ClientDownload, refuses_other_bytes_and_leaves_nothing) {
    for (const std::string& bytes : {std::string("FIRST MODEL"), std::string("first mode"),
                                     std::string("first modelx"), std::string()}) {
        world_.files.instead = [&](const std::string&) {
            return Fetched{Fetched::Kind::file, bytes, {}};
        };
        EXPECT_EQ(code_of(device_->download(target_, world_.files, file_)), Code::hash_mismatch);
        EXPECT_FALSE(file_exists(file_));
    }
}

TEST_F(ClientDownload, a_damaged_file_is_fetched_again) {
    ASSERT_TRUE(device_->download(target_, world_.files, file_).ok());
    ASSERT_TRUE(write_file(file_, as_bytes("first mOdel")).ok());
    ASSERT_TRUE(device_->download(target_, world_.files, file_).ok());
    EXPECT_EQ(read_file(file_).value(), "first model");
}

TEST(FileCheck, needs_one_known_hash_and_all_known_ones) {
    const std::string sha256 = sha256_hex(as_bytes("abc"));
    const std::string sha512 =
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    EXPECT_TRUE(check_bytes("abc", {{"sha256", sha256}}, "x").ok());
    EXPECT_TRUE(check_bytes("abc", {{"sha512", sha512}}, "x").ok());
    FileCheck longer(4, {{"sha256", sha256}});
    longer.update(as_bytes("abc"));
    EXPECT_EQ(code_of(longer.finish("x")), Code::hash_mismatch) << "the stated length binds too";
    EXPECT_TRUE(check_bytes("abc", {{"sha256", sha256}, {"blake9", "00"}}, "x").ok());
    EXPECT_FALSE(check_bytes("abc", {{"sha256", sha256}, {"sha512", sha256}}, "x").ok());
    EXPECT_FALSE(check_bytes("abc", {{"blake9", sha256}}, "x").ok());
    EXPECT_FALSE(check_bytes("abd", {{"sha256", sha256}}, "x").ok());
}

TEST(FolderStore, keeps_files) {
    char name[] = "/tmp/skiff-store-XXXXXX";
    const std::string folder = ::mkdtemp(name);
    FolderStore store(folder + "/tuf");
    EXPECT_EQ(code_of(store.read("root.json")), Code::not_found);
    ASSERT_TRUE(store.write("root.json", "1").ok());
    ASSERT_TRUE(store.write("root.json", "2").ok());
    EXPECT_EQ(store.read("root.json").value(), "2");
    ASSERT_TRUE(store.remove("root.json").ok());
    ASSERT_TRUE(store.remove("root.json").ok());
    EXPECT_EQ(code_of(store.read("root.json")), Code::not_found);
    std::system(("rm -rf " + folder).c_str());
}

}  // namespace skiff::trust
