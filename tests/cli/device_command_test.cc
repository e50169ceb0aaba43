// `skiff device`: the program over a store, with signed trees on disk.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/hex.h"
#include "tests/api/signed_tree.h"
#include "tests/cli/program.h"

namespace skiff::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::Finished;
using test::run_skiff;

const std::string digits = "examples/digits/";

// The program in the background, all its output in a file.
class Background {
 public:
    Background(std::vector<std::string> words, std::string out) : out_(std::move(out)) {
        words.insert(words.begin(), test::build_folder() + "/skiff");
        std::fflush(nullptr);  // or the child writes it once more
        pid_ = fork();
        if (pid_ != 0) return;
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        if (!std::freopen(out_.c_str(), "w", stdout)) _exit(126);
        dup2(STDOUT_FILENO, STDERR_FILENO);
        execv(argv[0], argv.data());
        _exit(127);
    }
    ~Background() {
        if (pid_ > 0) (void)end(SIGKILL);
    }
    // Its exit status, 128 + signal when it died.
    int end(int signal) {
        int status = 0;
        if (signal) kill(pid_, signal);
        waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    std::string out() const { return read_file(out_).value(); }
    bool says(const std::string& text) const {
        for (int i = 0; i < 1000; ++i) {
            if (file_exists(out_) && out().find(text) != std::string::npos) return true;
            std::this_thread::sleep_for(20ms);
        }
        return false;
    }

 private:
    std::string out_;
    pid_t pid_ = -1;
};

class DeviceCommand : public testing::Test {
 protected:
    DeviceCommand()
        : folder_(test::scratch_folder() + "/" +
                  testing::UnitTest::GetInstance()->current_test_info()->name()),
          tree_(folder_ + "/tree") {
        tree_.publish("digits", 1, digits + "digits_v1_int8.tflite");
    }
    ~DeviceCommand() override { std::filesystem::remove_all(folder_); }

    // `skiff device VERB` with what every verb needs, then the rest.
    std::vector<std::string> words(const std::string& verb, std::vector<std::string> rest) const {
        std::vector<std::string> all = {"device",          verb,      "--data",
                                        folder_ + "/data", "--model", "digits"};
        if (verb != "run")
            for (const std::string& word :
                 {std::string("--url"), tree_.url(), std::string("--root"), tree_.root_path()})
                all.push_back(word);
        all.insert(all.end(), rest.begin(), rest.end());
        return all;
    }
    Finished device(const std::string& verb, std::vector<std::string> rest = {}) const {
        return run_skiff(words(verb, std::move(rest)));
    }
    std::string label(std::vector<std::string> rest = {}) const {
        for (const char* word : {"--image", "examples/digits/images/7.png", "--json"})
            rest.push_back(word);
        const Finished run = device("run", rest);
        if (run.exit_code != 0) return run.err;
        const json out = json::parse(run.out);
        EXPECT_EQ(out["labels"][0]["label"], "seven");
        return out["version"].get<std::string>() + " " + out["source"].get<std::string>();
    }

