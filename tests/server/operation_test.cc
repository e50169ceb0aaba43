// Running it: folders, locks, upkeep, readiness, metrics, the program's exits.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <csignal>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "server/ledger.h"
#include "tests/server/program.h"
#include "tests/server/world.h"

namespace skiff::server::test {

namespace {

constexpr std::int64_t day_s = 86400;

std::string refusal_of(const std::string& data) {
    const auto server = Server::start({.data = data, .listen = "127.0.0.1:0"});
    return server.ok() ? "none" : server.error().message;
}

}  // namespace

TEST(DataFolder, of_another_kind_is_refused_in_one_line) {
    Scratch scratch;
    const std::string project = scratch.path("project"), other = scratch.path("other");
    make_folders(project).value();
    write_file(project + "/skiff.json", as_bytes("{}")).value();
    EXPECT_EQ(refusal_of(project), project +
                                       " is a project's folder, made by skiff init (give the "
                                       "server a folder of its own with --data)");
    make_folders(other).value();
    write_file(other + "/letter.txt", {}).value();
    EXPECT_EQ(refusal_of(other),
              other +
                  " is not empty and no server's data (give the server a new folder with "
                  "--data)");
    EXPECT_FALSE(file_exists(other + "/server.db"));
}

TEST(DataFolder, of_a_newer_skiff_is_refused) {
    Scratch scratch;
    const std::string data = scratch.path("data");
    make_token(data, {"read"});
    {
        const auto ledger = Ledger::open(data + "/server.db").value();
        ledger->database->execute("PRAGMA user_version=99").value();
    }
    EXPECT_NE(refusal_of(data).find("was written by a newer skiff"), std::string::npos);
}

TEST(DataFolder, has_one_server_at_a_time) {
    TestServer world;
    EXPECT_EQ(refusal_of(world.options.data),
              world.options.data +
                  " is in use by another skiff serve (stop that one, or give this "
                  "one another --data)");
    write_file(world.options.data + "/uploads/left", as_bytes("half")).value();
    world.restart();
    EXPECT_TRUE(list_folder(world.options.data + "/uploads")->empty());
}

TEST(Upkeep, the_online_key_signs_again_what_is_due) {
    std::int64_t now = std::time(nullptr);
    TestServer world({}, [&now] { return now; });
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    author.save_online_key(world.options.data + "/projects/demo/online.json");
    world.restart();
    EXPECT_EQ(world.ask("GET", "/p/demo/metadata/timestamp.json").body,
              author.tree.files.at("metadata/timestamp.json"));  // nothing was due
    now += 5 * day_s / 2;
    world.restart();
    const auto timestamp = trust::parse_timestamp(
        world.ask("GET", "/p/demo/metadata/timestamp.json").body, "timestamp");
    ASSERT_TRUE(timestamp.ok());
    EXPECT_EQ(timestamp->version, 2);
    EXPECT_EQ(timestamp->expires_s, now + 3 * day_s);
    EXPECT_EQ(world.ask("GET", "/readyz").status, 200);
    // Publishers go on from there.
    author.tree.files["metadata/timestamp.json"] =
        world.ask("GET", "/p/demo/metadata/timestamp.json").body;
    author.base = 2;
    EXPECT_EQ(publish(world.address(), world.token, author.version(2, "two")).status, 200);
}

TEST(Upkeep, without_the_key_readiness_says_that_it_expired) {
    std::int64_t now = std::time(nullptr);
    TestServer world({}, [&now] { return now; });
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    const Json ready = parse_json(world.ask("GET", "/readyz").body, "ready").value();
    EXPECT_EQ(ready["projects"][0]["expires_first"], "timestamp");
    EXPECT_EQ(ready["projects"][0]["online_key"], false);
    now += 4 * day_s;
    const Answer expired = world.ask("GET", "/readyz");
    EXPECT_EQ(expired.status, 503);
    EXPECT_NE(expired.body.find("the metadata of demo is expired: timestamp since"),
              std::string::npos);
    EXPECT_EQ(world.ask("GET", "/healthz").status, 200);
}

TEST(Upkeep, a_key_that_others_may_read_is_not_used) {
    std::int64_t now = std::time(nullptr);
    TestServer world({}, [&now] { return now; });
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    const std::string key = world.options.data + "/projects/demo/online.json";
    author.save_online_key(key);
    ASSERT_EQ(::chmod(key.c_str(), 0644), 0);
    now += 5 * day_s / 2;
    world.restart();
    EXPECT_EQ(world.ask("GET", "/p/demo/metadata/timestamp.json").body,
              author.tree.files.at("metadata/timestamp.json"));
}

TEST(Metrics, have_the_names_of_the_list) {
    TestServer world;
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    world.report(report_of("a", 1, 1));
    world.report(report_of("a", 1, 1));
    // A request counts when its answer has gone out, which its client may see a moment earlier.
    const std::string both =
        "skiff_http_requests_total{route=\"/v1/projects/{project}/reports\",method=\"POST\",code="
        "\"200\"} 2\n";
    std::string text;
    for (int i = 0; i < 200 && text.find(both) == text.npos; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        text = world.ask("GET", "/metrics").body;
    }
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = text.find("# TYPE ", at)) != std::string::npos;) {
        at += 7;
        found.push_back(text.substr(at, text.find('\n', at) - at) + "\n");
    }
    std::sort(found.begin(), found.end());
    std::string names;
    for (const std::string& name : found) names += name;
    EXPECT_EQ(names, read_file("tests/server/metric_names.txt").value());
    for (const char* line : {"skiff_reports_total{result=\"duplicate\"} 1\n",
                             "skiff_publications_total{result=\"taken\"} 1\n",
                             "skiff_timestamp_version{project=\"demo\"} 1\n", both.c_str()})
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(Metrics, count_inventions_together) {
    TestServer world;
    for (const char* method : {"BREW", "WHEN", "DELETE"}) world.ask(method, "/healthz");
    const std::string counted = "{route=\"none\",method=\"other\",code=\"405\"} 2\n";
    std::string text;
    for (int i = 0; i < 200 && text.find(counted) == text.npos; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        text = world.ask("GET", "/metrics").body;
    }
    EXPECT_NE(text.find(counted), std::string::npos) << text;
    EXPECT_EQ(text.find("BREW"), std::string::npos);
    EXPECT_NE(text.find("method=\"DELETE\""), std::string::npos);
}

