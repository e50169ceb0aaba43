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

enum class Taken { fresh, duplicate };

// One transaction, durable at return: each report is counted if its (report_id, sequence) is new.
// The outer error: nothing was taken. An inner one: this report cannot be added up.
Result<std::vector<Result<Taken>>> take_reports(Ledger& ledger,
                                                std::span<const IncomingReport> reports);

struct StatCell {
    telemetry::CellSnapshot cell;
    std::int64_t reports = 0;  // that spoke of this model version, whatever the variant
};
Result<std::vector<StatCell>> read_stats(Ledger& ledger, const std::string& project);

// Takes reports on a thread of its own: those that come while one transaction is being written
// share the next, so that a disk's sync is paid once for all of them.
class ReportWriter {
 public:
    explicit ReportWriter(Ledger& ledger);  // outlives the writer
    ~ReportWriter();                        // answers all that wait
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
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Waiting> waiting_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace skiff::server
