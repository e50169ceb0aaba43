// The publish job: what a version becomes, and what is refused.
#include <nlohmann/json.hpp>
#include <thread>

#include "publish/audit.h"
#include "tests/publish/support.h"

namespace skiff::publish {
namespace {

using PublishJob = PublishTest;

TEST_F(PublishJob, FirstVersionBecomesTheDefault) {
    const auto published = publish({.model = "digits",
                                    .file = model_file("a"),
                                    .with = {file("labels.txt", "one\ntwo\n")},
                                    .builds = {{"npu", model_file("npu")}},
                                    .aliases = {"best"},
                                    .tags = {{"trained", "2026-11-20"}},
                                    .min_app = "3.2.0",
                                    .why = "the first"});
    ASSERT_EQ(message_of(published), "");
    EXPECT_EQ(published->version, 1u);
    EXPECT_TRUE(published->is_default);
    const ModelState model = read("digits");
    ASSERT_EQ(model.versions.size(), 1u);
    const VersionState& version = model.versions.at(1);
    EXPECT_EQ(version.path, "models/digits/1.tflite");
    EXPECT_EQ(version.sha256, published->sha256);
    EXPECT_TRUE(version.record.is_tflite);
    EXPECT_EQ(version.record.min_app, "3.2.0");
    EXPECT_EQ(version.record.min_runtime, 1);
    ASSERT_TRUE(version.record.smoke.has_value());
    EXPECT_EQ(version.record.smoke->digest.size(), 64u);
    ASSERT_EQ(version.record.files.size(), 1u);
    EXPECT_EQ(version.record.files[0].path, "models/digits/1.labels.txt");
    EXPECT_EQ(version.record.builds.at("npu"), "models/digits/1-npu.tflite");
    EXPECT_EQ(version.record.tags.at("trained"), "2026-11-20");
    EXPECT_EQ(model.default_version, 1u);
    EXPECT_EQ(model.aliases.at("best"), 1u);
    EXPECT_EQ(model.next_version, 2u);
    StagedTree tree(*home);
    const auto role = open_home(publisher(), tree).value().targets_role("models.digits").value();
    EXPECT_EQ(Json::parse(role.custom), (Json{{"next_version", 2}}));
    const auto audit = read_audit(project.audit_file()).value();
    ASSERT_EQ(audit.size(), 2u);  // init, publish
    EXPECT_EQ(audit[1].note.subject, "digits:1");
    EXPECT_EQ(audit[1].note.why, "the first");
    EXPECT_EQ(audit[1].who, "ann@here");
    EXPECT_EQ(audit[1].version, 2);
}

TEST_F(PublishJob, LaterVersionsWait) {
    publish_digits(2);
    const ModelState model = read("digits");
    EXPECT_EQ(model.versions.size(), 2u);
    EXPECT_EQ(model.default_version, 1u);
    ASSERT_TRUE(
        publish({.model = "digits", .file = model_file("c"), .aliases = {"champion"}}).ok());
    EXPECT_EQ(read("digits").default_version, 3u);
    EXPECT_EQ(read("digits").before, 1u);
}

TEST_F(PublishJob, TheBytesOfTheFileArriveWhole) {
    const std::string path = model_file("a");
    const auto published = publish("digits", path).value();
    StagedTree tree(*home);
    const auto repository = open_home(publisher(), tree).value();
    EXPECT_EQ(read_target(repository, tree, "models/digits/1.tflite").value(),
              read_file(path).value());
    EXPECT_FALSE(published.same_bytes_as.has_value());
    EXPECT_EQ(publish("digits", path).value().same_bytes_as, 1u);
}

TEST_F(PublishJob, DamagedOnDiskIsNoticed) {
    const auto published = publish("digits", model_file("a")).value();
    const std::string path =
        project.home().folder + "/targets/models/digits/" + published.sha256 + ".1.tflite";
    ASSERT_TRUE(write_file(path, as_bytes("other bytes")).ok());
    StagedTree tree(*home);
    const auto repository = open_home(publisher(), tree).value();
    EXPECT_EQ(code_of(read_target(repository, tree, "models/digits/1.tflite")),
              Code::hash_mismatch);
}

TEST_F(PublishJob, AnythingElseIsOpaque) {
    const auto published = publish("speech", file("speech.onnx", "not a flatbuffer"));
    ASSERT_EQ(message_of(published), "");
    const VersionState version = read("speech").versions.at(1);
    EXPECT_FALSE(version.record.is_tflite);
    EXPECT_EQ(version.path, "models/speech/1.onnx");
    EXPECT_EQ(version.record.io_signature, "");
    EXPECT_FALSE(version.record.smoke.has_value());
}

// What is refused leaves every file as it was.
class Refused : public PublishTest {
 protected:
    void refuse(const NewVersion& version, Code code, const std::string& part) {
        const auto before = files_below(scratch / "demo");
        const auto published = publish(version);
        EXPECT_EQ(code_of(published), code) << message_of(published);
        EXPECT_NE(message_of(published).find(part), std::string::npos) << message_of(published);
        EXPECT_EQ(message_of(published).find('\n'), std::string::npos);
        EXPECT_EQ(files_below(scratch / "demo"), before);
    }
};

TEST_F(Refused, Names) {
    const std::string path = model_file("a");
    refuse({.model = "a/b", .file = path}, Code::invalid_argument, "is no model name");
    refuse({.model = "../up", .file = path}, Code::invalid_argument, "is no model name");
    refuse({.model = "digits", .file = path, .builds = {{"n/p", path}}}, Code::invalid_argument,
           "device class");
    refuse({.model = "digits", .file = path, .with = {file("my labels.txt", "x")}},
           Code::invalid_argument, "my labels.txt\": a file's name may have");
}

TEST_F(Refused, FilesThatAreNoModel) {
    refuse({.model = "digits", .file = scratch / "absent.tflite"}, Code::not_found, "absent");
    refuse({.model = "digits", .file = file("a.tflite", "hello")}, Code::invalid_argument,
           "a.tflite");
    refuse({.model = "digits", .file = file("b.tflite", "")}, Code::invalid_argument, "is empty");
    std::string cut(as_text(doubling_model(4)));
    cut.resize(cut.size() / 2);
    refuse({.model = "digits", .file = file("c.tflite", cut)}, Code::invalid_argument, "c.tflite");
}

TEST_F(Refused, Requirements) {
    const std::string path = model_file("a");
    refuse({.model = "digits", .file = path, .require = {"size<=10B"}}, Code::failed_precondition,
           "size<=10B does not hold");
    refuse({.model = "digits", .file = path, .require = {"arena < 1"}}, Code::failed_precondition,
           "does not hold");
    refuse({.model = "digits", .file = path, .require = {"beauty>3"}}, Code::invalid_argument,
           "is no requirement");
    refuse({.model = "digits", .file = file("a.bin", "x"), .require = {"macs<1M"}},
           Code::failed_precondition, "only a .tflite file");
}

TEST_F(Refused, RequirementsSayUnitsAndFigures) {
    const std::string path = file("a.bin", std::string(12345, 'x'));
    refuse({.model = "digits", .file = path, .require = {"size<=10KB"}}, Code::invalid_argument,
           "\"size<=10KB\" is no requirement: the units of size are B, kB, MB, GB, KiB, MiB, GiB");
    refuse({.model = "digits", .file = path, .require = {"size<=10kB"}}, Code::failed_precondition,
           "size<=10kB does not hold: it is 12.35 kB");  // rounded as printf does
    refuse({.model = "digits", .file = path, .require = {"size<=12344"}}, Code::failed_precondition,
           "does not hold: it is 12345 B");
    refuse({.model = "digits",
            .file = file("b.bin", std::string(10'001, 'x')),
            .require = {"size<=10kB"}},
           Code::failed_precondition, "does not hold: it is 10.001 kB");
    refuse({.model = "digits", .file = model_file("a"), .require = {"macs>=1k"}},
           Code::failed_precondition, "k multiply-adds");
    const auto slow =
        publish({.model = "digits", .file = model_file("a"), .require = {"latency<0us"}});
    EXPECT_TRUE(message_of(slow).ends_with(" us")) << message_of(slow);
}

TEST_F(Refused, AppVersions) {
    for (const char* text : {"foo", "3.x", "3.", ".3", "3..1", "v3", "3.2-", "3.2 ", "3.2-a b"})
        refuse({.model = "digits", .file = model_file("a"), .min_app = text},
               Code::invalid_argument, ": write a version like 3.2.0");
    for (const char* text : {"3", "3.2.0", "3.2.0-beta.1"})
        EXPECT_TRUE(publish({.model = "digits", .file = model_file("a"), .min_app = text}).ok());
}

TEST_F(Refused, WordsThatDriveTerminals) {
    const std::string path = model_file("a");
    for (const char* text : {"\x1b[31mred", "two\nlines", "\x7f",
                             "\xc2\x9b"
                             "31m",
                             "\x9b"
                             "31m"}) {
        refuse({.model = "digits", .file = path, .why = text}, Code::invalid_argument, "--why: ");
        refuse({.model = "digits", .file = path, .tags = {{"note", text}}}, Code::invalid_argument,
               "--tag: ");
    }
    EXPECT_TRUE(publish({.model = "digits", .file = path, .why = "f\u00fcr alle"}).ok());
    EXPECT_EQ(code_of(revoke_version(1, "\x1b[2J")), Code::invalid_argument);
    const auto noted = change(
        publisher(),
        [](trust::Repository& repository, StagedTree& tree) -> Result<std::vector<AuditNote>> {
            ModelState model = TRY(read_model(repository, tree, "digits"));
            TRY(set_alias(repository, tree, model, "best", 1));
            return std::vector<AuditNote>{{"alias", "digits@best", "\x1b[2J"}};
        });
    EXPECT_EQ(code_of(noted), Code::invalid_argument);
}

TEST_F(Refused, RuntimeGate) {
    refuse({.model = "digits", .file = model_file("a"), .min_runtime = 2}, Code::incompatible,
           "--min-runtime 2");
}

TEST_F(Refused, AnotherSignature) {
    publish_digits(1);
    const std::string other = model_file("other", 8);
    refuse({.model = "digits", .file = other}, Code::incompatible, "--new-signature");
    refuse({.model = "digits", .file = model_file("a"), .builds = {{"npu", other}}},
           Code::incompatible, "other inputs or outputs");
    EXPECT_TRUE(publish({.model = "digits", .file = other, .new_signature = true}).ok());
}

TEST_F(Refused, AnotherFormat) {
    publish_digits(1);
    const std::string opaque = file("a.bin", "opaque"), other = model_file("other", 8);
    refuse({.model = "digits", .file = opaque}, Code::incompatible,
           "is opaque, and digits:1 is .tflite");
    refuse({.model = "digits", .file = model_file("a"), .builds = {{"npu", opaque}}},
           Code::incompatible, "a.bin is opaque");
    ASSERT_TRUE(publish({.model = "digits",
                         .file = model_file("a"),
                         .builds = {{"npu", opaque}},
                         .new_signature = true})
                    .ok());
    ASSERT_TRUE(publish({.model = "digits", .file = opaque, .new_signature = true}).ok());
    refuse({.model = "digits", .file = model_file("b")}, Code::incompatible,
           "is a .tflite file, and digits:3 is not");
    ASSERT_TRUE(alias("champion", 3).ok());
    // Its predecessors are opaque, but digits:2 is still what apps of .tflite files know.
    EXPECT_TRUE(publish("digits", opaque).ok());
    refuse({.model = "digits", .file = other}, Code::incompatible, "--new-signature");
}

TEST_F(Refused, AnotherSignatureThanTheDefault) {
    publish_digits(1);
    const std::string other = model_file("other", 8);
    ASSERT_TRUE(publish({.model = "digits", .file = other, .new_signature = true}).ok());
    refuse({.model = "digits", .file = model_file("again", 8)}, Code::incompatible,
           "other inputs or outputs than digits:1");
    ASSERT_TRUE(alias("champion", 2).ok());
    EXPECT_TRUE(publish("digits", model_file("again", 8)).ok());
    // An opaque version goes in between; the signature of digits:3 still counts.
    ASSERT_TRUE(
        publish({.model = "digits", .file = file("a.bin", "x"), .new_signature = true}).ok());
    ASSERT_TRUE(revoke_version(4).ok());
    refuse({.model = "digits", .file = model_file("four")}, Code::incompatible,
           "other inputs or outputs than digits:3");
}

TEST_F(Refused, TwoFilesOfOneName) {
    const auto published = publish({.model = "digits",
                                    .file = model_file("a"),
                                    .with = {file("x.txt", "1"), file("x.txt", "1")}});
    EXPECT_EQ(code_of(published), Code::invalid_argument);
    EXPECT_EQ(home->version().value(), 1);
}

TEST_F(PublishJob, FullDisk) {
    publish_digits(1);
    const auto before = files_below(scratch / "demo");
    TrickyHome full(*home);
    full.disk_full = true;
    const auto published =
        publish_version(publisher(full), {.model = "digits", .file = model_file("b")},
                        [](int, int, const std::string&) {});
    EXPECT_EQ(code_of(published), Code::not_enough_space);
    EXPECT_EQ(files_below(scratch / "demo"), before);
}

TEST_F(PublishJob, NumbersAreNeverGivenAgain) {
    publish_digits(2);
    ASSERT_TRUE(revoke_version(2, "wrong labels").ok());
    EXPECT_EQ(read("digits").revoked.at(2), "wrong labels");
    EXPECT_EQ(publish("digits", model_file("c")).value().version, 3u);
}

TEST_F(PublishJob, TwoAtOnceBothSucceed) {
    publish_digits(1);
    TrickyHome slow(*home);
    int others = 0;
    slow.before_take = [&] {
        if (others++ == 0) {
            ASSERT_TRUE(publish("digits", model_file("other")).ok());
        }
    };
    const auto published =
        publish_version(publisher(slow), {.model = "digits", .file = model_file("mine")},
                        [](int, int, const std::string&) {});
    ASSERT_EQ(message_of(published), "");
    EXPECT_EQ(published->version, 3u);
    EXPECT_EQ(read("digits").versions.size(), 3u);
}

TEST_F(PublishJob, TwoAtOnceIntoANewHomeBothSucceed) {
    publish_digits(1);
    const auto site = folder_home(scratch / "site", "", "ann@here");
    TrickyHome slow(*site);
    const auto publish_to = [&](Home& at, const std::string& name) {
        Publisher there = publisher(at);
        there.twin = home.get();
        return publish_version(there, {.model = "digits", .file = model_file(name)},
                               [](int, int, const std::string&) {});
    };
    int others = 0;
    slow.before_take = [&] {
        if (others++ == 0) {
            ASSERT_EQ(message_of(publish_to(*site, "other")), "");
        }
    };
    const auto published = publish_to(slow, "mine");
    ASSERT_EQ(message_of(published), "");
    EXPECT_EQ(published->version, 3u);
    EXPECT_EQ(read(*site, "digits").versions.size(), 3u);
}

TEST_F(PublishJob, AnAnswerThatWasLostIsNoFailure) {
    publish_digits(1);
    TrickyHome deaf(*home);
    deaf.answer_lost = true;
    const auto publish_there = [&](const std::string& name) {
        return publish_version(publisher(deaf), {.model = "digits", .file = model_file(name)},
                               [](int, int, const std::string&) {});
    };
    const auto published = publish_there("mine");
    ASSERT_EQ(message_of(published), "");
    EXPECT_EQ(published->version, 2u);
    EXPECT_EQ(read("digits").versions.size(), 2u);
    // Somebody else's change is not ours.
    deaf.before_take = [&] { ASSERT_TRUE(alias("best", 1).ok()); };
    EXPECT_EQ(message_of(publish_there("second")), "no answer came");
    EXPECT_EQ(read("digits").versions.size(), 2u);
}

TEST_F(PublishJob, TriesAgainUntilItsTimeIsOver) {
    publish_digits(1);
    TrickyHome slow(*home);
    int others = 0, most = 6;
    slow.before_take = [&] {
        if (others == most) return;
        ++others;
        ASSERT_TRUE(alias("best" + std::to_string(others), 1).ok());
    };
    const NewVersion mine = {.model = "digits", .file = model_file("mine")};
    const auto no_steps = [](int, int, const std::string&) {};
    const auto published = publish_version(publisher(slow), mine, no_steps);
    ASSERT_EQ(message_of(published), "");
    EXPECT_EQ(others, most);
    most = 1'000'000;
    Publisher hurried = publisher(slow);
    hurried.patience = std::chrono::milliseconds(200);
    EXPECT_EQ(code_of(publish_version(hurried, mine, no_steps)), Code::aborted);
}

// Like a server's, this home has no queue.
TEST_F(PublishJob, SixAtOnceAllSucceed) {
    publish_digits(1);
    std::vector<std::string> problems(6);
    std::vector<std::thread> publishers;
    for (std::size_t i = 0; i < problems.size(); ++i)
        publishers.emplace_back([&, i, path = model_file("at_once" + std::to_string(i))] {
            const auto own = open_home_again();
            TrickyHome no_queue(*own);
            problems[i] =
                message_of(publish_version(publisher(no_queue), {.model = "digits", .file = path},
                                           [](int, int, const std::string&) {}));
        });
    for (std::thread& one : publishers) one.join();
    EXPECT_EQ(problems, std::vector<std::string>(6));
    EXPECT_EQ(read("digits").versions.size(), 7u);
}

TEST_F(PublishJob, KnowsTheBytesOfRevokedVersions) {
    publish_digits(1);
    const std::string path = model_file("again");
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(publish("digits", path).value().warnings.empty());
    Revoked revoked;
    ASSERT_TRUE(edit("digits", [&](auto& repository, auto& tree, auto& model) -> Status {
                    revoked = TRY(revoke(repository, tree, model, 3, "wrong labels"));
                    return {};
                }).ok());
    EXPECT_EQ(revoked.same_bytes, std::vector<std::uint32_t>{2});
    EXPECT_EQ(
        publish("digits", path).value().warnings,
        std::vector<std::string>{"the same bytes as digits:3, which was revoked: wrong labels"});
    EXPECT_TRUE(publish("digits", model_file("other")).value().warnings.empty());
}

TEST_F(PublishJob, DryRunLeavesNothing) {
    publish_digits(1);
    const auto before = files_below(scratch / "demo");
    const auto dry = dry_home(*home);
    const auto published =
        publish_version(publisher(*dry), {.model = "digits", .file = model_file("b")},
                        [](int, int, const std::string&) {});
    ASSERT_EQ(message_of(published), "");
    EXPECT_EQ(published->version, 2u);
    EXPECT_EQ(files_below(scratch / "demo"), before);
}

}  // namespace
}  // namespace skiff::publish
