// Tokens, publications, reports, waiting, as clients see them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "server/reports.h"
#include "server/tokens.h"
#include "tests/server/world.h"

namespace skiff::server::test {

namespace {

Json json_of(const Answer& answer) {
    return parse_json(answer.body, "answer").value();
}

std::string project_path(const std::string& rest) {
    return "/v1/projects/demo" + rest;
}

}  // namespace

TEST(Tokens, each_opens_what_its_scopes_say) {
    TestServer world;
    const std::string& data = world.options.data;
    const Fields publisher = bearer(make_token(data, {"publish"})),
                 reader = bearer(make_token(data, {"read"})),
                 device = bearer(make_token(data, {"report"})),
                 stranger = bearer(make_token(data, {"publish", "read", "report"}, "other"));
    struct Case {
        const char *method, *path;
        bool publisher, reader, device;
    };
    const std::string target = "/targets/" + target_path("x", 1).substr(8);
    for (const Case& c :
         {Case{"GET", "", true, true, false}, Case{"PUT", target.c_str(), true, false, false},
          Case{"POST", "/publications", true, false, false},
          Case{"GET", "/audit", true, true, false}, Case{"POST", "/reports", false, false, true},
          Case{"GET", "/stats", true, true, false}}) {
        const auto status = [&](const Fields& who) {
            return world.ask(c.method, project_path(c.path), who, "x").status;
        };
        EXPECT_EQ(status(publisher) != 403, c.publisher) << c.path;
        EXPECT_EQ(status(reader) != 403, c.reader) << c.path;
        EXPECT_EQ(status(device) != 403, c.device) << c.path;
        EXPECT_EQ(status(stranger), 403) << c.path;
        EXPECT_EQ(status({}), 401) << c.path;
        EXPECT_EQ(status(bearer("skiff_guess")), 401) << c.path;
    }
}

TEST(Tokens, only_their_hash_is_kept_and_a_revoked_one_ends_at_once) {
    TestServer world;
    const auto ledger = Ledger::open(world.options.data + "/server.db").value();
    const std::string token =
        create_token(*ledger, "demo", {"read", "read", "publish"}, "bob", 1).value();
    const auto tokens = list_tokens(*ledger, "demo").value();
    ASSERT_EQ(tokens.size(), 2u);
    EXPECT_EQ(tokens[1].scopes, (std::vector<std::string>{"publish", "read"}));
    for (const char* file : {"/server.db", "/server.db-wal"}) {
        const auto bytes = read_file(world.options.data + file);
        if (!bytes.ok()) continue;
        EXPECT_EQ(bytes->find(token), std::string::npos);
    }
    EXPECT_EQ(world.ask("GET", project_path("/stats"), bearer(token)).status, 200);
    revoke_token(*ledger, "demo", tokens[1].id, 5).value();
    EXPECT_EQ(world.ask("GET", project_path("/stats"), bearer(token)).status, 401);
    EXPECT_EQ(revoke_token(*ledger, "other", tokens[1].id, 5).error().code, Code::not_found);
    EXPECT_EQ(create_token(*ledger, "../x", {"read"}, "", 1).error().code, Code::invalid_argument);
    EXPECT_EQ(create_token(*ledger, "demo", {"root"}, "", 1).error().code, Code::invalid_argument);
}

TEST(Targets, arrive_under_their_hash_only) {
    TestServer world;
    const Fields who = bearer(world.token);
    const std::string path = project_path("/" + target_path("good", 1));
    EXPECT_EQ(world.ask("PUT", path, who, "evil").status, 400);
    EXPECT_EQ(world.ask("GET", "/p/demo/" + target_path("good", 1)).status, 404);
    EXPECT_EQ(world.ask("PUT", path, who, "good").status, 201);
    EXPECT_EQ(world.ask("PUT", path, who, "good").status, 200);
    EXPECT_EQ(world.ask("GET", "/p/demo/" + target_path("good", 1)).body, "good");
    for (const std::string& bad :
         {std::string("/targets/models/digits/1.bin"), "/targets/evil/" + sha256_hex({}) + ".1.bin",
          "/targets/models/../" + sha256_hex({}) + ".1.bin",
          "/targets/models/%2e%2e/" + sha256_hex({}) + ".1.bin",
          "/targets/models/digits/" + std::string(64, 'A') + ".1.bin"})
        EXPECT_EQ(world.ask("PUT", project_path(bad), who, "").status, 400) << bad;
    EXPECT_TRUE(list_folder(world.options.data + "/uploads")->empty());
}

TEST(Publications, the_first_makes_the_project_and_each_is_audited) {
    TestServer world;
    Author author;
    const Fields who = bearer(world.token);
    EXPECT_EQ(world.ask("GET", project_path(""), who).status, 404);
    const Answer first = publish(world.address(), world.token, author.version(1, "one"));
    EXPECT_EQ(json_of(first), Json({{"version", 1}}));
    EXPECT_EQ(json_of(publish(world.address(), world.token, author.version(2, "two")))["version"],
              2);
    EXPECT_EQ(json_of(world.ask("GET", project_path(""), who)),
              Json({{"project", "demo"}, {"version", 2}}));
    const Json audit = json_of(world.ask("GET", project_path("/audit"), who))["entries"];
    ASSERT_EQ(audit.size(), 2u);
    EXPECT_EQ(audit[1]["who"], "ann");
    EXPECT_EQ(audit[1]["subject"], "digits:2");
    const std::string after = "/audit?after=" + audit[0]["id"].dump();
    EXPECT_EQ(json_of(world.ask("GET", project_path(after), who))["entries"].size(), 1u);
    for (const auto& [path, bytes] : author.tree.files)
        EXPECT_EQ(world.ask("GET", "/p/demo/" + path).body, bytes) << path;
}

TEST(Publications, made_on_another_version_are_not_taken) {
    TestServer world;
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    Author ann = std::move(author), bob;
    bob.tree = ann.tree;
    bob.base = ann.base;
    EXPECT_EQ(publish(world.address(), world.token, ann.version(2, "two")).status, 200);
    const Parcel late = bob.version(2, "other two");
    const Answer answer = publish(world.address(), world.token, late);
    EXPECT_EQ(answer.status, 412);
    EXPECT_EQ(json_of(answer)["error"]["status"], "FAILED_PRECONDITION");
    Parcel first = late;
    first.publication.base = 0;
    EXPECT_EQ(publish(world.address(), world.token, first).status, 412);
    EXPECT_EQ(world.ask("GET", "/p/demo/metadata/timestamp.json").body,
              ann.tree.files.at("metadata/timestamp.json"));
}

TEST(Publications, two_publishers_at_once_one_wins) {
    TestServer world;
    Author first;
    ASSERT_EQ(publish(world.address(), world.token, first.version(1, "one")).status, 200);
    int statuses[4] = {};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            Author author;
            author.tree = first.tree;
            author.base = first.base;
            const Parcel parcel = author.version(2, "two by " + std::to_string(i));
            statuses[i] = publish(world.address(), world.token, parcel).status;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(std::count(statuses, statuses + 4, 200), 1);
    EXPECT_EQ(std::count(statuses, statuses + 4, 412), 3);
    const Json audit = json_of(world.ask("GET", project_path("/audit"), bearer(world.token)));
    EXPECT_EQ(audit["entries"].size(), 2u);
}

TEST(Publications, what_does_not_verify_leaves_nothing) {
    TestServer world;
    Author author;
    const Parcel parcel = author.version(1, "one");
    Parcel no_target = parcel;
    no_target.targets.clear();
    EXPECT_EQ(publish(world.address(), world.token, no_target).status, 400);
    Parcel forged = parcel;
    std::string& root = forged.publication.files.back().bytes;
    root.replace(root.find("20"), 2, "21");
    EXPECT_EQ(publish(world.address(), world.token, forged).status, 400);
    Parcel early = parcel;
    for (std::size_t i = 0; i < early.publication.files.size(); ++i)
        if (early.publication.files[i].path == "metadata/timestamp.json")
            std::swap(early.publication.files[i], early.publication.files[0]);
    EXPECT_EQ(publish(world.address(), world.token, early).status, 400);
    const Answer no_base =
        world.ask("POST", project_path("/publications"), bearer(world.token), parcel.body());
    EXPECT_EQ(no_base.status, 400);
    const Answer no_json = world.ask("POST", project_path("/publications"),
                                     bearer(world.token) + parcel.headers(), "{");
    EXPECT_EQ(no_json.status, 400);
    EXPECT_EQ(world.ask("GET", project_path(""), bearer(world.token)).status, 404);
    EXPECT_EQ(world.ask("GET", "/p/demo/metadata/1.root.json").status, 404);
    EXPECT_EQ(json_of(world.ask("GET", project_path("/audit"), bearer(world.token)))["entries"],
              Json::array());
    EXPECT_EQ(publish(world.address(), world.token, parcel).status, 200);
}

TEST(Reports, count_once) {
    TestServer world;
    EXPECT_EQ(json_of(world.report(report_of("a", 1, 5))), Json({{"accepted", true}}));
    EXPECT_EQ(json_of(world.report(report_of("a", 1, 5))),
              Json({{"accepted", true}, {"duplicate", true}}));
    world.report(report_of("a", 2, 7));
    world.report(report_of("b", 1, 11));
    EXPECT_EQ(world.runs_counted(), 23);
    world.restart();
    EXPECT_EQ(json_of(world.report(report_of("b", 1, 11)))["duplicate"], true);
    EXPECT_EQ(world.runs_counted(), 23);
}

TEST(Reports, old_ones_are_forgotten_and_never_count_again) {
    constexpr std::int64_t day_s = 86'400;
    std::int64_t now = std::int64_t{21'000} * day_s;
    TestServer world({}, [&now] { return now; });
    telemetry::Report report = report_of("a", 1, 5), without_clock = report_of("b", 1, 7);
    report.window_end_ms = now * 1'000;
    without_clock.window_end_ms = 60'000;
    const Json fresh = {{"accepted", true}}, again = {{"accepted", true}, {"duplicate", true}};
    const Json too_old = {{"accepted", false}, {"too_old", true}};
    EXPECT_EQ(json_of(world.report(report)), fresh);
    EXPECT_EQ(json_of(world.report(without_clock)), fresh);
    const auto remembered = [&] {
        const auto ledger = Ledger::open(world.options.data + "/server.db").value();
        auto query = ledger->database->prepare("SELECT count(*) FROM reports").value();
        EXPECT_TRUE(query.step().value());
        return query.integer(0);
    };
    now += (report_days + 2) * day_s;  // too old by now, and still remembered
    world.restart();
    EXPECT_EQ(json_of(world.report(report)), again);
    EXPECT_EQ(remembered(), 2);
    now += 8 * day_s;
    world.restart();
    EXPECT_EQ(remembered(), 1);
    EXPECT_EQ(json_of(world.report(report)), too_old);
    now -= 6 * day_s;  // somebody sets the clock back
    EXPECT_EQ(json_of(world.report(report)), too_old);
    EXPECT_EQ(json_of(world.report(without_clock)), again);
    EXPECT_EQ(world.runs_counted(), 12);
    report.sequence = 2;
    report.window_end_ms = (now - (report_days - 1) * day_s) * 1'000;
    EXPECT_EQ(json_of(world.report(report)), fresh);
    EXPECT_EQ(world.runs_counted(), 17);
}

TEST(Reports, that_were_taken_by_an_older_server_are_remembered) {
    Scratch scratch;
    const std::string file = scratch.path("server.db");
    Ledger::open(file)
        .value()
        ->database
        ->execute(
            "DROP INDEX reports_by_day; ALTER TABLE reports DROP COLUMN ended_day;"
            "INSERT INTO reports VALUES ('demo', 'a', 1); PRAGMA user_version=1")
        .value();
    const auto ledger = Ledger::open(file).value();
    const std::int64_t now_s = std::int64_t{22'000} * 86'400;
    EXPECT_EQ(forget_old_reports(*ledger, now_s).value(), 0);
    IncomingReport again{"demo", report_of("a", 1, 5)}, next{"demo", report_of("a", 2, 5)};
    again.report.window_end_ms = next.report.window_end_ms = now_s * 1'000;
    const auto taken = take_reports(*ledger, std::vector{again, next}, now_s).value();
    EXPECT_EQ(taken[0].value(), Taken::duplicate);
    EXPECT_EQ(taken[1].value(), Taken::fresh);
}

TEST(Reports, many_at_once_all_count) {
    TestServer world;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 1; i <= 10; ++i)
                world.report(report_of("r" + std::to_string(t), i, 1));
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(world.runs_counted(), 80);
}

TEST(Reports, nonsense_is_refused_and_leaves_no_trace) {
    TestServer world;
    const Fields who = bearer(world.token);
    for (const char* text : {"", "[]", "{}", "{\"report_id\":\"a\"}"})
        EXPECT_EQ(world.ask("POST", project_path("/reports"), who, text).status, 400) << text;
    // Counts that no sum could hold: refused, and the report may come again with better ones.
    const auto largest = (std::uint64_t{1} << 48) - 1;
    EXPECT_EQ(world.report(report_of("a", 1, largest)).status, 200);
    EXPECT_EQ(world.report(report_of("a", 2, largest)).status, 400);
    EXPECT_EQ(world.runs_counted(), static_cast<std::int64_t>(largest));
    telemetry::Report goals = report_of("b", 1, 0);
    goals.cells[0].key.version = 7;
    goals.cells[0].counts.goals["tap"] = {1, 1e308, 1e308};
    EXPECT_EQ(world.report(goals).status, 200);
    goals.sequence = 2;
    EXPECT_EQ(world.report(goals).status, 400);
}

TEST(Reports, goals_of_many_names_stay_readable) {
    TestServer world;
    for (std::uint64_t n = 1; n <= 9; ++n) {
        telemetry::Report report = report_of("a", n, 1);
        for (int i = 0; i < 8; ++i)
            report.cells[0].counts.goals["g" + std::to_string(n) + "_" + std::to_string(i)] = {1};
        EXPECT_EQ(world.report(report).status, 200);
    }
    EXPECT_EQ(world.runs_counted(), 9);
}

TEST(Stats, variants_of_a_version_are_added_up) {
    TestServer world;
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "12345")).status, 200);
    telemetry::Report report = report_of("a", 1, 3);
    report.cells.push_back(report.cells[0]);
    report.cells[1].key.experiment = "x";
    report.cells[1].key.variant = "B";
    report.cells[1].counts.inferences[1] = 2;
    report.cells[1].counts.updates[0] = 1;
    report.cells[1].counts.updates[5] = 4;
    ASSERT_EQ(world.report(report).status, 200);
    const Json stats = json_of(world.ask("GET", project_path("/stats"), bearer(world.token)));
    ASSERT_EQ(stats["models"].size(), 1u);
    const Json& row = stats["models"][0];
    EXPECT_EQ(row["runs"], 8);
    EXPECT_EQ(row["success"], 6);
    EXPECT_EQ(row["failure"], 2);
    EXPECT_EQ(row["installed"], 1);
    EXPECT_EQ(row["update_failures"], 4);
    EXPECT_EQ(row["reports"], 1);
    EXPECT_EQ(row["size_bytes"], 5);
    EXPECT_NEAR(row["p95_us"].get<double>(), 100, 1);
    EXPECT_TRUE(row["load_p50_us"].is_null());
}

