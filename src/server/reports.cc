#include "server/reports.h"

#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/log.h"

namespace skiff::server {

namespace {

using telemetry::CellCounts;
using telemetry::CellKey;
using telemetry::CellSnapshot;

constexpr std::int64_t most_cells = 20'000;  // per project: a token in every app is no secret
constexpr std::size_t most_goals = 60;
constexpr std::size_t most_waiting = 10'000;
constexpr std::uint64_t largest_sum = std::uint64_t{1} << 48;  // what read_cell takes
constexpr const char* rest_name = "other";
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t forgotten_at_once = 5'000;
constexpr std::chrono::milliseconds between_forgetting{10};

std::int64_t day_of(const telemetry::Report& report) {
    return report.window_end_ms / (day_s * 1'000);
}

Status bind_key(sqlite::Statement& statement, const std::string& project, const CellKey& key) {
    statement.bind(1, project).bind(2, key.model).bind(3, std::int64_t{key.version});
    statement.bind(4, key.experiment).bind(5, key.variant);
    return {};
}

// New names beyond the limit are counted together, as devices do.
void merge_goals_within_limit(CellCounts& into, CellCounts& more) {
    std::map<std::string, telemetry::Goal> kept;
    for (const auto& [name, goal] : more.goals) {
        const bool fits = into.goals.contains(name) || into.goals.size() + kept.size() < most_goals;
        telemetry::Goal& target = kept[fits ? name : rest_name];
        target.count += goal.count;
        target.sum += goal.sum;
        target.sum_of_squares += goal.sum_of_squares;
    }
    more.goals = std::move(kept);
}

bool sketch_fits(const telemetry::Sketch& sketch) {
    bool fits = sketch.zeros() < largest_sum;
    sketch.for_each([&](std::int32_t, std::uint64_t count) { fits &= count < largest_sum; });
    return fits;
}

// Whether the sum can be read again: only lies about counts make one that cannot.
bool can_be_kept(const CellCounts& c) {
    bool fits = sketch_fits(c.latency_us) && sketch_fits(c.load_us) &&
                sketch_fits(c.first_inference_us) && c.exposures < largest_sum &&
                c.labelled < largest_sum && c.correct < largest_sum;
    for (const std::uint64_t n : c.inferences) fits &= n < largest_sum;
    for (const std::uint64_t n : c.updates) fits &= n < largest_sum;
    for (const std::uint64_t n : c.confidence) fits &= n < largest_sum;
    for (const auto& [_, goal] : c.goals)
        fits &= goal.count < largest_sum && std::isfinite(goal.sum) &&
                std::isfinite(goal.sum_of_squares);
    return fits;
}

class Taker {
 public:
    Taker(sqlite::Database& database, std::int64_t today) : database_(database), today_(today) {}

    // Reads all, merges, then writes: an error leaves no trace of the report.
    Result<Taken> take(const IncomingReport& incoming) {
        if (TRY(is_known(incoming))) return Taken::duplicate;
        const std::int64_t day = day_of(incoming.report);
        if (day >= first_day && day < today_ - report_days) return Taken::too_old;
        std::map<CellKey, CellCounts> sums;
        for (const CellSnapshot& cell : incoming.report.cells)
            TRY(merge(incoming.project, cell, sums));
        for (const auto& [key, counts] : sums)
            if (!can_be_kept(counts))
                return error(Code::invalid_argument, "report: the counts of " + key.model + ":" +
                                                         std::to_string(key.version) +
                                                         " are beyond what can be added up");
        TRY(remember(incoming));
        for (const auto& [key, counts] : sums) TRY(write(incoming.project, key, counts));
        TRY(count_report(incoming.project, sums));
        return Taken::fresh;
    }
    bool storage_failed() const { return storage_failed_; }

 private:
    Result<sqlite::Statement> prepare(const char* sql) {
        auto statement = database_.prepare(sql);
        if (!statement.ok()) storage_failed_ = true;
        return statement;
    }
    Status run(sqlite::Statement& statement) {
        Status done = statement.run();
        if (!done.ok()) storage_failed_ = true;
        return done;
    }
    Result<bool> row(sqlite::Statement& statement) {
        auto there = statement.step();
        if (!there.ok()) storage_failed_ = true;
        return there;
    }

    Result<bool> is_known(const IncomingReport& incoming) {
        auto query = TRY(
            prepare("SELECT 1 FROM reports WHERE project = ? AND report_id = ? AND sequence = ?"));
        query.bind(1, incoming.project).bind(2, incoming.report.report_id);
        query.bind(3, static_cast<std::int64_t>(incoming.report.sequence));
        return row(query);
    }

    Status remember(const IncomingReport& incoming) {
        auto insert = TRY(prepare("INSERT INTO reports VALUES (?,?,?,?)"));
        insert.bind(1, incoming.project).bind(2, incoming.report.report_id);
        insert.bind(3, static_cast<std::int64_t>(incoming.report.sequence));
        insert.bind(4, day_of(incoming.report));
        return run(insert);
    }

    Result<bool> is_full(const std::string& project) {
        auto query = TRY(prepare("SELECT count(*) >= ? FROM cells WHERE project = ?"));
        query.bind(1, most_cells).bind(2, project);
        TRY(row(query));
        return query.integer(0) != 0;
    }

    // The counts kept under a key; false when there are none.
    Result<bool> read(const std::string& project, const CellKey& key, CellCounts& counts) {
        auto query =
            TRY(prepare("SELECT counts FROM cells WHERE project = ? AND model = ? AND "
                        "version = ? AND experiment = ? AND variant = ?"));
        TRY(bind_key(query, project, key));
        if (!TRY(row(query))) return false;
        auto kept = telemetry::read_cell(query.text(0));
        if (!kept.ok()) {
            storage_failed_ = true;
            return with_context(kept.take_error(), "server.db");
        }
        counts = std::move(kept->counts);
        return true;
    }

    Status merge(const std::string& project, const CellSnapshot& cell,
                 std::map<CellKey, CellCounts>& sums) {
        CellKey key = cell.key;
        if (!sums.contains(key)) {
            CellCounts kept;
            if (!TRY(read(project, key, kept)) && TRY(is_full(project))) {
                key = CellKey{.model = rest_name};
                if (!sums.contains(key)) TRY(read(project, key, kept));
            }
            sums.try_emplace(key, std::move(kept));
        }
        CellCounts more = cell.counts;
        merge_goals_within_limit(sums[key], more);
        sums[key].merge(more);
        return {};
    }

    Status write(const std::string& project, const CellKey& key, const CellCounts& counts) {
        auto insert = TRY(prepare("INSERT OR REPLACE INTO cells VALUES (?,?,?,?,?,?)"));
        TRY(bind_key(insert, project, key));
        insert.bind(6, telemetry::write_cell({key, counts}));
        return run(insert);
    }

    Status count_report(const std::string& project, const std::map<CellKey, CellCounts>& sums) {
        std::set<std::pair<std::string, std::uint32_t>> versions;
        for (const auto& [key, _] : sums) versions.emplace(key.model, key.version);
        for (const auto& [model, version] : versions) {
            auto add =
                TRY(prepare("INSERT INTO report_counts VALUES (?,?,?,1) "
                            "ON CONFLICT DO UPDATE SET reports = reports + 1"));
            add.bind(1, project).bind(2, model).bind(3, std::int64_t{version});
            TRY(run(add));
        }
        return {};
    }

    sqlite::Database& database_;
    const std::int64_t today_;
    bool storage_failed_ = false;
};

}  // namespace

Result<std::vector<Result<Taken>>> take_reports(Ledger& ledger,
                                                std::span<const IncomingReport> reports,
                                                std::int64_t now_s) {
    const std::lock_guard lock(ledger.mutex);
    std::vector<Result<Taken>> results;
    TRY(ledger.database->transaction([&]() -> Status {
        for (const IncomingReport& report : reports) {
            Taker taker(*ledger.database, now_s / day_s);
            results.push_back(taker.take(report));
            if (taker.storage_failed()) return results.back().error();
        }
        return {};
    }));
    return results;
}

Result<std::int64_t> forget_old_reports(Ledger& ledger, std::int64_t now_s) {
    for (std::int64_t forgotten = 0;; std::this_thread::sleep_for(between_forgetting)) {
        const std::lock_guard lock(ledger.mutex);
        auto remove = TRY(ledger.database->prepare(
            "DELETE FROM reports WHERE (project, report_id, sequence) IN (SELECT project, "
            "report_id, sequence FROM reports WHERE ended_day >= ? AND ended_day < ? LIMIT ?)"));
        remove.bind(1, first_day).bind(2, now_s / day_s - remembered_days);
        TRY(remove.bind(3, forgotten_at_once).run());
        const std::int64_t gone = ledger.database->changes();
        forgotten += gone;
        if (gone < forgotten_at_once) return forgotten;
    }
}

Result<std::vector<StatCell>> read_stats(Ledger& ledger, const std::string& project) {
    const std::lock_guard lock(ledger.mutex);
    auto query = TRY(ledger.database->prepare(
        "SELECT counts, reports FROM cells LEFT JOIN report_counts USING (project, model, version) "
        "WHERE project = ? ORDER BY model, version, experiment, variant"));
    query.bind(1, project);
    std::vector<StatCell> cells;
    while (TRY(query.step())) {
        auto cell = TRY(telemetry::read_cell(query.text(0)));
        cells.push_back({std::move(cell), query.integer(1)});
    }
    return cells;
}

ReportWriter::ReportWriter(Ledger& ledger, std::function<std::int64_t()> now_s)
    : ledger_(ledger), now_s_(std::move(now_s)), thread_([this] { work(); }) {}

ReportWriter::~ReportWriter() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

bool ReportWriter::add(IncomingReport report, std::function<void(Result<Taken>)> done) {
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= most_waiting || ending_) return false;
        waiting_.push_back({std::move(report), std::move(done)});
    }
    wake_.notify_one();
    return true;
}

void ReportWriter::work() {
    for (;;) {
        std::vector<Waiting> batch;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            batch = std::exchange(waiting_, {});
        }
        std::vector<IncomingReport> reports;
        reports.reserve(batch.size());
        for (Waiting& waiting : batch) reports.push_back(std::move(waiting.report));
        auto results = take_reports(ledger_, reports, now_s_());
        for (std::size_t i = 0; i < batch.size(); ++i)
            batch[i].done(results.ok() ? std::move((*results)[i]) : Result<Taken>(results.error()));
    }
}

}  // namespace skiff::server
