// Delivery with the real program: a project in a folder, from init to pull.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "tests/cli/program.h"

namespace skiff::cli::test {
namespace {

class PublishCommand : public testing::Test {
 protected:
    void SetUp() override {
        folder_ =
            scratch_folder() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
        demo_ = folder_ + "/demo";
        ASSERT_TRUE(make_folders(folder_).ok());
        ASSERT_EQ(skiff({"init", demo_}).exit_code, 0);
    }

    Finished skiff(const std::vector<std::string>& arguments) const {
        return run_skiff(arguments, {{"XDG_CONFIG_HOME", folder_ + "/config"},
                                     {"XDG_CACHE_HOME", folder_ + "/cache"}});
    }
    // In the project.
    Finished in_demo(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"-C", demo_});
        return skiff(arguments);
    }
    Json json_of(std::vector<std::string> arguments) const {
        arguments.push_back("--json");
        const Finished finished = in_demo(arguments);
        EXPECT_EQ(finished.exit_code, 0) << finished.err;
        return Json::parse(finished.out);
    }
    void refuse(const Finished& finished, int exit_code, const std::string& part) const {
        EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
        EXPECT_TRUE(finished.err.starts_with("skiff: error: ")) << finished.err;
        EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
        EXPECT_NE(finished.err.find(part), std::string::npos) << finished.err;
    }
    std::string model(const std::string& name, std::int32_t n = 4) const {
        const std::string path = folder_ + "/" + name;
        EXPECT_TRUE(write_file(path, doubling_model(n)).ok());
        return path;
    }

    std::string folder_, demo_;
};

TEST_F(PublishCommand, InitSaysWhichKeysMustLeave) {
    const Finished finished = skiff({"init", folder_ + "/second", "--name", "shop"});
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_NE(finished.out.find("keys/root.json"), std::string::npos) << finished.out;
    EXPECT_NE(finished.out.find("keys/targets.json"), std::string::npos);
    EXPECT_EQ(finished.out.find("keys/models.json"), std::string::npos);
    struct stat info;
    ASSERT_EQ(::stat((folder_ + "/second/keys/root.json").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    refuse(skiff({"init", folder_ + "/second"}), 1, "is there already");
    const Json keys = json_of({"keys"});
    ASSERT_EQ(keys.size(), 4u);
    EXPECT_EQ(keys[0]["should_leave"], true);
    EXPECT_EQ(keys[2]["should_leave"], false);
    // No command prints a secret.
    const auto secret = Json::parse(read_file(demo_ + "/keys/root.json").value());
    const std::string seed = secret["keyval"]["private"];
    for (const Finished& shown : {finished, in_demo({"keys"}), in_demo({"keys", "--json"})})
        EXPECT_EQ((shown.out + shown.err).find(seed), std::string::npos);
}

TEST_F(PublishCommand, FromPublishToPull) {
    ASSERT_TRUE(write_file(folder_ + "/labels.txt", as_bytes("one\ntwo\n")).ok());
    const std::string first = model("a.tflite");
    Json published = json_of({"publish", "digits", first, "--with", folder_ + "/labels.txt",
                              "--tag", "trained=now", "--min-app", "3.2.0", "--require",
                              "size<=10MB", "--why", "the first"});
    EXPECT_EQ(published["version"], 1);
    EXPECT_EQ(published["default"], true);
    EXPECT_EQ(json_of({"publish", "digits", model("b.tflite")})["default"], false);
    EXPECT_EQ(json_of({"rollout", "start", "digits:2", "--percent", "10"})["rollout"], "rollout-1");
    EXPECT_EQ(json_of({"rollout", "status"})[0]["rollout"]["to"], 2);
    refuse(in_demo({"rollout", "start", "digits:2", "--percent", "5"}), 1, "only grows");
    EXPECT_EQ(json_of({"rollout", "start", "digits:2", "--percent", "100"})["done"], true);
    EXPECT_EQ(json_of({"models", "show", "digits"})["default"], 2);
    EXPECT_EQ(json_of({"rollout", "undo", "digits"})["to"], 1);
    EXPECT_EQ(in_demo({"models", "alias", "digits", "best", "2"}).exit_code, 0);
    const Finished table = in_demo({"models"});
    EXPECT_NE(table.out.find("best=2"), std::string::npos) << table.out;

    ASSERT_TRUE(make_folders(folder_ + "/out").ok());
    ASSERT_EQ(in_demo({"pull", "digits@champion", "-o", folder_ + "/out"}).exit_code, 0);
    EXPECT_EQ(read_file(folder_ + "/out/digits-1.tflite").value(), read_file(first).value());
    EXPECT_EQ(read_file(folder_ + "/out/labels.txt").value(), "one\ntwo\n");

    EXPECT_EQ(json_of({"models", "revoke", "digits:2", "--why", "wrong labels"})["aliases_gone"],
              Json::array({"best"}));
    refuse(in_demo({"pull", "digits:2", "-o", folder_ + "/x"}), 1, "was revoked: wrong labels");
    refuse(in_demo({"rollout", "start", "digits:2", "--percent", "1"}), 1, "was revoked");
    EXPECT_EQ(json_of({"publish", "digits", first})["version"], 3);
    const Json audit = json_of({"models", "audit"});
    EXPECT_EQ(audit.size(), 9u);
    EXPECT_EQ(audit[1]["why"], "the first");
    EXPECT_FALSE(audit[1]["who"].get<std::string>().empty());
}

TEST_F(PublishCommand, ReferencesStandForFiles) {
    const std::string path = model("a.tflite");
    ASSERT_EQ(in_demo({"publish", "digits", path}).exit_code, 0);
    // The project is searched from the working folder upwards; the tests run elsewhere.
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(demo_);
    const Finished inspected = skiff({"inspect", "digits@champion"});
    const Finished run = skiff({"run", "digits:1", "--random", "1"});
    const Finished absent = skiff({"run", "digits:7", "--random", "1"});
    const Finished again = skiff({"bench", "digits:1", "--rounds", "1", "--round-ms", "1"});
    std::filesystem::current_path(before);
    EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(again.exit_code, 0) << again.err;
    refuse(absent, 1, "there is no digits:7");
    EXPECT_TRUE(std::filesystem::exists(folder_ + "/cache/skiff/blobs"));
    // Bytes of the cache that somebody changed are not used.
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_ + "/cache/skiff/blobs"))
        if (entry.is_regular_file()) {
            ASSERT_TRUE(write_file(entry.path().string(), as_bytes("other")).ok());
        }
    std::filesystem::current_path(demo_);
    const Finished repaired = skiff({"run", "digits:1", "--random", "1"});
    std::filesystem::current_path(before);
    EXPECT_EQ(repaired.exit_code, 0) << repaired.err;
}

