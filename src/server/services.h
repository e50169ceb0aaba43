// What the routes work with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/data_folder.h"
#include "server/ledger.h"
#include "server/metrics.h"
#include "server/project.h"
#include "server/reports.h"
#include "server/waiters.h"

namespace skiff::server {

// Any thread. Lives as long as the requests do.
struct Services {
    static Result<std::unique_ptr<Services>> open(const std::string& data,
                                                  std::function<std::int64_t()> now_s);

    // Of what name says, made when somebody who may publish asks first.
    std::shared_ptr<Project> project(const std::string& name);
    // Null when the server has nothing of that name.
    std::shared_ptr<Project> existing_project(const std::string& name);
    // Signs again in all projects what is due, says in the log what will expire, and forgets old
    // reports.
    void upkeep();

    DataFolder data;
    std::function<std::int64_t()> now_s;  // unix time
    std::unique_ptr<FileLock> lock;
    std::unique_ptr<Ledger> ledger;         // tokens, audit, stats
    std::unique_ptr<Ledger> report_ledger;  // its own connection: a commit keeps no request waiting
    std::unique_ptr<ReportWriter> report_writer;
    Metrics metrics;
    Waiters waiters;

 private:
    explicit Services(DataFolder folder) : data(std::move(folder)) {}
    void keep_up(Project& project);
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Project>> projects_;
};

}  // namespace skiff::server
