#include "device/core.h"

#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/url.h"
#include "trust/date_time.h"
#include "trust/metadata.h"

namespace skiff::device {

namespace {

void fill_host(host::Host& host) {
    if (host.clock && host.http && host.power && host.network) return;
    const host::Host system = host::system_host();
    if (!host.clock) host.clock = system.clock;
    if (!host.http) host.http = system.http;
    if (!host.power) host.power = system.power;
    if (!host.network) host.network = system.network;
}

std::int64_t steady_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// The host's HTTP, which ends soon once the client goes or the time is up.
class BoundedHttp final : public host::Http {
 public:
    BoundedHttp(std::shared_ptr<host::Http> inner, const std::atomic<bool>& stops,
                const std::atomic<const std::atomic<bool>*>& job_stops,
                const std::atomic<std::int64_t>& deadline_ns, bool is_alone)
        : inner_(std::move(inner)),
          stops_(stops),
          job_stops_(job_stops),
          deadline_ns_(deadline_ns),
          is_alone_(is_alone) {}

    Result<host::HttpResponse> send(
        const host::HttpRequest& request,
        FunctionRef<bool(const host::HttpResponse& so_far, Bytes)> on_body) override {
        host::HttpRequest bounded = request;
        const std::atomic<bool>* job_stops = job_stops_;
        bounded.stops = job_stops ? job_stops : &stops_;
        const std::int64_t deadline_ns = deadline_ns_;
        const auto is_late = [&] { return deadline_ns != 0 && steady_ns() >= deadline_ns; };
        const Error late =
            retryable(Code::deadline_exceeded, display_url(request.url) + ": the time is up");
        if (*bounded.stops || stops_)
            return error(Code::cancelled, display_url(request.url) + ": stopped");
        if (is_late()) return late;
        if (deadline_ns != 0)
            // Half of what is left, where another mirror may have it.
            bounded.timeout_ms = std::min(
                bounded.timeout_ms, std::max<std::int64_t>(1, (deadline_ns - steady_ns()) /
                                                                  1'000'000 / (is_alone_ ? 1 : 2)));
        auto response = inner_->send(bounded, [&](const host::HttpResponse& so_far, Bytes bytes) {
            return !stops_ && !is_late() && on_body(so_far, bytes);
        });
        if (!response.ok() && !stops_ && is_late()) return late;
        return response;
    }