TEST(Wait, sixty_four_wait_and_all_hear_of_the_next_version) {
    TestServer world;
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    EXPECT_EQ(json_of(world.ask("GET", project_path("/wait?after=0")))["version"], 1);
    EXPECT_EQ(world.ask("GET", project_path("/wait")).status, 400);
    std::vector<std::unique_ptr<Connection>> waiting;
    for (int i = 0; i < 64; ++i) {
        waiting.push_back(std::make_unique<Connection>(world.address()));
        waiting.back()->send(request_text("GET", project_path("/wait?after=1"), {}, ""));
    }
    EXPECT_FALSE(waiting[0]->closed_within(100));
    ASSERT_EQ(publish(world.address(), world.token, author.version(2, "two")).status, 200);
    for (const auto& connection : waiting)
        EXPECT_EQ(connection->receive().body, "{\"version\":2}\n");
    Connection last(world.address());
    last.send(request_text("GET", project_path("/wait?after=2"), {}, ""));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    world.server->stop();
    EXPECT_EQ(last.receive().body, "{\"version\":2}\n");
}

TEST(Wait, who_leaves_is_noticed_at_once) {
    TestServer world;
    Author author;
    ASSERT_EQ(publish(world.address(), world.token, author.version(1, "one")).status, 200);
    const std::string request = request_text("GET", project_path("/wait?after=1"), {}, "");
    const auto waiting = [&](int wanted) {
        const std::string line = "\nskiff_waiting_requests " + std::to_string(wanted) + "\n";
        for (int i = 0; i < 300; ++i) {
            if (world.ask("GET", "/metrics").body.find(line) != std::string::npos) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    };
    Connection stays(world.address()), half(world.address());
    {
        Connection leaves(world.address()), breaks_off(world.address());
        for (Connection* one : {&stays, &half, &leaves, &breaks_off}) one->send(request);
        ASSERT_TRUE(waiting(4));
        breaks_off.abort();
    }
    EXPECT_TRUE(waiting(2));
    half.end_sending();  // and reads on: it gets what there is
    EXPECT_EQ(half.receive().body, "{\"version\":1}\n");
    EXPECT_TRUE(waiting(1));
    stays.send(request_text("GET", "/healthz", {}, ""));  // the next request already
    ASSERT_EQ(publish(world.address(), world.token, author.version(2, "two")).status, 200);
    EXPECT_EQ(stays.receive().body, "{\"version\":2}\n");
    EXPECT_EQ(stays.receive().status, 200);
}

}  // namespace skiff::server::test
