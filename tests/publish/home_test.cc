// Projects and homes: folders, two of them, what a server checks.
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "publish/audit.h"
#include "publish/requirement.h"
#include "tests/publish/support.h"

namespace skiff::publish {
namespace {

using Homes = PublishTest;

TEST_F(Homes, ProjectIsFoundFromBelow) {
    ASSERT_TRUE(make_folders(scratch / "demo/a/b").ok());
    const auto found = Project::open(scratch / "demo/a/b");
    ASSERT_EQ(message_of(found), "");
    EXPECT_EQ(found->name(), "demo");
    EXPECT_EQ(found->root(), home->read("metadata/1.root.json").value());
    EXPECT_EQ(code_of(Project::open(scratch / "")), Code::not_found);
    EXPECT_EQ(code_of(Project::open(scratch / "nowhere")), Code::not_found);
}

TEST_F(Homes, NewerProjectIsRefused) {
    file("demo/skiff.json", R"({"schema": 2, "name": "demo", "home": {"folder": "tree"}})");
    const auto opened = Project::open(scratch / "demo");
    EXPECT_EQ(code_of(opened), Code::incompatible);
    EXPECT_NE(message_of(opened).find("update skiff"), std::string::npos);
}

TEST_F(Homes, WhatAKilledPublisherLeftGoesAway) {
    const std::string tree = scratch / "demo/tree/";
    ASSERT_TRUE(make_folders(tree + "targets/models/digits").ok());
    const std::string old[] = {"metadata/2.models.json.tmp4711-0",
                               "targets/models/digits/ab.1.tflite.tmp12-345"};
    const std::string fresh = "metadata/2.models.json.tmp4712-0",
                      other = "targets/models/digits/ab.1.tmp";
    for (const std::string& name : {old[0], old[1], fresh, other}) file("demo/tree/" + name, "x");
    for (const std::string& name : {old[0], old[1], other})
        std::filesystem::last_write_time(
            tree + name, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
    publish_digits(1);
    EXPECT_FALSE(file_exists(tree + old[0]));
    EXPECT_FALSE(file_exists(tree + old[1]));
    EXPECT_TRUE(file_exists(tree + fresh));  // somebody may be at it
    EXPECT_TRUE(file_exists(tree + other));  // a file that is called so
    EXPECT_FALSE(
        home->put_target(target_file("models/digits/1.tmp1-2", std::string(64, 'a')), as_bytes("x"))
            .ok());
}

TEST_F(Homes, InitNeverTouchesWhatIsThere) {
    const auto before = files_below(scratch / "demo");
    EXPECT_EQ(code_of(Project::init(scratch / "demo", "x", start_s, "ann")), Code::already_exists);
    EXPECT_EQ(files_below(scratch / "demo"), before);
    ASSERT_TRUE(make_folders(scratch / "other/keys").ok());
    const auto broken_off = Project::init(scratch / "other", "x", start_s, "ann");
    EXPECT_EQ(code_of(broken_off), Code::already_exists);
    EXPECT_NE(message_of(broken_off).find("if an init was broken off here"), std::string::npos);
    EXPECT_EQ(code_of(Project::init(scratch / "third", "a/b", start_s, "ann")),
              Code::invalid_argument);
    EXPECT_TRUE(files_below(scratch / "third").empty());
}

TEST_F(Homes, KeysSayWhichShouldLeave) {
    auto files = project.key_files().value();
    ASSERT_EQ(files.size(), 4u);
    EXPECT_TRUE(files[0].should_leave && files[1].should_leave);
    EXPECT_FALSE(files[2].should_leave || files[3].should_leave);
    const std::string root_keyid = files[0].keyid;
    EXPECT_EQ(root_keyid.size(), 64u);
    std::filesystem::remove(scratch / "demo/keys/root.json");
    files = project.key_files().value();
    EXPECT_FALSE(files[0].should_leave);
    EXPECT_FALSE(files[0].here);
    EXPECT_EQ(files[0].keyid, root_keyid);  // as root.json says
}

TEST_F(Homes, OfflineKeysAreNotNeededToPublish) {
    std::filesystem::remove(scratch / "demo/keys/root.json");
    std::filesystem::remove(scratch / "demo/keys/targets.json");
    keys = project.keys().value();
    publish_digits(2);
    std::filesystem::remove(scratch / "demo/keys/models.json");
    keys = project.keys().value();
    const auto published = publish("digits", model_file("c"));
    EXPECT_EQ(code_of(published), Code::failed_precondition);
    EXPECT_NE(message_of(published).find("keys/models.json"), std::string::npos);
    EXPECT_TRUE(advance(2, 10).ok());  // needs the online key only
}

TEST_F(Homes, WhatIsDueIsSignedAgain) {
    publish_digits(1);
    now_s += 12 * day_s;
    const auto changed = sign_what_is_due(publisher()).value();
    EXPECT_EQ(std::count(changed.resigned.begin(), changed.resigned.end(), "timestamp"), 1);
    EXPECT_EQ(std::count(changed.resigned.begin(), changed.resigned.end(), "models"), 0);
    EXPECT_TRUE(changed.warnings.empty());
    EXPECT_EQ(sign_what_is_due(publisher()).value().version, changed.version);
}

TEST_F(Homes, WarnsSixtyDaysAhead) {
    std::filesystem::remove(scratch / "demo/keys/targets.json");
    keys = project.keys().value();
    now_s += 300 * day_s;
    const auto due = sign_what_is_due(publisher()).value();
    EXPECT_TRUE(due.warnings.empty());
    EXPECT_EQ(
        due.not_signed,
        (std::vector<std::string>{"targets.json, until 2028-01-15, needs keys/targets.json"}));
    now_s += 10 * day_s;
    const auto warnings = sign_what_is_due(publisher()).value().warnings;
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings[0],
              "targets.json expires 2028-01-15 (run: skiff sign, with keys/targets.json)");
}

TEST_F(Homes, AnotherFolderGetsEverything) {
    publish_digits(2);
    const auto other = folder_home(scratch / "copy", "", "ann@here");
    Publisher to_other = publisher(*other);
    to_other.twin = home.get();
    const auto published = publish_version(to_other, {.model = "digits", .file = model_file("c")},
                                           [](int, int, const std::string&) {});
    ASSERT_EQ(message_of(published), "");
    EXPECT_EQ(read(*other, "digits").versions.size(), 3u);
    EXPECT_EQ(read("digits").versions.size(), 2u);
    // And back: the first one was behind.
    ASSERT_TRUE(bring_to_one_state(publisher(), *other).ok());
    EXPECT_EQ(read("digits").versions.size(), 3u);
    EXPECT_EQ(home->read("metadata/timestamp.json").value(),
              other->read("metadata/timestamp.json").value());
    ASSERT_TRUE(bring_to_one_state(publisher(), *other).ok());
}

TEST_F(Homes, PublishedToSeparatelyIsRefused) {
    publish_digits(1);
    const auto other = folder_home(scratch / "copy", "", "ann@here");
    ASSERT_TRUE(bring_to_one_state(publisher(), *other).ok());
    publish_digits(1);
    const Publisher elsewhere = publisher(*other);
    const auto add = [&](const std::string& name) {
        return publish_version(elsewhere, {.model = "digits", .file = model_file(name)},
                               [](int, int, const std::string&) {});
    };
    ASSERT_TRUE(add("x").ok());
    const auto before = files_below(scratch / "");
    EXPECT_EQ(code_of(bring_to_one_state(publisher(), *other)), Code::failed_precondition);
    EXPECT_EQ(files_below(scratch / ""), before);
    ASSERT_TRUE(add("y").ok());
    EXPECT_EQ(code_of(bring_to_one_state(publisher(), *other)), Code::failed_precondition);
}

TEST_F(Homes, AnotherProjectIsRefused) {
    const Project other = Project::init(scratch / "other", "", start_s, "bob@there").value();
    EXPECT_EQ(other.name(), "other");
    const auto its = folder_home(other.home().folder, "", "ann@here");
    const auto before = files_below(scratch / "other");
    Publisher wrong = publisher(*its);
    EXPECT_EQ(code_of(sign_what_is_due(wrong)), Code::failed_precondition);
    wrong.twin = home.get();
    const auto changed = sign_what_is_due(wrong);
    EXPECT_EQ(code_of(changed), Code::failed_precondition);
    EXPECT_NE(message_of(changed).find("another project"), std::string::npos);
    EXPECT_EQ(files_below(scratch / "other"), before);
}

TEST_F(Homes, SetHomeIsRemembered) {
    ASSERT_TRUE(make_folders(scratch / "demo/site").ok());
    ASSERT_TRUE(project.set_home({scratch / "demo/site", ""}).ok());
    EXPECT_EQ(Json::parse(read_file(scratch / "demo/skiff.json").value())["home"],
              (Json{{"folder", "site"}}));
    ASSERT_TRUE(project.set_home({"", "prod"}).ok());
    EXPECT_EQ(Project::open(scratch / "demo").value().home(), (HomePlace{"", "prod"}));
}

TEST_F(Homes, TwoProcessesPublishAtOnce) {
    publish_digits(1);
    constexpr int each = 6;
    std::vector<std::string> files;
    for (int i = 0; i < 2 * each; ++i) files.push_back(model_file("m" + std::to_string(i)));
    std::vector<pid_t> children;
    for (int child = 0; child < 2; ++child) {
        const pid_t pid = fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            int failed = 0;
            for (int i = 0; i < each; ++i)
                failed +=
                    !publish("digits", files[static_cast<std::size_t>(child * each + i)]).ok();
            _exit(failed);
        }
        children.push_back(pid);
    }
    for (const pid_t pid : children) {
        int status = 0;
        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
    const ModelState model = read("digits");
    EXPECT_EQ(model.versions.size(), 1u + 2 * each);
    EXPECT_EQ(model.next_version, 2u + 2 * each);
    EXPECT_EQ(read_audit(project.audit_file()).value().size(), 2u + 2 * each);
}

TEST_F(Homes, TakeFailsWhole) {
    publish_digits(1);
    const auto before = files_below(scratch / "demo");
    Publication publication{2, {{"metadata/9.models.x.json", "{}"}, {"metadata/no/such.json", ""}}};
    publication.files.push_back({"metadata/timestamp.json", "not a timestamp"});
    publication.audit.push_back({"publish", "x:1", ""});
    EXPECT_FALSE(home->take(publication).ok());
    EXPECT_EQ(files_below(scratch / "demo"), before);
    publication.base = 1;
    EXPECT_EQ(code_of(home->take(publication)), Code::aborted);
    publication.files[0].path = "metadata/../../evil";
    EXPECT_EQ(code_of(home->take(publication)), Code::invalid_argument);
    EXPECT_EQ(code_of(home->read("targets/../../skiff.json")), Code::invalid_argument);
}

TEST_F(Homes, TargetsAreWhatTheyAreCalled) {
    const std::string hash(64, 'a');
    const auto put = [&](const std::string& path) {
        return code_of(home->put_target(path, as_bytes("bytes")));
    };
    EXPECT_EQ(put("targets/models/digits/" + hash + ".1.tflite"), Code::hash_mismatch);
    EXPECT_EQ(put("targets/models/digits/1.tflite"), Code::invalid_argument);
    EXPECT_EQ(put("targets/models/../" + hash + ".1.tflite"), Code::invalid_argument);
    EXPECT_EQ(put("metadata/" + hash + ".1.tflite"), Code::invalid_argument);
    EXPECT_EQ(put("targets/elsewhere/" + hash + ".1.tflite"), Code::invalid_argument);
}

TEST_F(Homes, AuditSurvivesACutLine) {
    const std::string path = scratch / "audit.jsonl";
    const AuditEntry entry{
        "2026-11-28T12:00:00Z", "ann", 3, {"publish", "digits:1", "a \"why\"\n"}};
    ASSERT_TRUE(append_audit(path, {entry}).ok());
    std::string text = read_file(path).value();
    ASSERT_TRUE(write_file(path, as_bytes(text + R"({"when": "2026-)")).ok());
    ASSERT_TRUE(append_audit(path, {entry, entry}).ok());
    const auto entries = read_audit(path).value();
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries[2].note.why, entry.note.why);
    EXPECT_EQ(entries[2].version, 3);
}

TEST(Requirements, AreReadAsWritten) {
    const Figures figures{.size_bytes = 10'000'000, .arena_bytes = 1024, .latency_ns = 5'000'000};
    const auto holds = [&](const char* text) {
        return check_requirement(parse_requirement(text).value(), figures).ok();
    };
    EXPECT_TRUE(holds("size<=10MB") && !holds("size<10MB") && holds("size >= 10 MB"));
    EXPECT_TRUE(holds("size<=9.6MiB") && !holds("size>10MB") && holds("size<10000001"));
    EXPECT_TRUE(holds("arena<=1KiB") && !holds("arena<=1kB"));
    EXPECT_TRUE(holds("latency<=5ms") && !holds("latency<5000us") && holds("latency<1s"));
    EXPECT_FALSE(holds("macs<1G"));  // not known
    for (const char* text : {"", "size", "size=3", "size<", "size<x", "size<3XB", "latency<3",
                             "size<-1", "size<nan", "weight<3"})
        EXPECT_EQ(code_of(parse_requirement(text)), Code::invalid_argument) << text;
}

}  // namespace
}  // namespace skiff::publish
