#include "device/client.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "decide/version_record.h"
#include "device/reporter.h"
#include "device/worker.h"
#include "telemetry/report.h"

namespace skiff::device {

namespace {

class ClientImpl final : public Client {
 public:
    explicit ClientImpl(std::shared_ptr<Core> core)
        : core_(std::move(core)),
          worker_(std::make_shared<Worker>(core_, [this] { return handles(); })) {
        if (checks_periodically()) worker_->start_periodic();
    }
    ~ClientImpl() override { worker_->stop(); }

    Result<std::shared_ptr<Model>> model(const std::string& name, ModelOptions options) override {
        TRY(decide::check_model_name(name));
        const auto [handle, is_new] = TRY(find_or_make(name, std::move(options)));
        // The last periodic check did not know it, or did not get to its end. (Outside the lock:
        // the worker asks for the handles under its own.)
        if (is_new && checks_periodically() && handle->follows_rules() && handle->lacks_something())
            (void)worker_->submit(handle->request(), false);
        return std::shared_ptr<Model>(handle);
    }

    void set_attributes(const Json& attributes) override {
        core_->set_attributes(attributes);
        look_all();
        worker_->nudge();
    }
    void set_user_id(const std::string& user_id) override {
        core_->set_user_id(user_id);
        look_all();
        worker_->nudge();
    }
    Status sync(std::chrono::nanoseconds at_most) override { return worker_->sync(at_most); }

    std::vector<std::string> model_names() const override {
        const auto names = core_->store->models();
        return names.ok() ? *names : std::vector<std::string>();
    }
    std::string installation_id() const override { return core_->store->installation_id(); }

    Result<Json> diagnostics() override {
        telemetry::Report counts;
        counts.report_id = "not sent yet";
        counts.sequence = 1;
        counts.cells = core_->recorder->snapshot();
        const ReportCounts reports = TRY(report_counts(*core_->store));
        const Json report = TRY(parse_json(telemetry::write_report(counts), "counts"));
        Json installed = Json::array();
        for (const auto& [model, version] : TRY(core_->store->installed()))
            installed.push_back({{"model", model},
                                 {"version", version.number},
                                 {"sha256", version.sha256},
                                 {"bytes", version.bytes}});
        const auto store_bytes = TRY(core_->files.bytes_used());
        const auto checked_at_s = std::max(TRY(core_->store->number_fact("checked_at_s")),
                                           TRY(core_->store->number_fact("model_checked_at_s")));
        const std::string check_failure = TRY(core_->store->fact("check_failure"));
        return Json{{"installed", std::move(installed)},  {"counts", report.at("cells")},
                    {"reports_waiting", reports.waiting}, {"reports_refused", reports.refused},
                    {"store_bytes", store_bytes},         {"checked_at_s", checked_at_s},
                    {"check_failure", check_failure}};
    }

    bool is_model_downloaded(std::string_view name) const override {
        const auto state = core_->store->read(std::string(name));
        return state.ok() && !state->installed.empty();
    }

    Download download(const std::string& name, DownloadType type,
                      const DownloadConditions& conditions) override {
        if (Status good = decide::check_model_name(name); !good.ok())
            return finished_download(std::move(good), "");
        const bool installed = is_model_downloaded(name);
        if (installed && type == DownloadType::local_model)
            return finished_download({}, name + " is installed");
        UpdateRequest request{name, conditions};
        if (const auto handle = find(name)) {
            request = handle->request();
            request.conditions = conditions;
        }
        Download update = worker_->submit(request, type == DownloadType::latest_model && installed);
        if (installed && type == DownloadType::local_model_update_in_background)
            return finished_download({}, name + " is installed, an update goes on");
        return update;
    }

    Status delete_downloaded_model(const std::string& name) override {
        worker_->cancel(name);
        TRY(core_->store->forget(name));
        if (find(name)) TRY(core_->store->ask_for(name));
        look_all();
        // Files go now, or with the next update when one is under way.
        if (const auto lock = core_->store->update_lock(); lock.ok())
            return core_->files.collect(*core_->store, {});
        return {};
    }

    std::vector<Version> downloaded_models() const override {
        std::vector<Version> versions;
        const auto names = core_->store->models();
        if (!names.ok()) return versions;
        for (const std::string& name : *names) {
            const auto state = core_->store->read(name);
            if (!state.ok()) continue;
            const auto active = state->installed.find(state->active);
            if (active != state->installed.end())
                versions.push_back({name, active->first, active->second.sha256});
        }
        return versions;
    }

 private:
    bool checks_periodically() const {
        return core_->options.check_every.count() > 0 && !core_->options.urls.empty();
    }
    Result<std::pair<std::shared_ptr<ModelHandle>, bool>> find_or_make(const std::string& name,
                                                                       ModelOptions options) {
        std::lock_guard lock(mutex_);
        if (const auto known = models_.find(name); known != models_.end())
            return std::pair(known->second, false);
        const bool bundled = options.bundled.has_value();
        auto handle = TRY(ModelHandle::create(core_, worker_, name, std::move(options)));
        const Status asked = core_->store->ask_for(name);
        if (!asked.ok() && !bundled) return asked.error();
        if (!asked.ok()) log(LogLevel::warning, name + ": " + asked.error().message);
        models_[name] = handle;
        return std::pair(std::move(handle), true);
    }
    std::vector<std::shared_ptr<ModelHandle>> handles() const {
        std::lock_guard lock(mutex_);
        std::vector<std::shared_ptr<ModelHandle>> all;
        for (const auto& [name, handle] : models_) all.push_back(handle);
        return all;
    }
    std::shared_ptr<ModelHandle> find(const std::string& name) const {
        std::lock_guard lock(mutex_);
        const auto at = models_.find(name);
        return at == models_.end() ? nullptr : at->second;
    }
    void look_all() {
        for (const auto& handle : handles()) handle->look();
    }

    const std::shared_ptr<Core> core_;
    const std::shared_ptr<Worker> worker_;
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<ModelHandle>> models_;  // under mutex_
};

}  // namespace

Result<std::shared_ptr<Client>> Client::create(ClientOptions options) {
    auto core = TRY(Core::create(std::move(options)));
    return std::shared_ptr<Client>(std::make_shared<ClientImpl>(std::move(core)));
}

}  // namespace skiff::device
