// What a server takes, and what it refuses.
#include <nlohmann/json.hpp>

#include "tests/publish/support.h"

namespace skiff::publish {
namespace {

// Catches the publication that a publisher hands over.
class CatchingHome final : public Home {
 public:
    explicit CatchingHome(Home& home) : home_(home) {}
    Publication caught;

    std::string describe() const override { return home_.describe(); }
    Result<std::int64_t> version() override { return home_.version(); }
    Result<std::string> read(const std::string& path) override { return home_.read(path); }
    Result<bool> exists(const std::string& path) override { return home_.exists(path); }
    Status put_target(const std::string& path, Bytes bytes) override {
        return home_.put_target(path, bytes);
    }
    Status take(const Publication& publication) override {
        caught = publication;
        return {};
    }

 private:
    Home& home_;
};

class Verify : public PublishTest {
 protected:
    void SetUp() override { publish_digits(1); }

    Publication next() {
        CatchingHome catching(*home);
        const auto published =
            publish_version(publisher(catching), {.model = "digits", .file = model_file("next")},
                            [](int, int, const std::string&) {});
        EXPECT_EQ(message_of(published), "");
        return catching.caught;
    }
    static MetadataFile& file_of(Publication& publication, const std::string& part) {
        for (MetadataFile& file : publication.files)
            if (file.path.find(part) != std::string::npos) return file;
        std::abort();
    }
    void refuse(const Publication& publication, Code code) {
        const Status verified = verify_publication(*home, publication);
        EXPECT_EQ(code_of(verified), code) << message_of(verified);
    }
};

TEST_F(Verify, TakesWhatAPublisherMakes) {
    const Publication publication = next();
    ASSERT_EQ(message_of(verify_publication(*home, publication)), "");
    ASSERT_TRUE(home->take(publication).ok());
    EXPECT_EQ(read("digits").versions.size(), 2u);
    refuse(publication, Code::aborted);  // the same again
}

TEST_F(Verify, TakesTheFirst) {
    const auto empty = folder_home(scratch / "server", "", "");
    CatchingHome catching(*empty);
    ASSERT_TRUE(bring_to_one_state(publisher(), catching).ok());
    EXPECT_EQ(message_of(verify_publication(*empty, catching.caught)), "");
    catching.caught.base = 1;
    EXPECT_EQ(code_of(verify_publication(*empty, catching.caught)), Code::aborted);
}

TEST_F(Verify, TakesAHomeThatWasBehind) {
    const auto other = folder_home(scratch / "server", "", "");
    ASSERT_TRUE(bring_to_one_state(publisher(), *other).ok());
    publish_digits(3);
    CatchingHome catching(*other);
    ASSERT_TRUE(bring_to_one_state(publisher(), catching).ok());
    EXPECT_EQ(message_of(verify_publication(*other, catching.caught)), "");
}

TEST_F(Verify, EveryChangedByteIsRefused) {
    const Publication good = next();
    for (std::size_t i = 0; i < good.files.size(); ++i) {
        Publication bad = good;
        std::string& text = bad.files[i].bytes;
        const std::size_t at = text.find("\"expires\":\"20") + 13;
        text[at] = text[at] == '9' ? '8' : '9';
        const Status verified = verify_publication(*home, bad);
        EXPECT_EQ(code_of(verified), Code::bad_signature) << bad.files[i].path;
    }
}

TEST_F(Verify, EveryMissingFileIsRefused) {
    const Publication good = next();
    for (std::size_t i = 0; i < good.files.size(); ++i) {
        Publication bad = good;
        bad.files.erase(bad.files.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(verify_publication(*home, bad).ok()) << good.files[i].path;
    }
}

TEST_F(Verify, FilesThatNothingNames) {
    Publication bad = next();
    bad.files.insert(bad.files.begin(), {"metadata/77.models.digits.json", "{}"});
    refuse(bad, Code::invalid_argument);
    bad.files[0].path = "metadata/../../../etc/passwd";
    refuse(bad, Code::invalid_argument);
    bad.files[0] = {"metadata/1.root.json", home->read("metadata/1.root.json").value() + " "};
    refuse(bad, Code::invalid_argument);
    bad.files[0] = bad.files[1];  // twice
    refuse(bad, Code::invalid_argument);
}

// A publication that was cut off after its root can be repeated.
TEST_F(Verify, ARootThatIsThereAsItIsMayComeAgain) {
    Publication again = next();
    again.files.insert(again.files.begin(),
                       {"metadata/1.root.json", home->read("metadata/1.root.json").value()});
    EXPECT_TRUE(verify_publication(*home, again).ok());
}

TEST_F(Verify, AnotherRootIsRefused) {
    const Project other = Project::init(scratch / "other", "", start_s, "bob").value();
    const auto its = folder_home(other.home().folder, "", "bob");
    Publication bad{home->version().value(), {}};
    for (const auto& entry : std::filesystem::directory_iterator(scratch / "other/tree/metadata"))
        if (entry.path().extension() == ".json")
            bad.files.push_back({"metadata/" + entry.path().filename().string(),
                                 read_file(entry.path().string()).value()});
    EXPECT_FALSE(verify_publication(*home, bad).ok());
}

TEST_F(Verify, AbsentTargetIsRefused) {
    const Publication publication = next();
    for (const auto& [path, bytes] : files_below(project.home().folder + "/targets/models"))
        if (path.ends_with(".2.tflite")) std::filesystem::remove(path);
    refuse(publication, Code::failed_precondition);
}

TEST_F(Verify, NothingGoesBack) {
    const std::string old = home->read("metadata/timestamp.json").value();
    publish_digits(1);
    refuse({home->version().value(), {{"metadata/timestamp.json", old}}}, Code::invalid_argument);
    // Signed by the real keys, and yet: a model's role that is older than the one of now.
    StagedTree tree(*home);
    auto repository = open_home(publisher(), tree).value();
    Json body = Json::parse(home->read("metadata/3.snapshot.json").value())["signed"];
    body["version"] = 4;
    body["meta"]["models.digits.json"]["version"] = 1;
    Json stamp = Json::parse(home->read("metadata/timestamp.json").value())["signed"];
    stamp["version"] = home->version().value() + 1;
    stamp["meta"]["snapshot.json"]["version"] = 4;
    const auto sign = [&](const Json& part) {
        std::string text = Json({{"signatures", Json::array()}, {"signed", part}}).dump();
        const auto online = trust::FileSigner::load(scratch / "demo/keys/online.json").value();
        return trust::sign_file(text, *online).value();
    };
    refuse({home->version().value(),
            {{"metadata/4.snapshot.json", sign(body)}, {"metadata/timestamp.json", sign(stamp)}}},
           Code::invalid_argument);
    body["meta"].erase("models.digits.json");
    EXPECT_FALSE(verify_publication(*home, {home->version().value(),
                                            {{"metadata/4.snapshot.json", sign(body)},
                                             {"metadata/timestamp.json", sign(stamp)}}})
                     .ok());
}

TEST_F(Verify, NewKeysOfTheOnlineRoles) {
    const auto fresh = trust::FileSigner::generate();
    const auto rotate = [&](trust::Repository& repository) -> Status {
        for (const char* role : {"snapshot", "timestamp", "rulesets", "deltas"})
            TRY(repository.set_keys(role, {{fresh->public_key()}, 1}));
        return {};
    };
    trust::Signers all = keys.signers();
    all.push_back(fresh.get());
    Publisher rotating = publisher();
    CatchingHome catching(*home);
    Publisher caught{catching, project.root(), project.name(), all, now_s};
    const auto changed = change(
        caught, [&](trust::Repository& repository, StagedTree&) -> Result<std::vector<AuditNote>> {
            TRY(rotate(repository));
            return std::vector<AuditNote>{{"keys", "online", ""}};
        });
    ASSERT_EQ(message_of(changed), "");
    EXPECT_EQ(message_of(verify_publication(*home, catching.caught)), "");
    // Without the timestamp's new signature it is a publication that stopped half way.
    Publication bad = catching.caught;
    Json stamp = Json::parse(file_of(bad, "timestamp").bytes);
    Json& signatures = stamp["signatures"];
    for (std::size_t i = signatures.size(); i-- > 0;)
        if (signatures[i]["keyid"] == fresh->keyid()) signatures.erase(i);
    file_of(bad, "timestamp").bytes = stamp.dump();
    refuse(bad, Code::bad_signature);
}

}  // namespace
}  // namespace skiff::publish
