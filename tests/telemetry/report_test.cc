#include "telemetry/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"

namespace skiff::telemetry {

namespace {

Report full_report() {
    Report report;
    report.report_id = "3f0c";
    report.sequence = 4;
    report.window_start_ms = 1'700'000'000'000;
    report.window_end_ms = 1'700'000'060'000;
    report.app_version = "3.2.0";
    report.os = "linux";
    report.arch = "x86_64";
    CellSnapshot cell;
    cell.key = {"digits", 2, "rollout-1", "B"};
    cell.counts.inferences[0] = 10;
    cell.counts.inferences[3] = 1;
    for (int i = 1; i <= 10; ++i) cell.counts.latency_us.add(i * 100);
    cell.counts.load_us.add(5);
    cell.counts.first_inference_us.add(7);
    cell.counts.peak_memory_bytes = 1 << 20;
    cell.counts.exposures = 3;
    cell.counts.labelled = 4;
    cell.counts.correct = 3;
    cell.counts.confidence[19] = 2;
    cell.counts.updates[0] = 1;
    cell.counts.goals["tap"] = {2, 5, 13};
    report.cells.push_back(cell);
    return report;
}

}  // namespace

TEST(Report, both_ways) {
    const std::string text = write_report(full_report());
    const auto back = read_report(text);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(write_report(*back), text);
    EXPECT_EQ(back->cells[0].key, full_report().cells[0].key);
    EXPECT_EQ(back->cells[0].counts.latency_us, full_report().cells[0].counts.latency_us);
}

TEST(Report, a_newer_device_may_say_more) {
    Json json = *parse_json(write_report(full_report()), "r");
    json["new"] = 1;
    json["cells"][0]["new"] = {{"x", 1}};
    json["cells"][0]["outcomes"]["new"] = 5;
    EXPECT_TRUE(read_report(json.dump()).ok());
}

TEST(Report, refuses_what_no_device_sends) {
    const std::pair<const char*, const char*> cases[] = {
        {"/report_id", "\"\""},
        {"/report_id", "7"},
        {"/sequence", "0"},
        {"/sequence", "-1"},
        {"/sequence", "1.5"},
        {"/window", "[]"},
        {"/window/start_ms", "\"x\""},
        {"/device", "3"},
        {"/cells", "{}"},
        {"/cells/0", "3"},
        {"/cells/0/model", "\"\""},
        {"/cells/0/model", "\"0123456789012345678901234567890123456789012345678901234567890123\""},
        {"/cells/0/version", "-1"},
        {"/cells/0/version", "4294967296"},
        {"/cells/0/outcomes", "[]"},
        {"/cells/0/outcomes/success", "-1"},
        {"/cells/0/outcomes/success", "1e300"},
        {"/cells/0/latency_us", "{}"},
        {"/cells/0/labelled/correct", "5"},
        {"/cells/0/confidence", "[1]"},
        {"/cells/0/confidence/3", "-1"},
        {"/cells/0/goals", "[]"},
        {"/cells/0/goals/tap", "{}"},
        {"/cells/0/goals/tap/sum", "\"x\""},
        {"/cells/0/updates", "7"},
    };
    for (const auto& [at, value] : cases) {
        Json json = *parse_json(write_report(full_report()), "r");
        json[Json::json_pointer(at)] = Json::parse(value);
        const auto read = read_report(json.dump());
        EXPECT_FALSE(read.ok()) << at << " = " << value;
    }
    Json many = *parse_json(write_report(full_report()), "r");
    for (int i = 0; i < 1000; ++i) many["cells"].push_back(many["cells"][0]);
    EXPECT_FALSE(read_report(many.dump()).ok());
}

// docs/formats/report.md shows what we write, to the byte.
TEST(Report, the_pages_example) {
    Report report = full_report();
    report.cells[0].counts.inferences[0] = 4;
    report.cells[0].counts.latency_us = {};
    for (int i = 1; i <= 4; ++i) report.cells[0].counts.latency_us.add(i * 100);
    const std::string page = read_file("docs/formats/report.md").value();
    EXPECT_NE(page.find("\n    " + write_report(report) + "\n"), std::string::npos)
        << write_report(report);
}

TEST(Report, a_cell_alone_reads_as_it_was_written) {
    const CellSnapshot cell = full_report().cells[0];
    const auto read = read_cell(write_cell(cell));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->key, cell.key);
    EXPECT_EQ(write_cell(*read), write_cell(cell));
    EXPECT_FALSE(read_cell("[]").ok());
    EXPECT_FALSE(read_cell("{").ok());
}

}  // namespace skiff::telemetry