TEST_F(PublishCommand, LocksWhatAReferenceMeans) {
    ASSERT_EQ(in_demo({"publish", "digits", model("a.tflite")}).exit_code, 0);
    const std::string lock = folder_ + "/skiff.lock", out = folder_ + "/got.tflite";
    const std::vector<std::string> pull = {"pull", "digits@champion", "-o", out, "--lock", lock};
    ASSERT_EQ(in_demo(pull).exit_code, 0);
    const Json locked = Json::parse(read_file(lock).value());
    EXPECT_EQ(locked["digits@champion"]["version"], 1);
    ASSERT_TRUE(write_file(folder_ + "/b.bin", as_bytes("other bytes")).ok());
    ASSERT_EQ(
        in_demo({"publish", "digits", folder_ + "/b.bin", "--alias", "champion", "--new-signature"})
            .exit_code,
        0);
    std::vector<std::string> again = pull;
    again.push_back("--locked");
    ASSERT_EQ(in_demo(again).exit_code, 0);
    EXPECT_EQ(sha256_file_hex(out).value(), locked["digits@champion"]["sha256"]);
    ASSERT_EQ(in_demo({"models", "alias", "digits", "best", "digits:1"}).exit_code, 0);
    ASSERT_EQ(in_demo({"models", "revoke", "digits:1", "--why", "wrong labels"}).exit_code, 0);
    refuse(in_demo(again), 1, "digits:1, which " + lock + " locks, was revoked: wrong labels");
    again[1] = "digits:1";
    refuse(in_demo(again), 1, "does not lock digits:1");
    ASSERT_EQ(in_demo(pull).exit_code, 0);  // moves the lock
    EXPECT_EQ(Json::parse(read_file(lock).value())["digits@champion"]["version"], 2);
}

TEST_F(PublishCommand, ALockIsKeptOrNothingIsPulled) {
    ASSERT_EQ(in_demo({"publish", "digits", model("a.tflite")}).exit_code, 0);
    const std::string lock = folder_ + "/skiff.lock", out = folder_ + "/got.tflite";
    const std::vector<std::string> locked = {"pull", "digits@champion", "-o", out, "--lock",
                                             lock,   "--locked"};
    refuse(in_demo(locked), 1,
           "there is no " + lock + " (make it: skiff pull digits@champion --lock " + lock + ")");
    ASSERT_EQ(in_demo({"pull", "digits@champion", "-o", out, "--lock", lock}).exit_code, 0);
    const std::string kept = read_file(lock).value();
    Json changed = Json::parse(kept);
    changed["digits@champion"]["sha256"] = std::string(64, '0');
    ASSERT_TRUE(write_file(lock, as_bytes(changed.dump())).ok());
    remove_file(out).value();
    refuse(in_demo(locked), 1, "has other bytes than it says");
    EXPECT_FALSE(file_exists(out));
    for (const char* broken : {"", "[]", "{\"digits@champion\": 1}"}) {
        ASSERT_TRUE(write_file(lock, as_bytes(broken)).ok());
        refuse(in_demo(locked), 1, lock);
        EXPECT_EQ(read_file(lock).value(), broken);
    }
    ASSERT_TRUE(write_file(lock, as_bytes(kept)).ok());
    EXPECT_EQ(in_demo(locked).exit_code, 0);
    EXPECT_EQ(read_file(lock).value(), kept);
}

