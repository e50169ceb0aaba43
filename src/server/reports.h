// Reports that arrive at least once and count exactly once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "server/ledger.h"
#include "telemetry/report.h"

namespace skiff::server {

struct IncomingReport {
    std::string project;
    telemetry::Report report;
};

enum class Taken { fresh, duplicate, too_old };

// How a report's (report_id, sequence) can be forgotten and nothing ever counts twice: what a
// device repeats has the same window, byte for byte, so whether a report is too old to be counted
// depends on nothing that the server would have to remember. What is remembered outlives that by a
// week, so that a server's clock may be set back. Windows that end before `first_day` come from
// devices without a clock; they count, and are remembered for ever.
constexpr std::int64_t report_days = 90;
constexpr std::int64_t remembered_days = report_days + 7;
constexpr std::int64_t first_day = 20'089;  // 2025-01-01, in days since 1970

// One transaction, durable at return: each report is counted if its (report_id, sequence) is new
// and its window ended less than report_days before now. The outer error: nothing was taken. An
// inner one: this report cannot be added up.
Result<std::vector<Result<Taken>>> take_reports(Ledger& ledger,
                                                std::span<const IncomingReport> reports,
                                                std::int64_t now_s);

// Forgets the reports that would be too old by now, a few thousand at a time so that others get in
// between. Gives how many.
Result<std::int64_t> forget_old_reports(Ledger& ledger, std::int64_t now_s);

struct StatCell {
    telemetry::CellSnapshot cell;
    std::int64_t reports = 0;  // that spoke of this model version, whatever the variant
};
Result<std::vector<StatCell>> read_stats(Ledger& ledger, const std::string& project);

// Takes reports on a thread of its own: those that come while one transaction is being written
// share the next, so that a disk's sync is paid once for all of them.
class ReportWriter {
 public:
    // The ledger outlives the writer; `now_s` is called on the writer's thread.
    ReportWriter(Ledger& ledger, std::function<std::int64_t()> now_s);
    ~ReportWriter();  // answers all that wait
    ReportWriter(const ReportWriter&) = delete;
    ReportWriter& operator=(const ReportWriter&) = delete;

    // `done` is called on the writer's thread. False, and nothing is kept, when too many wait.
    bool add(IncomingReport report, std::function<void(Result<Taken>)> done);

 private:
    struct Waiting {
        IncomingReport report;
        std::function<void(Result<Taken>)> done;
    };
    void work();

    Ledger& ledger_;
    const std::function<std::int64_t()> now_s_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Waiting> waiting_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace skiff::server
