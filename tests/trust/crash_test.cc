// The power may go before any write of a publication: readers with and without a history always see
// a whole repository, and the publisher always gets on.
#include <gtest/gtest.h>

#include "tests/trust/support.h"

namespace skiff::trust {

namespace {

struct Case {
    const char* name;
    std::function<void(World&, Repository&)> edit;
    std::function<Signers(const World&)> signers;
    bool always_readable = true;
};

const std::unique_ptr<FileSigner> fresh_online = test_signer(51), fresh_root = test_signer(52),
                                  fresh_targets = test_signer(53), fresh_models = test_signer(54);

KeySet one(const std::unique_ptr<FileSigner>& signer) {
    return {{signer->public_key()}, 1};
}

void rotate_online(World&, Repository& repository) {
    for (const char* role : {"snapshot", "timestamp", "rulesets", "deltas"})
        repository.set_keys(role, one(fresh_online)).value();
}

Signers everyone(const World& world) {
    Signers all = world.signers();
    for (const auto* signer : {&fresh_online, &fresh_root, &fresh_targets, &fresh_models})
        all.push_back(signer->get());
    return all;
}

const Case cases[] = {
    {"a version",
     [](World& w, Repository& r) { w.add(r, "models/digits/2.tflite", "second", nullptr); },
     everyone},
    {"a model with its ruleset",
     [](World& w, Repository& r) {
         w.add(r, "models/faces/1.tflite", "face", nullptr);
         w.add(r, "rulesets/faces.json", "{}", nullptr);
         w.add(r, "rulesets/digits.json", "{\"x\":1}", nullptr);
     },
     everyone},
    {"a new root key", [](World&, Repository& r) { r.set_keys("root", one(fresh_root)).value(); },
     everyone},
    {"a new targets key",
     [](World&, Repository& r) { r.set_keys("targets", one(fresh_targets)).value(); }, everyone},
    {"new publishing keys",
     [](World&, Repository& r) { r.set_keys("models", one(fresh_models)).value(); }, everyone},
    {"new online keys, signed by the old ones too", rotate_online, everyone},
    {"all keys",
     [](World& w, Repository& r) {
         rotate_online(w, r);
         r.set_keys("root", one(fresh_root)).value();
         r.set_keys("targets", one(fresh_targets)).value();
         r.set_keys("models", one(fresh_models)).value();
     },
     everyone},
    // The old online key is stolen or lost: nobody can keep old readers happy in between, but
    // nothing breaks for good.
    {"new online keys without the old ones", rotate_online,
     [](const World& w) {
         return Signers{w.root.get(), w.targets.get(), w.models.get(), fresh_online.get()};
     },
     false},
};

bool reads(World& world, MemoryStore store) {
    auto client = world.client(world.metadata, store);
    return client->refresh(RefreshMode::full).ok() &&
           client->find_target("models/digits/1.tflite").ok() &&
           client->find_target("rulesets/digits.json").ok();
}

}  // namespace

class PowerCut : public testing::TestWithParam<int> {};

TEST_P(PowerCut, before_any_write_of_a_publication_harms_nobody) {
    const Case& test = cases[GetParam()];
    for (int n = 0; n < 60; ++n) {
        World world;
        world.publish();
        MemoryStore old_device;
        ASSERT_TRUE(world.client(world.metadata, old_device)->refresh(RefreshMode::full).ok());
        world.tree.writes_left = n;
        bool done = false;
        // Targets are written by the edit, which may fail too; the publisher's process is then
        // dead.
        const auto publish = [&]() -> Status {
            Repository repository = TRY(Repository::open(world.tree));
            test.edit(world, repository);
            return repository.commit(test.signers(world), world.now_s);
        };
        MemoryTree spare = world.tree;
        spare.writes_left = -1;
        {
            // Count of writes that the edit itself makes, so that only commit() is cut.
            World rehearsal;
            rehearsal.tree = spare;
            Repository repository = Repository::open(rehearsal.tree).value();
            test.edit(rehearsal, repository);
            for (const auto& [name, bytes] : rehearsal.tree.files) world.tree.files[name] = bytes;
        }
        done = publish().ok();
        world.tree.writes_left = -1;
        if (test.always_readable) {
            ASSERT_TRUE(reads(world, {})) << test.name << ", new device, cut at " << n;
            ASSERT_TRUE(reads(world, old_device)) << test.name << ", old device, cut at " << n;
        }
        const auto reopened = Repository::open(world.tree);
        ASSERT_TRUE(reopened.ok()) << test.name << ": " << reopened.error().message;
        const Status again = publish();
        ASSERT_TRUE(again.ok()) << test.name << ", cut at " << n << ": " << again.error().message;
        ASSERT_TRUE(reads(world, {})) << test.name;
        ASSERT_TRUE(reads(world, old_device)) << test.name;
        if (done) {
            EXPECT_GE(n, 2);
            return;
        }
    }
    FAIL() << "it never got through";
}

INSTANTIATE_TEST_SUITE_P(Publications, PowerCut,
                         testing::Range(0, static_cast<int>(std::size(cases))),
                         [](const auto& info) {
                             std::string name = cases[info.param].name;
                             for (char& c : name)
                                 if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                             return name;
                         });

TEST(PowerCutAtBirth, a_project_can_be_made_again) {
    for (int n = 0; n < 20; ++n) {
        World world;
        world.tree.writes_left = n;
        const auto make = [&]() -> Status {
            Repository repository = TRY(Repository::create(world.tree, world.keys()));
            TRY(repository.commit(world.signers(), start_s));
            world.pinned_root = repository.root_file();
            return {};
        };
        const bool done = make().ok();
        world.tree.writes_left = -1;
        if (!done) {
            ASSERT_TRUE(make().ok()) << n;
        }
        MemoryStore store;
        ASSERT_TRUE(world.client(world.metadata, store)->refresh(RefreshMode::full).ok()) << n;
        if (done) return;
    }
    FAIL();
}

}  // namespace skiff::trust