TEST(Program, admin_routes_have_their_own_address) {
    Scratch scratch;
    ServeProgram server(scratch.path("data"), {"--admin-listen", "127.0.0.1:0"});
    EXPECT_EQ(ask(server.address(), "GET", "/metrics").status, 404);
    EXPECT_EQ(ask(server.admin_address(), "GET", "/metrics").status, 200);
    EXPECT_EQ(ask(server.admin_address(), "GET", "/v1/projects/demo").status, 404);
}

TEST(Program, ends_with_0_on_both_signals_and_1_when_it_cannot_begin) {
    Scratch scratch;
    for (const int signal : {SIGTERM, SIGINT}) {
        ServeProgram server(scratch.path("data"));
        ASSERT_EQ(ask(server.address(), "GET", "/healthz").status, 200);
        const Finished second =
            run_skiff({"serve", "--data", scratch.path("b"), "--listen", server.address()});
        EXPECT_EQ(second.exit_code, 1);
        EXPECT_EQ(second.err, "skiff: error: " + server.address() +
                                  " is taken by another program (choose another port)\n");
        EXPECT_FALSE(file_exists(scratch.path("b")));
        EXPECT_EQ(server.end(signal), 0);
    }
    for (const std::string port : {"99999", "123456789012", "http"})
        EXPECT_EQ(
            run_skiff({"serve", "--data", scratch.path("b"), "--listen", "127.0.0.1:" + port}).err,
            "skiff: error: " + port + " is no port (0 to 65535)\n");
    const std::vector<std::string> token = {"tokens",    "create", "--data",  scratch.path("b"),
                                            "--project", "demo",   "--scope", "read"};
    EXPECT_EQ(run_skiff(token).err, "skiff: error: " + scratch.path("b") +
                                        " is no server's data (skiff serve makes it)\n");
    EXPECT_FALSE(file_exists(scratch.path("b")));
}

TEST(Program, login_tells_apart_what_answers) {
    Scratch scratch;
    const std::string data = scratch.path("data");
    ServeProgram server(data);
    const auto login = [&](const std::string& url, const std::string& token) {
        return run_skiff(
                   {"login", url, "--project", "demo", "--name", "never-kept", "--token", token})
            .err;
    };
    const std::string url = "http://" + server.address();
    EXPECT_EQ(login(url, "wrong"),
              "skiff: error: the server does not know this token for demo (skiff tokens create on "
              "the server prints one)\n");
    EXPECT_EQ(login(url + "/elsewhere", make_token(data, {"read"})),
              "skiff: error: " + url +
                  "/elsewhere is no Skiff server: it answers 404 (give the URL that skiff serve is "
                  "reached at)\n");
}

TEST(Operation, readiness_is_503_when_storage_fails) {
    TestServer world;
    ASSERT_EQ(::system(("rm -r " + world.options.data + "/uploads").c_str()), 0);
    const Answer answer = world.ask("GET", "/readyz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.body.find("cannot use its storage"), std::string::npos) << answer.body;
}

// A file system of two megabytes.
class SmallDisk {
 public:
    explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
        make_folders(folder_).value();
        mounted_ = ::mount("none", folder_.c_str(), "tmpfs", 0, "size=2m") == 0;
    }
    ~SmallDisk() {
        if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
    }
    bool mounted() const { return mounted_; }
    // To the last block, as far as files can.
    void fill() const {
        std::ofstream file(folder_ + "/filler", std::ios::binary);
        const std::string block(4096, 'f');
        while (file.write(block.data(), 4096).flush()) {
        }
    }

 private:
    const std::string folder_;
    bool mounted_ = false;
};

