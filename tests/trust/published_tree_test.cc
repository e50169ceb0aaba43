// A project on disk as other people's clients meet it: two versions, a rotated root, two rulesets.
// With SKIFF_TREE_OUT=DIR it stays there (tests/trust/tuf_js/run), signed at the present time.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "base/files.h"
#include "tests/trust/support.h"

namespace skiff::trust {

namespace {

// A folder behind the Fetcher interface.
class FolderFetcher final : public Fetcher {
 public:
    explicit FolderFetcher(std::string folder) : folder_(std::move(folder)) {}
    Result<Fetched> get(const std::string& path, std::uint64_t max_bytes,
                        const std::string&) override {
        auto bytes = read_file(folder_ + "/" + path, max_bytes);
        if (!bytes.ok() && bytes.error().code == Code::not_found) return Fetched{};
        if (!bytes.ok()) return bytes.error();
        return Fetched{Fetched::Kind::file, std::move(*bytes), {}};
    }

 private:
    std::string folder_;
};

}  // namespace

TEST(PublishedTree, is_read_by_a_device_with_the_first_root) {
    const char* out = std::getenv("SKIFF_TREE_OUT");
    char name[] = "/tmp/skiff-published-XXXXXX";
    const std::string folder = out ? out : ::mkdtemp(name);
    const std::int64_t now_s = std::time(nullptr);
    FolderTree tree(folder);
    World world;
    const auto next_root = test_signer(71);
    Repository repository = Repository::create(tree, world.keys()).value();
    const auto add = [&](const std::string& path, const std::string& bytes, const Json& custom) {
        const TargetRecord record = write_target(tree, path, as_bytes(bytes)).value();
        ASSERT_TRUE(repository.set_target(path, record, custom).ok());
    };
    add("models/digits/1.tflite", "first model", {{"version", 1}});
    add("rulesets/digits.json", "{}", nullptr);
    ASSERT_TRUE(repository.commit(world.signers(), now_s).ok());
    ASSERT_TRUE(repository.set_keys("root", {{next_root->public_key()}, 1}).ok());
    ASSERT_TRUE(
        repository.commit({world.root.get(), next_root.get(), world.online.get()}, now_s).ok());
    add("models/digits/2.tflite", "second model", {{"version", 2}, {"text", "tab\tquote\"\u00fc"}});
    add("models/faces/1.tflite", "a face", nullptr);
    add("rulesets/faces.json", "{}", nullptr);
    ASSERT_TRUE(repository.set_custom("models.digits", {{"minimum_version", 1}}).ok());
    ASSERT_TRUE(repository.commit(world.signers(), now_s).ok());

    FolderFetcher metadata(folder + "/metadata"), targets(folder + "/targets");
    MemoryStore store;
    Client device(metadata, store,
                  {.pinned_root = read_file(folder + "/metadata/1.root.json").value(),
                   .clock = [&] { return now_s; }});
    const auto refreshed = device.refresh(RefreshMode::full);
    ASSERT_TRUE(refreshed.ok()) << refreshed.error().message;
    EXPECT_EQ(device.trusted().root().version, 2);
    const TargetInfo target = device.find_target("models/digits/2.tflite").value();
    EXPECT_TRUE(device.download(target, targets, folder + "/downloaded").ok());
    EXPECT_EQ(read_file(folder + "/downloaded").value(), "second model");
    if (!out) std::system(("rm -rf " + folder).c_str());
}

}  // namespace skiff::trust
