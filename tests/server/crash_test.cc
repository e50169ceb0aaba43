// The real program, killed at any moment: nothing is lost, nothing counts twice, nothing is half.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "server/audit.h"
#include "server/reports.h"
#include "tests/server/program.h"
#include "tests/server/world.h"

namespace skiff::server::test {

namespace {

std::int64_t stats_runs(const std::string& address, const std::string& token) {
    const Json stats =
        parse_json(ask(address, "GET", "/v1/projects/demo/stats", bearer(token)).body, "stats")
            .value();
    return stats["models"].empty() ? 0 : stats["models"][0]["runs"].get<std::int64_t>();
}

bool send_report(const std::string& address, const std::string& token, const std::string& id,
                 std::uint64_t sequence) {
    return ask(address, "POST", "/v1/projects/demo/reports", bearer(token),
               telemetry::write_report(report_of(id, sequence, 1)))
               .status == 200;
}

}  // namespace

TEST(Crash, reports_count_once_whenever_the_server_dies) {
    Scratch scratch;
    const std::string data = scratch.path("data"), token = make_token(data, {"report", "read"});
    std::mt19937 random(7);
    std::uint64_t next[3] = {1, 1, 1};  // each device sends its reports in order until answered
    for (int round = 0; round < 5; ++round) {
        ServeProgram server(data);
        std::vector<std::thread> devices;
        for (int d = 0; d < 3; ++d)
            devices.emplace_back([&, d] {
                while (send_report(server.address(), token, "d" + std::to_string(d), next[d]))
                    ++next[d];
            });
        std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 60));
        server.end(SIGKILL);
        for (std::thread& device : devices) device.join();
    }
    ServeProgram server(data);
    std::int64_t sent = 0;
    for (int d = 0; d < 3; ++d) {
        const std::string id = "d" + std::to_string(d);
        EXPECT_TRUE(send_report(server.address(), token, id, next[d]));  // was it taken? it counts
        EXPECT_TRUE(send_report(server.address(), token, id, 1));        // counted long ago
        sent += static_cast<std::int64_t>(next[d]);
    }
    EXPECT_GT(sent, 10);
    EXPECT_EQ(stats_runs(server.address(), token), sent);
}

TEST(Crash, a_publication_is_whole_or_not_there_and_the_audit_fits) {
    Scratch scratch;
    const std::string data = scratch.path("data"), token = make_token(data, {"publish"});
    std::mt19937 random(11);
    Author author;
    Parcel parcel = author.version(1, "first");
    int number = 1, killed_before = 0;
    for (int round = 0; round < 8; ++round) {
        ServeProgram server(data);
        std::thread publisher([&] { publish(server.address(), token, parcel); });
        // The first is killed before it is taken, however fast the machine.
        std::this_thread::sleep_for(std::chrono::microseconds(round == 0 ? 0 : random() % 60'000));
        server.end(SIGKILL);
        publisher.join();
        trust::FolderTree tree(data + "/projects/demo/tree");
        const auto timestamp = tree.read("metadata/timestamp.json");
        const bool taken =
            timestamp.ok() && *timestamp == author.tree.files.at("metadata/timestamp.json");
        if (timestamp.ok()) {
            const auto repository = trust::Repository::open(tree);
            EXPECT_TRUE(repository.ok()) << repository.error().message;
        }
        ServeProgram again(data);
        if (!taken) {
            ++killed_before;
            const Answer repeated = publish(again.address(), token, parcel);
            EXPECT_EQ(repeated.status, 200) << repeated.body;
        }
        const Answer audit = ask(again.address(), "GET", "/v1/projects/demo/audit", bearer(token));
        EXPECT_EQ(parse_json(audit.body, "audit").value()["entries"].size(),
                  static_cast<std::size_t>(number))
            << round;
        ++number;
        parcel = author.version(number, "bytes of " + std::to_string(number));
    }
    EXPECT_GT(killed_before, 0);
}

TEST(Audit, is_append_only) {
    Scratch scratch;
    const auto ledger = Ledger::open(scratch.path("server.db")).value();
    const auto id = write_intent(*ledger, {"demo", "hash", "ann", 5, {{"a", "b", "c"}}}).value();
    end_intent(*ledger, id, true).value();
    EXPECT_EQ(read_audit(*ledger, "demo", 0, 9)->size(), 1u);
    for (const char* sql : {"DELETE FROM audit", "UPDATE audit SET why = 'none'"})
        EXPECT_FALSE(ledger->database->execute(sql).ok()) << sql;
    EXPECT_EQ(read_audit(*ledger, "demo", 0, 9)->at(0).why, "c");
}

TEST(Audit, an_intent_that_a_crash_left_is_true_when_its_timestamp_is_there) {
    TestServer world;
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    const auto ledger = Ledger::open(world.options.data + "/server.db").value();
    const std::string there = sha256_hex(as_bytes(author.tree.files.at("metadata/timestamp.json")));
    ASSERT_TRUE(write_intent(*ledger, {"demo", there, "bob", 5, {{"was", "x", ""}}}).ok());
    ASSERT_TRUE(write_intent(*ledger, {"demo", "0", "bob", 5, {{"was not", "x", ""}}}).ok());
    world.restart();
    const auto audit = read_audit(*ledger, "demo", 0, 9).value();
    ASSERT_EQ(audit.size(), 2u);
    EXPECT_EQ(audit[1].what, "was");
}

TEST(FullDisk, reports_wait_for_space_and_none_is_lost) {
    Scratch scratch;
    const auto ledger = Ledger::open(scratch.path("server.db")).value();
    ledger->database->execute("PRAGMA max_page_count=40").value();
    std::vector<IncomingReport> batch;
    std::uint64_t taken = 0;
    for (std::uint64_t n = 1; n < 2000; ++n) {
        telemetry::Report report = report_of(std::string(60, 'r'), n, 1);
        report.cells[0].key.experiment = std::string(60, 'e');
        report.cells[0].key.variant = "v" + std::to_string(n);
        for (int i = 0; i < 500; ++i) report.cells[0].counts.latency_us.add(1 << (i % 30));
        batch.assign({{"demo", report}});
        const auto result = take_reports(*ledger, batch, 0);
        if (!result.ok()) {
            EXPECT_EQ(result.error().code, Code::not_enough_space);
            break;
        }
        ++taken;
    }
    ASSERT_GT(taken, 0u);
    EXPECT_EQ(read_stats(*ledger, "demo")->size(), taken);
    ledger->database->execute("PRAGMA max_page_count=100000").value();
    const auto result = take_reports(*ledger, batch, 0);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ((*result)[0].value(), Taken::fresh);
    EXPECT_EQ(read_stats(*ledger, "demo")->size(), taken + 1);
}

}  // namespace skiff::server::test