TEST_F(PublishCommand, APullSaysWhichFilesItLeaves) {
    ASSERT_TRUE(write_file(folder_ + "/labels.txt", as_bytes("one\n")).ok());
    const std::string first = model("a.tflite"), out = folder_ + "/got.tflite";
    ASSERT_EQ(in_demo({"publish", "digits", first, "--with", folder_ + "/labels.txt"}).exit_code,
              0);
    const Finished alone = in_demo({"pull", "digits:1", "-o", out});
    EXPECT_EQ(alone.exit_code, 0);
    EXPECT_NE(alone.out.find(
                  "note: it has labels.txt too: skiff pull digits:1 -o FOLDER/ gets all of it\n"),
              std::string::npos)
        << alone.out;
    EXPECT_EQ(json_of({"pull", "digits:1", "-o", out})["files_left"], Json::array({"labels.txt"}));
    const std::string folder = folder_ + "/not/there/yet/";
    const Json all = json_of({"pull", "digits:1", "-o", folder});
    EXPECT_EQ(all["files"], Json::array({folder + "digits-1.tflite", folder + "labels.txt"}));
    EXPECT_EQ(all["files_left"], Json::array());
    EXPECT_EQ(read_file(folder + "labels.txt").value(), "one\n");
    // A file beside it that has its name.
    ASSERT_TRUE(write_file(folder_ + "/digits-2.tflite", as_bytes("other")).ok());
    ASSERT_EQ(
        in_demo({"publish", "digits", first, "--with", folder_ + "/digits-2.tflite"}).exit_code, 0);
    refuse(in_demo({"pull", "digits:2", "-o", folder}), 1, "cannot be put beside it");
    EXPECT_FALSE(file_exists(folder + "digits-2.tflite"));
}