TEST(FullDisk, is_said_loses_nothing_and_is_over_with_the_first_free_block) {
    Scratch scratch;
    const SmallDisk disk(scratch.path("disk"));
    if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
    const std::string data = scratch.path("disk") + "/data";
    const std::string token = make_token(data, {"publish", "report", "read"});
    const auto server = Server::start({.data = data, .listen = "127.0.0.1:0"}).value();
    const std::string address = server->address();
    const auto report = [&](std::uint64_t n) {
        return ask(address, "POST", "/v1/projects/demo/reports", bearer(token),
                   telemetry::write_report(report_of("a", n, 1)))
            .status;
    };
    Author author;
    ASSERT_EQ(publish(address, token, author.version(1, "one")).status, 200);
    ASSERT_EQ(report(1), 200);
    ASSERT_EQ(ask(address, "GET", "/readyz").status, 200);
    // The database has room for a row in what its log already takes up.
    const auto ledger = Ledger::open(data + "/server.db").value();
    ledger->database->execute("PRAGMA wal_checkpoint(RESTART)").value();
    disk.fill();
    const Answer full = ask(address, "GET", "/readyz");
    EXPECT_EQ(full.status, 503);
    EXPECT_NE(full.body.find("the server's disk is full (free some space)"), std::string::npos)
        << full.body;
    const Parcel second = author.version(2, std::string(100'000, '2'));
    const Answer refused = publish(address, token, second);
    EXPECT_EQ(refused.status, 507) << refused.body;
    EXPECT_NE(refused.body.find("the server's disk is full, nothing was taken"), std::string::npos)
        << refused.body;
    EXPECT_EQ(list_folder(data + "/uploads").value(), std::vector<std::string>{"probe"});
    EXPECT_EQ(ask(address, "GET", "/p/demo/metadata/timestamp.json").status, 200);
    EXPECT_EQ(ask(address, "GET", "/healthz").status, 200);
    remove_file(scratch.path("disk") + "/filler").value();
    EXPECT_EQ(ask(address, "GET", "/readyz").status, 200);
    EXPECT_EQ(list_folder(data + "/uploads").value(), std::vector<std::string>{"probe"});
    EXPECT_EQ(publish(address, token, second).status, 200);
    EXPECT_EQ(report(2), 200);
}

TEST(Program, tokens_are_made_listed_and_revoked_beside_a_running_server) {
    Scratch scratch;
    const std::string data = scratch.path("data");
    ServeProgram server(data);
    const Finished made = run_skiff(
        {"tokens", "create", "--data", data, "--project", "demo", "--scope", "read", "--json"});
    const std::string token = parse_json(made.out, "token").value()["token"];
    EXPECT_EQ(ask(server.address(), "GET", "/v1/projects/demo/stats", bearer(token)).status, 200);
    const std::string file = scratch.path("token");
    write_file(file, as_bytes(token + "\n")).value();
    const std::vector<std::string> status = {
        "status", "--url", "http://" + server.address(), "--project", "demo", "--token-file", file};
    EXPECT_EQ(run_skiff(status).out, "nothing was published in demo, and nothing reported\n");
    std::vector<std::string> csv = status;
    csv.insert(csv.end(), {"-o", "csv"});
    telemetry::Report report = report_of("a", 1, 3);
    const auto maker = bearer(make_token(data, {"report"}));
    ASSERT_EQ(ask(server.address(), "POST", "/v1/projects/demo/reports", maker,
                  telemetry::write_report(report))
                  .status,
              200);
    const std::string rows = run_skiff(csv).out;
    EXPECT_EQ(rows.rfind("model,version,runs,success,p50_us,p95_us,size_bytes,peak_memory_bytes,"
                         "installed,update_failures\ndigits,1,3,",
                         0),
              0u)
        << rows;
    EXPECT_EQ(rows.find_first_of(".% \""), std::string::npos) << rows;
    const Finished listed = run_skiff({"tokens", "list", "--data", data});
    EXPECT_EQ(listed.out.find(token), std::string::npos);
    EXPECT_NE(listed.out.find("demo"), std::string::npos);
    EXPECT_EQ(run_skiff({"tokens", "revoke", "1", "--data", data, "--project", "demo"}).exit_code,
              0);
    EXPECT_EQ(run_skiff(status).exit_code, 4);
    EXPECT_EQ(
        run_skiff({"tokens", "create", "--data", data, "--project", "demo", "--scope", "all"}).err,
        "skiff: error: \"all\" is no scope (there are publish, report and read)\n");
    EXPECT_EQ(run_skiff({"tokens", "create", "--data", data, "--project", "demo", "--scope", "read",
                         "--note", "ann\x1b]0;x\a"})
                  .err,
              "skiff: error: --note: write one line without control characters\n");
}

}  // namespace skiff::server::test