    std::string folder_;
    skiff::test::SignedTree tree_;
};

void expect_error(const Finished& finished, int exit_code, const std::string& part) {
    EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
    EXPECT_EQ(finished.err.rfind("skiff: error: ", 0), 0u) << finished.err;
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
    EXPECT_NE(finished.err.find(part), std::string::npos) << finished.err;
}

TEST_F(DeviceCommand, BundledThenActiveThenTheNext) {
    EXPECT_EQ(label({"--bundled", digits + "digits_v1_int8.tflite"}), "digits (bundled) bundled");
    expect_error(device("run", {"--image", "examples/digits/images/7.png"}), 1, "digits");
    const Finished updated = device("update");
    EXPECT_EQ(updated.exit_code, 0) << updated.err;
    EXPECT_EQ(updated.out.rfind("updated: digits:1", 0), 0u) << updated.out;
    EXPECT_EQ(label(), "digits:1 active");
    tree_.publish("digits", 2, digits + "digits_v2_int8.tflite");
    const Finished nothing = device("update");  // the rules still give version 1
    EXPECT_EQ(nothing.out.rfind("nothing new: digits:1", 0), 0u) << nothing.out;
    tree_.set_default("digits", 2);
    const json out = json::parse(device("update", {"--json"}).out);
    EXPECT_EQ(out["before"], "digits:1");
    EXPECT_EQ(out["running"], "digits:2");
    EXPECT_EQ(label(), "digits:2 active");
}

TEST_F(DeviceCommand, ConditionsPutOffWithExitThreeAndWhy) {
    expect_error(device("update", {"--wifi", "--network", "metered"}), 3, "wifi");
    expect_error(device("update", {"--wifi", "--network", "metered"}), 3, "(--network)");
    expect_error(device("update", {"--charging", "--power", "battery:54"}), 3, "54 %");
    expect_error(device("update", {"--network", "offline"}), 3, "offline");
    expect_error(device("update", {"--min-battery", "60", "--power", "battery:54"}), 3, "60 %");
    const auto start = std::chrono::steady_clock::now();
    expect_error(device("update", {"--wifi", "--network", "metered", "--deadline", "1"}), 3,
                 "wifi");
    EXPECT_GE(std::chrono::steady_clock::now() - start, 1s);
    const json status = json::parse(device("status", {"--json"}).out);
    EXPECT_EQ(status["models"][0]["waiting"]["version"], 1);
    EXPECT_EQ(
        device("update", {"--wifi", "--min-battery", "50", "--power", "battery:54"}).exit_code, 0);
    EXPECT_EQ(label(), "digits:1 active");
}

TEST_F(DeviceCommand, AMeteredAllowanceLetsALittleThroughAndZeroNothing) {
    expect_error(device("update", {"--metered-mb", "0", "--network", "metered"}), 3,
                 "may carry nothing");
    EXPECT_EQ(device("update", {"--wifi", "--metered-mb", "5", "--network", "metered"}).exit_code,
              0);
    EXPECT_EQ(label(), "digits:1 active");
}

TEST_F(DeviceCommand, InstallNeedsNoNetworkWithFiles) {
    const Finished installed = device("install", {"--network", "offline"});
    EXPECT_EQ(installed.exit_code, 0) << installed.err;
    EXPECT_EQ(label(), "digits:1 active");
}

TEST_F(DeviceCommand, RepeatCountsAndRawInputsRun) {
    ASSERT_EQ(device("update").exit_code, 0);
    EXPECT_EQ(label({"--repeat", "41"}), "digits:1 active");
    const std::string zeros =
        test::scratch_file("zeros.bin", std::vector<std::uint8_t>(28 * 28 * 3));
    const Finished raw = device("run", {"--input", "0=" + zeros, "--json"});
    ASSERT_EQ(raw.exit_code, 0) << raw.err;
    EXPECT_EQ(json::parse(raw.out)["outputs"].size(), 1u);
    const json status = json::parse(device("status", {"--json"}).out);
    EXPECT_EQ(status["inferences_not_reported"], 42);
    expect_error(device("run", {"--input", "0=LICENSE"}), 1, "LICENSE");
}

TEST_F(DeviceCommand, StatusIsOneTable) {
    ASSERT_EQ(device("update").exit_code, 0);
    // Without a model's name: all that the store knows. Neither url nor root is needed.
    const Finished table = run_skiff({"device", "status", "--data", folder_ + "/data", "--network",
                                      "metered", "--power", "battery:54"});
    ASSERT_EQ(table.exit_code, 0) << table.err;
    for (const char* part : {"digits:1", "active", "why", "installed", "metered", "54 %",
                             "--network", "--power", "reports waiting"})
        EXPECT_NE(table.out.find(part), std::string::npos) << part << " in\n" << table.out;
    const json status = json::parse(device("status", {"--json", "--network", "offline"}).out);
    EXPECT_EQ(status["facts"]["online"]["value"], false);
    EXPECT_EQ(status["facts"]["online"]["source"], "--network");
    EXPECT_EQ(status["models"][0]["installed"][0]["bytes"],
              std::filesystem::file_size(digits + "digits_v1_int8.tflite"));
}

TEST_F(DeviceCommand, StatusSaysWhatTheLastCheckFailedWith) {
    expect_error(run_skiff({"device", "update", "--data", folder_ + "/data", "--model", "digits",
                            "--url", "file:///nowhere", "--root", tree_.root_path()}),
                 1, "there is no timestamp.json");
    const Finished status = device("status");
    EXPECT_NE(status.out.find("nothing runs: the last check failed: there is no timestamp.json"),
              std::string::npos)
        << status.out;
    EXPECT_NE(status.out.find("\nlast check failed"), std::string::npos) << status.out;
    ASSERT_EQ(device("update").exit_code, 0);
    EXPECT_EQ(device("status").out.find("last check failed"), std::string::npos);
    EXPECT_EQ(json::parse(device("status", {"--json"}).out)["check_failure"], "");
}

TEST_F(DeviceCommand, MisuseIsSaidInOneLine) {
    expect_error(run_skiff({"device", "update"}), 2, "--data");
    expect_error(run_skiff({"device", "update", "--data", folder_ + "/d"}), 1, "--model");
    expect_error(run_skiff({"device", "update", "--data", folder_ + "/d", "--model", "digits"}), 1,
                 "--url");
    expect_error(device("update", {"--network", "5G"}), 2, "wifi, metered or offline");
    expect_error(device("update", {"--power", "battery:101"}), 2, "battery:PERCENT");
    expect_error(device("update", {"--between", "25:00-02:00"}), 2, "--between");
    expect_error(device("update", {"--attribute", "novalue"}), 2, "name=value");
    expect_error(device("run"), 1, "--image");
    expect_error(run_skiff({"device", "update", "--data", folder_ + "/d", "--model", "nope",
                            "--url", tree_.url(), "--root", tree_.root_path()}),
                 1, "no version of nope is published for this device");
    for (const char* file : {"/skiff.json", "/server.db"}) {
        std::filesystem::create_directories(folder_ + "/other");
        ASSERT_TRUE(write_file(folder_ + "/other" + file, as_bytes("{}")).ok());
        expect_error(run_skiff({"device", "status", "--data", folder_ + "/other"}), 1,
                     "a folder of its own");
        std::filesystem::remove(folder_ + "/other" + file);
    }
}

TEST_F(DeviceCommand, ALoopFollowsWhatAnotherProcessInstalls) {
    ASSERT_EQ(device("update").exit_code, 0);
    Background loop(words("run", {"--image", "examples/digits/images/7.png", "--loop", "20"}),
                    folder_ + "/loop");
    EXPECT_TRUE(loop.says("digits:1 answers"));
    tree_.publish("digits", 2, digits + "digits_v2_int8.tflite");
    tree_.set_default("digits", 2);
    ASSERT_EQ(device("update").exit_code, 0);
    EXPECT_TRUE(loop.says("digits:2 answers")) << loop.out();
    EXPECT_EQ(loop.end(SIGKILL), 128 + SIGKILL);
    // What a killed process counted is not lost.
    const json status = json::parse(device("status", {"--json"}).out);
    EXPECT_GT(status["inferences_not_reported"], 1);
}

// One line for a trouble, however often it is met; and when it is over, the update that it kept
// back.
TEST_F(DeviceCommand, TheAgentSaysATroubleOnceAndRecoversSoon) {
    const auto times = [](const std::string& text, const std::string& part) {
        int n = 0;
        for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++n;
        return n;
    };
    const std::string away = folder_ + "/tree/metadata.away", here = folder_ + "/tree/metadata";
    std::filesystem::rename(here, away);
    // Its next regular check would be in an hour.
    Background agent(words("agent", {"--every", "3600"}), folder_ + "/agent");
    ASSERT_TRUE(agent.says("skiff: agent: the periodic check: there is no timestamp.json"))
        << agent.out();
    std::this_thread::sleep_for(1500ms);  // it has been tried again, in vain
    EXPECT_EQ(times(agent.out(), "skiff: agent: the periodic check: "), 1) << agent.out();
    EXPECT_EQ(times(agent.out(), "the last check failed: there is no timestamp.json"), 1)
        << agent.out();
    std::filesystem::rename(away, here);
    EXPECT_TRUE(agent.says("digits:1 runs: /")) << agent.out();
    EXPECT_TRUE(agent.says("skiff: agent: the periodic check works again\n")) << agent.out();
    EXPECT_EQ(agent.end(SIGTERM), 0);
}

// A link that cannot be set is said; the agent goes on, and sets it when it can.
TEST_F(DeviceCommand, TheAgentOutlivesATroubleOfItsOwn) {
    const std::string current = folder_ + "/data/current";
    std::filesystem::create_directories(current + "/digits/not_empty");
    Background agent(words("agent", {}), folder_ + "/agent");
    ASSERT_TRUE(agent.says("skiff: agent: " + current + "/digits: ")) << agent.out();
    std::filesystem::remove_all(current + "/digits");
    EXPECT_TRUE(agent.says("digits:1 runs: /")) << agent.out();
    EXPECT_TRUE(std::filesystem::is_symlink(current + "/digits"));
    EXPECT_EQ(agent.end(SIGTERM), 0);
}

TEST_F(DeviceCommand, TwoUpdatesAtOnceTakeTurns) {
    std::filesystem::create_directories(folder_ + "/data");
    auto lock = FileLock::acquire(folder_ + "/data/update.lock", true).value();
    Background second(words("update", {}), folder_ + "/second");
    std::this_thread::sleep_for(1500ms);
    lock.reset();
    EXPECT_TRUE(second.says("updated: digits:1")) << second.out();
    EXPECT_EQ(second.end(0), 0);
}

TEST_F(DeviceCommand, TheAgentKeepsALinkAndRunsACommand) {
    const std::string link = folder_ + "/data/current/digits", log = folder_ + "/changes";
    const std::string command =
        "echo \"$SKIFF_MODEL:$SKIFF_VERSION\" >>'" + log + "'; cmp \"$SKIFF_PATH\" '" + link + "'";
    Background agent(words("agent", {"--every", "1", "--on-change", command}), folder_ + "/agent");
    ASSERT_TRUE(agent.says("digits:1 runs")) << agent.out();
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(read_file(link).value(), read_file(digits + "digits_v1_int8.tflite").value());
    tree_.publish("digits", 2, digits + "digits_v2_int8.tflite");
    tree_.set_default("digits", 2);
    ASSERT_TRUE(agent.says("digits:2 runs: /")) << agent.out();
    EXPECT_EQ(read_file(link).value(), read_file(digits + "digits_v2_int8.tflite").value());
    const auto both = [&] { return read_file(log).value() == "digits:1\ndigits:2\n"; };
    for (int i = 0; i < 500 && !both(); ++i) std::this_thread::sleep_for(20ms);
    EXPECT_TRUE(both());
    EXPECT_EQ(agent.end(SIGTERM), 0);
    EXPECT_NE(agent.out().find("agent: ends"), std::string::npos);

    // A source that cannot be reached is said, once.
    Background cut_off({"device", "agent", "--data", folder_ + "/data", "--model", "digits",
                        "--root", tree_.root_path(), "--url", "http://127.0.0.1:1", "--every", "1"},
                       folder_ + "/cut_off");
    EXPECT_TRUE(cut_off.says("the periodic check: http://127.0.0.1:1")) << cut_off.out();
    EXPECT_EQ(cut_off.end(SIGTERM), 0);

    // Begun again, nothing has changed: the command does not run.
    Background again(words("agent", {"--every", "1", "--on-change", command}), folder_ + "/again");
    ASSERT_TRUE(again.says("digits:2 runs: it")) << again.out();
    EXPECT_EQ(again.end(SIGTERM), 0);
    EXPECT_EQ(read_file(log).value(), "digits:1\ndigits:2\n");
}

}  // namespace
}  // namespace skiff::cli