TEST_F(PublishCommand, TheAuditDrivesNoTerminal) {
    const std::string line = R"({"when":"now","who":"\u001b[2Jann","version":9,"what":"publish",)"
                             R"("subject":"digits:1","why":"\u009b2J\u0007"})";
    ASSERT_TRUE(write_file(demo_ + "/audit.jsonl", as_bytes(line + "\n")).ok());
    for (const char* format : {"table", "csv"}) {
        const Finished shown = in_demo({"models", "audit", "-o", format});
        EXPECT_EQ(shown.exit_code, 0);
        EXPECT_NE(shown.out.find("\\x1b[2Jann"), std::string::npos) << shown.out;
        EXPECT_NE(shown.out.find("\\x9b2J\\x07"), std::string::npos) << shown.out;
        EXPECT_EQ(shown.out.find_first_of("\x1b\x07"), std::string::npos);
    }
}

TEST_F(PublishCommand, PullsABuildAndListsPlainNumbers) {
    const std::string npu = model("npu.tflite"), out = folder_ + "/got.tflite";
    const Finished published =
        in_demo({"publish", "digits", model("a.tflite"), "--build", "npu=" + npu});
    EXPECT_NE(published.out.find("keep safe: " + demo_ + "/keys/root.json"), std::string::npos);
    ASSERT_EQ(in_demo({"pull", "digits:1", "--build", "npu", "-o", out}).exit_code, 0);
    EXPECT_EQ(read_file(out).value(), read_file(npu).value());
    refuse(in_demo({"pull", "digits:1", "--build", "gpu", "-o", out}), 1, "(there is: npu)");
    const std::string bytes = std::to_string(read_file(npu).value().size());
    for (const char* shown : {"digits", "digits:1"})
        EXPECT_NE(in_demo({"models", "show", shown, "-o", "csv"}).out.find("," + bytes),
                  std::string::npos);
}

TEST_F(PublishCommand, AnotherHome) {
    ASSERT_EQ(in_demo({"publish", "digits", model("a.tflite")}).exit_code, 0);
    const std::string site = folder_ + "/site";
    const Finished dry =
        in_demo({"publish", "digits", model("b.tflite"), "--to", site, "--dry-run"});
    EXPECT_EQ(dry.exit_code, 0) << dry.err;
    EXPECT_NE(dry.out.find("would be published"), std::string::npos);
    EXPECT_FALSE(file_exists(site));
    refuse(in_demo({"publish", "digits", folder_ + "/absent.tflite", "--to", site}), 1, "absent");
    EXPECT_FALSE(file_exists(site));
    ASSERT_EQ(in_demo({"publish", "digits", model("b.tflite"), "--to", site}).exit_code, 0);
    EXPECT_EQ(Json::parse(read_file(demo_ + "/skiff.json").value())["home"]["folder"], site);
    EXPECT_EQ(json_of({"models", "show", "digits"})["versions"].size(), 2u);
    ASSERT_EQ(skiff({"init", folder_ + "/second"}).exit_code, 0);
    refuse(skiff({"publish", "digits", model("b.tflite"), "-C", folder_ + "/second", "--to", site}),
           1, "belongs to another project");
}

TEST_F(PublishCommand, MisusesInOneLine) {
    const std::string path = model("a.tflite");
    refuse(in_demo({"publish", "a/b", path}), 1, "is no model name");
    refuse(in_demo({"publish", "digits", path, "--tag", "x"}), 1, "NAME=VALUE");
    refuse(in_demo({"publish", "digits", path, "--require", "size"}), 1, "is no requirement");
    refuse(in_demo({"publish", "digits", path, "--require", "size<1B"}), 1, "does not hold");
    refuse(in_demo({"publish", "digits"}), 2, "FILE");
    refuse(in_demo({"models", "show", "letters"}), 1, "there is no model \"letters\"");
    refuse(in_demo({"models", "revoke", "digits@champion", "--why", "x"}), 1, "NAME:VERSION");
    refuse(in_demo({"rollout", "start", "digits:1", "--percent", "101"}), 2, "percent");
    refuse(in_demo({"publish", "digits", path, "--context", "nowhere"}), 4, "skiff login");
    refuse(skiff({"models", "-C", folder_}), 1, "(skiff init DIR makes one)");
    refuse(in_demo({"models", "alias", "digits", "best", "con:1"}), 1, "VERSION is a number: 1");
    refuse(in_demo({"rollout", "start", "digits:1", "--percent", "5", "--condition", "[]"}), 1,
           "is no object");
    refuse(in_demo({"publish", "digits", path, "--to", folder_, "--context", "x"}), 2, "--to");
    ASSERT_TRUE(write_file(demo_ + "/skiff.json", as_bytes(R"({"schema": 9})")).ok());
    refuse(in_demo({"models"}), 1, "update skiff");
}

TEST_F(PublishCommand, LoginKeepsTheTokenToItself) {
    const std::vector<std::string> login = {"login",   "http://127.0.0.1:1", "--project", "demo",
                                            "--token", "s3cret-token"};
    const Finished unreachable = skiff(login);
    EXPECT_EQ(unreachable.exit_code, 1);
    EXPECT_EQ((unreachable.out + unreachable.err).find("s3cret"), std::string::npos);
    EXPECT_FALSE(file_exists(folder_ + "/config/skiff/contexts.json"));
    refuse(skiff({"login", "ftp://x", "--project", "demo", "--token", "t"}), 1, "server's address");
    const Finished secret =
        skiff({"login", "http://u:sekret@127.0.0.1:1?sekret", "--project", "demo", "--token", "t"});
    refuse(secret, 1, "\"http://127.0.0.1:1\" is no server's address");
    EXPECT_EQ(secret.err.find("sekret"), std::string::npos);
    refuse(skiff({"login", "http://127.0.0.1:1", "--project", "demo"}), 1, "no token was given");
    refuse(skiff({"login", "http://127.0.0.1:1", "--project", "demo", "--token", "a\nb"}), 1,
           "the token has blanks");
    ASSERT_TRUE(make_folders(folder_ + "/config/skiff").ok());
    const std::string file = folder_ + "/config/skiff/contexts.json";
    ASSERT_TRUE(write_file_durably(file, as_bytes(R"({"schema": 1, "current": "prod", "contexts":
        {"prod": {"url": "http://127.0.0.1:1", "project": "demo", "token": "s3cret-token"}}})"),
                                   0600)
                    .ok());
    for (const char* format : {"table", "json", "csv"}) {
        const Finished listed = skiff({"context", "list", "-o", format});
        EXPECT_EQ(listed.exit_code, 0);
        EXPECT_NE(listed.out.find("prod"), std::string::npos);
        EXPECT_EQ((listed.out + listed.err).find("s3cret"), std::string::npos);
    }
    ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
    refuse(skiff({"context"}), 1, "chmod 600");
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    EXPECT_EQ(skiff({"context", "remove", "prod"}).exit_code, 0);
    EXPECT_EQ(read_file(file).value().find("s3cret"), std::string::npos);
    refuse(skiff({"context", "use", "prod"}), 4, "skiff login");
}

}  // namespace
}  // namespace skiff::cli::test