 private:
    const std::shared_ptr<host::Http> inner_;
    const std::atomic<bool>& stops_;
    const std::atomic<const std::atomic<bool>*>& job_stops_;
    const std::atomic<std::int64_t>& deadline_ns_;
    const bool is_alone_;  // one mirror
};

Status check_options(const ClientOptions& options) {
    if (options.data_dir.empty())
        return error(Code::invalid_argument, "data_dir is empty: give a folder for the store");
    if (options.urls.empty()) return {};
    if (options.root.empty())
        return error(Code::invalid_argument,
                     "root is empty: give the bytes of the project's root.json");
    const auto root = trust::parse_root(options.root, "the pinned root.json");
    return root.ok() ? Status() : Status(root.error());
}

// A store that has never reported and has no token to begin with counts for its own status alone:
// the cells of versions that are gone make room for those of new ones.
Result<telemetry::Recorder::MayDrop> droppable(Store& store, const ClientOptions& options) {
    if (!options.report_token.empty() || !TRY(store.fact("report_id")).empty())
        return telemetry::Recorder::MayDrop();
    std::set<std::pair<std::string, std::uint32_t>> here;
    for (const auto& [model, version] : TRY(store.installed()))
        here.insert({model, version.number});
    return telemetry::Recorder::MayDrop([here](const telemetry::CellKey& key) {
        return key.version != 0 && !here.contains({key.model, key.version});
    });
}

Result<std::unique_ptr<telemetry::Recorder>> open_recorder(Store& store,
                                                           const ClientOptions& options) {
    const std::int64_t generation = TRY(store.number_fact("counters_generation"));
    return telemetry::Recorder::open(options.data_dir + "/counters",
                                     static_cast<std::uint64_t>(generation),
                                     TRY(droppable(store, options)));
}

}  // namespace

Core::Core(ClientOptions with)
    : options([&] {
          fill_host(with.host);
          return std::move(with);
      }()),
      files(options.data_dir),
      executor(options.executor),
      mirrors(options.urls,
              options.host.http
                  ? std::make_shared<BoundedHttp>(options.host.http, stops, job_stops,
                                                  http_deadline_ns, options.urls.size() < 2)
                  : nullptr,
              options.host.clock),
      app_attributes_(std::make_shared<const Json>(Json::object())) {}

Result<std::shared_ptr<Core>> Core::create(ClientOptions options) {
    TRY(check_options(options));
    Json attributes = Json::object();
    if (!options.attributes.empty()) {
        attributes = TRY(parse_json(options.attributes, "attributes"));
        if (!attributes.is_object())
            return error(Code::invalid_argument, "attributes are a JSON object, {\"name\": value}");
    }
    while (options.data_dir.size() > 1 && options.data_dir.ends_with('/'))
        options.data_dir.pop_back();
    std::shared_ptr<Core> core(new Core(std::move(options)));
    core->open_store();
    core->set_attributes(attributes);
    return core;
}

// There is always a model: what is wrong with the store keeps from updates, not from what is here.
void Core::open_store() {
    auto opened = Store::open(options.data_dir);
    if (opened.ok()) {
        store = std::move(opened).value();
    } else {
        store = Store::unusable(options.data_dir, opened.error());
        log(LogLevel::warning, store->failure()->message);
    }
    recorder = telemetry::Recorder::none();
    if (store->failure()) return;
    auto counters = open_recorder(*store, options);
    if (counters.ok())
        recorder = std::move(counters).value();
    else
        log(LogLevel::warning, "nothing is counted: " + counters.error().message);
}

std::shared_ptr<const Json> Core::attributes() const {
    std::lock_guard lock(mutex_);
    return attributes_;
}

void Core::set_attributes(const Json& attributes) {
    std::lock_guard lock(mutex_);
    app_attributes_ =
        std::make_shared<const Json>(attributes.is_object() ? attributes : Json::object());
    compose_attributes();
}

void Core::set_user_id(const std::string& user_id) {
    std::lock_guard lock(mutex_);
    user_id_ = user_id;
    compose_attributes();
}

void Core::compose_attributes() {
    Json all = Json::object();
    utsname system{};
    if (::uname(&system) == 0) {
        std::string os = system.sysname;
        std::transform(os.begin(), os.end(), os.begin(),
                       [](unsigned char c) { return std::tolower(c); });
        all["os"] = os;
        all["arch"] = system.machine;
    }
    all.update(*app_attributes_);
    all["installation_id"] = store->installation_id();
    if (!user_id_.empty()) all["user_id"] = user_id_;
    attributes_ = std::make_shared<const Json>(std::move(all));
    ++attributes_generation_;
}

void Core::expose(const Assignment& assignment, telemetry::Cell& cell) {
    if (assignment.experiment.empty()) return;
    {
        std::lock_guard lock(mutex_);
        // Each model numbers its rollouts for itself.
        if (!exposed_.insert({assignment.version.model, assignment.experiment}).second) return;
    }
    cell.exposure();
    if (options.on_exposure)
        executor.post([tell = options.on_exposure, assignment] { tell(assignment); });
}

std::string Meter::month() const {
    return trust::date_time_text(core_.now_s()).substr(0, 7);
}

Status Meter::account() {
    const std::uint64_t carried = core_.mirrors.bytes_on_wire() - counted_;
    if (carried == 0) return {};
    counted_ += carried;
    const auto& network = core_.options.host.network;
    if (!network || network->network().metered.value != true) return {};
    return core_.store->add_metered_bytes(month(), carried);
}

std::uint64_t Meter::used_this_month() const {
    const auto used = core_.store->metered_bytes(month());
    return used.ok() ? *used : 0;
}

}  // namespace skiff::device
