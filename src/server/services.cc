#include "server/services.h"

#include "base/log.h"
#include "trust/date_time.h"
#include "trust/layout.h"

namespace skiff::server {

Result<std::unique_ptr<Services>> Services::open(const std::string& data,
                                                 std::function<std::int64_t()> now_s) {
    std::unique_ptr<Services> services(new Services(TRY(DataFolder::open(data))));
    services->now_s = std::move(now_s);
    services->lock = TRY(services->data.lock());
    services->ledger = TRY(Ledger::open(services->data.database()));
    services->report_ledger = TRY(Ledger::open(services->data.database()));
    TRY(services->data.empty_uploads());
    services->report_writer =
        std::make_unique<ReportWriter>(*services->report_ledger, services->now_s);
    for (const std::string& name : TRY(services->data.projects()))
        TRY(services->project(name)->settle());
    return services;
}

std::shared_ptr<Project> Services::project(const std::string& name) {
    CHECK(trust::is_plain_name(name));
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Project>& project = projects_[name];
    if (!project) project = std::make_shared<Project>(name, data.project(name), *ledger);
    return project;
}

std::shared_ptr<Project> Services::existing_project(const std::string& name) {
    if (!trust::is_plain_name(name) || !file_exists(data.project(name))) return nullptr;
    return project(name);
}

void Services::upkeep() {
    const auto forgotten = forget_old_reports(*report_ledger, now_s());
    if (!forgotten.ok())
        log(LogLevel::error, "forgetting old reports: " + forgotten.error().message);
    else if (*forgotten > 0)
        log(LogLevel::info, "forgot " + std::to_string(*forgotten) + " old reports, long counted");
    const auto names = data.projects();
    if (!names.ok()) return log(LogLevel::error, "listing projects: " + names.error().message);
    for (const std::string& name : *names) keep_up(*project(name));
}

void Services::keep_up(Project& project) {
    const auto done = project.resign(now_s());
    if (!done.ok())
        return log(LogLevel::error,
                   "project " + project.name() + ": signing again: " + done.error().message);
    std::string roles;
    for (const std::string& role : done->signed_again) roles += (roles.empty() ? "" : ", ") + role;
    if (!roles.empty()) {
        log(LogLevel::info, "project " + project.name() + ": signed again: " + roles);
        if (const auto version = project.version(); version.ok())
            waiters.published(project.name(), *version);
    }
    const auto published = project.published();
    if (!published.ok()) return;
    const trust::RoleExpiry& first = (*published)->first_to_expire;
    if (!done->has_key)
        log(LogLevel::info, "project " + project.name() + ": no online.json here; " + first.role +
                                " expires " + trust::date_time_text(first.expires_s) +
                                " unless a publisher signs it again");
    else if (first.expires_s <= now_s())
        log(LogLevel::warning, "project " + project.name() + ": " + first.role + " expired " +
                                   trust::date_time_text(first.expires_s) +
                                   ", and its key is not here (sign it again where its key is)");
}

}  // namespace skiff::server
