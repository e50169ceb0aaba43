// Publishing to a real server: what a person sees, and what happens when one of the two dies.
#include "tests/cli/served.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"

namespace skiff::cli::test {
namespace {

// What a program writes to a terminal that is its standard error.
class Terminal {
 public:
    Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        if (master_ >= 0 && ::grantpt(master_) == 0 && ::unlockpt(master_) == 0)
            slave_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    ~Terminal() {
        if (master_ >= 0) ::close(master_);
        if (slave_ >= 0) ::close(slave_);
    }
    int descriptor() const { return slave_; }  // below 0: this machine has none
    // All of it, until the program has ended.
    std::string read() {
        ::close(std::exchange(slave_, -1));
        std::string text;
        char piece[4096];
        for (ssize_t n; (n = ::read(master_, piece, sizeof piece)) > 0;)
            text.append(piece, static_cast<std::size_t>(n));
        return text;
    }

 private:
    int master_, slave_ = -1;
};

}  // namespace

TEST_F(Served, AnUploadShowsBytesPercentAndRateOnATerminalOnly) {
    const SlowLine line(address_, 1 << 20, 1'500);
    const std::string url = "http://" + line.address();
    ASSERT_EQ(
        skiff({"login", url, "--project", "demo", "--name", "slow", "--token", token_}).exit_code,
        0);
    // Below what a server may still have in its buffers nothing could be seen.
    const std::string big = file("big.bin", std::string(24'000'000, 'b'));
    std::vector<std::string> words = {"publish", "big", big, "-C", demo_, "--context", "slow"};
    Terminal terminal;
    if (terminal.descriptor() < 0) GTEST_SKIP() << "there are no terminals: /dev/pts is not there";
    Running publishing(words, environment(), terminal.descriptor());
    const std::string seen = terminal.read();
    EXPECT_EQ(publishing.wait(), 0) << seen;
    // The last line of the large file: the first has no rate yet.
    const std::size_t at = seen.rfind("] sending ", seen.rfind(" MB of 24.0 MB, "));
    ASSERT_NE(at, std::string::npos) << seen;
    const std::string shown = seen.substr(at, seen.find('\r', at) - at);
    EXPECT_NE(shown.find(" MB of 24.0 MB, "), std::string::npos) << shown;
    EXPECT_NE(shown.find(" %, "), std::string::npos) << shown;
    EXPECT_NE(shown.find("B/s"), std::string::npos) << shown;
    EXPECT_TRUE(seen.ends_with("\r\033[K")) << seen;  // the line is gone at the end
    words[2] = file("other.bin", std::string(24'000'000, 'o'));
    const Finished quiet = skiff(words);
    EXPECT_EQ(quiet.exit_code, 0) << quiet.err;
    EXPECT_EQ(quiet.err, "");
    EXPECT_EQ(verified_versions("big"), 2u);
}

TEST_F(Served, AContextKnowsItsProjectAfterTheFirstPublication) {
    const std::vector<std::string> models = {"models", "--context", "demo"};
    const Finished before = skiff(models);
    EXPECT_EQ(before.exit_code, 1);
    EXPECT_NE(before.err.find("nothing was published there"), std::string::npos) << before.err;
    ASSERT_EQ(skiff(publish("digits", file("a.bin", "one"))).exit_code, 0);
    const Finished after = skiff(models);
    EXPECT_EQ(after.exit_code, 0) << after.err;
    EXPECT_NE(after.out.find("digits"), std::string::npos);
    // A folder that was named is not forgotten for a context.
    const std::string absent = folder_ + "/absent";
    const Finished elsewhere = skiff({"models", "-C", absent});
    EXPECT_EQ(elsewhere.exit_code, 1);
    EXPECT_EQ(elsewhere.err, "skiff: error: " + absent + ": there is no such folder\n");
}

TEST_F(Served, TwoPublishersAtOnceLoseNothing) {
    constexpr int each = 25;
    const auto publish_all = [&](const std::string& name) {
        for (int i = 0; i < each; ++i) {
            const Finished done = skiff(publish("digits", file(name, name + std::to_string(i))));
            EXPECT_EQ(done.exit_code, 0) << done.err;
        }
    };
    std::thread other([&] { publish_all("b.bin"); });
    publish_all("a.bin");
    other.join();
    EXPECT_EQ(verified_versions("digits"), 2u * each);
    const Finished audit = in_demo({"models", "audit", "--json"});
    int published = 0;
    for (const Json& entry : Json::parse(audit.out)) published += entry["what"] == "publish";
    EXPECT_EQ(published, 2 * each);
}

TEST_F(Served, APublisherThatIsKilledLeavesNothingHalf) {
    std::mt19937 random(3);
    ASSERT_EQ(skiff(publish("digits", file("a.bin", "one"))).exit_code, 0);
    for (int round = 0; round < 20; ++round) {
        const std::string bytes = std::to_string(round) + std::string(4'000'000, 'x');
        {
            Running publishing(publish("digits", file("k.bin", bytes)), environment());
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
        }
        verified_versions("digits");
    }
    const std::size_t before = verified_versions("digits");
    const Finished again = skiff(publish("digits", file("z.bin", "last")));
    EXPECT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(verified_versions("digits"), before + 1);
    EXPECT_EQ(in_demo({"models", "audit"}).exit_code, 0);
}

TEST_F(Served, AServerThatIsKilledLeavesNothingHalf) {
    std::mt19937 random(5);
    std::size_t versions = 0;
    for (int round = 0; round < 12; ++round) {
        const std::string bytes = std::to_string(round) + std::string(4'000'000, 'y');
        Running publishing(publish("digits", file("k.bin", bytes)), environment());
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 80'000));
        server_->end(SIGKILL);
        const bool said_done = publishing.wait() == 0;
        if (versions > 0 || said_done) {
            const std::size_t now = verified_versions("digits");
            EXPECT_TRUE(now == versions + 1 || (!said_done && now == versions)) << now;
        }
        serve();
        ASSERT_EQ(skiff(publish("digits", file("z.bin", std::to_string(round)))).exit_code, 0);
        versions = verified_versions("digits");
        EXPECT_TRUE(list_folder(data() + "/uploads")->empty());
    }
}

}  // namespace skiff::cli::test
