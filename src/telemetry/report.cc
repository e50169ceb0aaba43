#include "telemetry/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace skiff::telemetry {

namespace {

constexpr const char* outcome_names[outcome_kinds] = {"success", "failure", "cancelled", "aborted"};
constexpr const char* update_names[update_outcome_kinds] = {
    "installed",     "load_failed", "smoke_failed", "hash_mismatch",
    "bad_signature", "network",     "no_space"};
constexpr std::size_t most_cells = 1000;
constexpr std::size_t longest_name = 63;
constexpr std::uint64_t largest_count = std::uint64_t{1} << 48;

template <std::size_t n>
Json write_counts(const char* const (&names)[n], const std::uint64_t (&counts)[n]) {
    Json object = Json::object();
    for (std::size_t i = 0; i < n; ++i)
        if (counts[i]) object[names[i]] = counts[i];
    return object;
}

Json cell_json(const CellSnapshot& cell) {
    const CellCounts& c = cell.counts;
    Json json = {{"model", cell.key.model},
                 {"version", cell.key.version},
                 {"outcomes", write_counts(outcome_names, c.inferences)},
                 {"latency_us", c.latency_us.to_json()}};
    if (!cell.key.experiment.empty()) {
        json["experiment"] = cell.key.experiment;
        json["variant"] = cell.key.variant;
    }
    if (c.load_us.count()) json["load_us"] = c.load_us.to_json();
    if (c.first_inference_us.count()) json["first_inference_us"] = c.first_inference_us.to_json();
    if (c.peak_memory_bytes) json["peak_memory_bytes"] = c.peak_memory_bytes;
    if (c.exposures) json["exposures"] = c.exposures;
    if (c.labelled) json["labelled"] = {{"count", c.labelled}, {"correct", c.correct}};
    Json updates = write_counts(update_names, c.updates);
    if (!updates.empty()) json["updates"] = std::move(updates);
    Json bins = Json::array();
    std::uint64_t total = 0;
    for (const std::uint64_t n : c.confidence) {
        bins.push_back(n);
        total += n;
    }
    if (total) json["confidence"] = std::move(bins);
    for (const auto& [name, goal] : c.goals)
        json["goals"][name] = {
            {"count", goal.count}, {"sum", goal.sum}, {"sum_of_squares", goal.sum_of_squares}};
    return json;
}

Error bad(const std::string& what) {
    return error(Code::invalid_argument, "report: " + what);
}

// An optional member that is a count; absent is 0.
Result<std::uint64_t> read_count(const Json& object, const char* key) {
    if (!object.is_object()) return bad("an object is missing");
    const auto it = object.find(key);
    if (it == object.end()) return std::uint64_t{0};
    if (!it->is_number_unsigned() || it->get<std::uint64_t>() > largest_count)
        return bad("\"" + std::string(key) + "\" is not a count");
    return it->get<std::uint64_t>();
}

template <std::size_t n>
Status read_counts(const Json& object, const char* const (&names)[n], std::uint64_t (&counts)[n]) {
    for (std::size_t i = 0; i < n; ++i) counts[i] = TRY(read_count(object, names[i]));
    return {};
}

Result<std::string> read_name(const Json& object, const char* key, bool required) {
    const auto it = object.find(key);
    if (it == object.end() && !required) return std::string();
    if (it == object.end() || !it->is_string())
        return bad("\"" + std::string(key) + "\" is missing or not a string");
    std::string name = it->get<std::string>();
    if (name.size() > longest_name || (required && name.empty()))
        return bad("\"" + std::string(key) + "\" is empty or longer than 63 bytes");
    return name;
}

Status read_sketch(const Json& cell, const char* key, Sketch& sketch) {
    const auto it = cell.find(key);
    if (it == cell.end()) return {};
    sketch = TRY(Sketch::from_json(*it));
    return {};
}

Status read_goals(const Json& cell, CellCounts& counts) {
    const auto goals = cell.find("goals");
    if (goals == cell.end()) return {};
    if (!goals->is_object() || goals->size() > 64)
        return bad("\"goals\" is not an object of at most 64");
    for (const auto& [name, goal] : goals->items()) {
        Goal read;
        read.count = TRY(read_count(goal, "count"));
        if (name.size() > longest_name || !goal.contains("sum") || !goal["sum"].is_number() ||
            !goal.contains("sum_of_squares") || !goal["sum_of_squares"].is_number())
            return bad("goal \"" + name.substr(0, longest_name) + "\" has no sums");
        read.sum = goal["sum"];
        read.sum_of_squares = goal["sum_of_squares"];
        counts.goals[name] = read;
    }
    return {};
}

Status read_extras(const Json& json, CellCounts& counts) {
    if (const auto labelled = json.find("labelled"); labelled != json.end()) {
        counts.labelled = TRY(read_count(*labelled, "count"));
        counts.correct = TRY(read_count(*labelled, "correct"));
        if (counts.correct > counts.labelled) return bad("more correct than labelled");
    }
    if (const auto updates = json.find("updates"); updates != json.end())
        TRY(read_counts(*updates, update_names, counts.updates));
    if (const auto bins = json.find("confidence"); bins != json.end()) {
        if (!bins->is_array() || bins->size() != confidence_bins)
            return bad("\"confidence\" has not 20 bins");
        for (int i = 0; i < confidence_bins; ++i) {
            const Json& bin = (*bins)[static_cast<std::size_t>(i)];
            if (!bin.is_number_unsigned() || bin.get<std::uint64_t>() > largest_count)
                return bad("\"confidence\" has a bin that is no count");
            counts.confidence[i] = bin;
        }
    }
    return read_goals(json, counts);
}

Result<CellSnapshot> cell_of(const Json& json) {
    if (!json.is_object()) return bad("a cell is not an object");
    CellSnapshot cell;
    cell.key.model = TRY(read_name(json, "model", true));
    const std::uint64_t version = TRY(read_count(json, "version"));
    if (version > UINT32_MAX) return bad("\"version\" is too large");
    cell.key.version = static_cast<std::uint32_t>(version);
    cell.key.experiment = TRY(read_name(json, "experiment", false));
    cell.key.variant = TRY(read_name(json, "variant", false));
    CellCounts& c = cell.counts;
    if (const auto outcomes = json.find("outcomes"); outcomes != json.end())
        TRY(read_counts(*outcomes, outcome_names, c.inferences));
    TRY(read_sketch(json, "latency_us", c.latency_us));
    TRY(read_sketch(json, "load_us", c.load_us));
    TRY(read_sketch(json, "first_inference_us", c.first_inference_us));
    c.peak_memory_bytes = TRY(read_count(json, "peak_memory_bytes"));
    c.exposures = TRY(read_count(json, "exposures"));
    TRY(read_extras(json, c));
    return cell;
}

}  // namespace

std::string write_report(const Report& report) {
    Json cells = Json::array();
    for (const CellSnapshot& cell : report.cells) cells.push_back(cell_json(cell));
    return json_text(
        {{"report_id", report.report_id},
         {"sequence", report.sequence},
         {"window", {{"start_ms", report.window_start_ms}, {"end_ms", report.window_end_ms}}},
         {"device",
          {{"app_version", report.app_version}, {"os", report.os}, {"arch", report.arch}}},
         {"cells", std::move(cells)}});
}

Result<Report> read_report(std::string_view text) {
    const Json json = TRY(parse_json(text, "report"));
    if (!json.is_object()) return bad("is not an object");
    Report report;
    report.report_id = TRY(read_name(json, "report_id", true));
    const std::int64_t sequence = TRY(json_int(json, "sequence", "report"));
    if (sequence < 1) return bad("\"sequence\" begins at 1");
    report.sequence = static_cast<std::uint64_t>(sequence);
    const Json& window = *TRY(json_object(json, "window", "report"));
    report.window_start_ms = TRY(json_int(window, "start_ms", "report window"));
    report.window_end_ms = TRY(json_int(window, "end_ms", "report window"));
    if (const auto device = json.find("device"); device != json.end()) {
        if (!device->is_object()) return bad("\"device\" is not an object");
        report.app_version = TRY(read_name(*device, "app_version", false));
        report.os = TRY(read_name(*device, "os", false));
        report.arch = TRY(read_name(*device, "arch", false));
    }
    const Json& cells = *TRY(json_array(json, "cells", "report"));
    if (cells.size() > most_cells) return bad("has more than 1,000 cells");
    for (const Json& cell : cells) report.cells.push_back(TRY(cell_of(cell)));
    return report;
}

std::string write_cell(const CellSnapshot& cell) {
    return json_text(cell_json(cell));
}

Result<CellSnapshot> read_cell(std::string_view text) {
    return cell_of(TRY(parse_json(text, "cell")));
}

}  // namespace skiff::telemetry
