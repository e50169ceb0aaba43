// skiff/client.h: models that are delivered: Client, Model, Download, RemoteModelManager.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <skiff/c_client.h>
#include <skiff/delivery.h>
#include <skiff/host.h>
#include <skiff/runtime.h>

namespace skiff {

// A running or finished update. Letting go of it does not cancel it. Copies share it.
class Download {
 public:
    Progress progress() const {
        skiff_progress p{};
        p.size = sizeof p;
        skiff_download_get_progress(handle_.get(), &p);
        return detail::to_progress(p);
    }
    void on_progress(std::function<void(Progress)> callback) {
        using Callback = std::function<void(Progress)>;
        skiff_download_on_progress(
            handle_.get(),
            [](void* user, const skiff_progress* p) {
                (*static_cast<Callback*>(user))(detail::to_progress(*p));
            },
            new Callback(std::move(callback)), detail::release<Callback>);
    }
    // Ok: the newest version that the rules give this device is active, or nothing was to do.
    // Code::deadline_exceeded when `at_most` passed: it goes on.
    Status wait(std::chrono::nanoseconds at_most) const {
        skiff_error e;
        return detail::to_status(
            skiff_download_wait(handle_.get(), detail::milliseconds(at_most), &e), e);
    }
    bool done() const { return skiff_download_done(handle_.get()) != 0; }
    void cancel() { skiff_download_cancel(handle_.get()); }

 private:
    friend class Model;
    friend class RemoteModelManager;
    explicit Download(skiff_download* handle) : handle_(handle, skiff_download_destroy) {}
    std::shared_ptr<skiff_download> handle_;
};

// A file stays on disk, whatever happens to the store, while its lease lives.
class Lease {
 private:
    friend class Model;
    friend struct ModelFile;
    explicit Lease(skiff_model_file* handle) : handle_(handle, skiff_model_file_destroy) {}
    std::shared_ptr<skiff_model_file> handle_;
};
struct ModelFile {
    std::string path;
    Version version;
    Lease lease;
    // A file that was published with the version ("labels.txt"): its path, or "".
    std::string path_of(const std::string& name) const {
        const char* found = skiff_model_file_path_of(lease.handle_.get(), name.c_str());
        return found ? found : "";
    }
};

// Counts an inference made elsewhere, from its creation to success() or failure(). Not ended:
// counted as aborted.
class Trace {
 public:
    void success() { skiff_trace_success(handle_.get()); }
    void failure(Code code) { skiff_trace_failure(handle_.get(), static_cast<int32_t>(code)); }
    std::uint64_t inference_id() const { return skiff_trace_inference_id(handle_.get()); }

 private:
    friend class Model;
    explicit Trace(skiff_trace* handle) : handle_(handle) {}
    detail::Handle<skiff_trace, skiff_trace_destroy> handle_;
};

struct ModelOptions {
    std::optional<LocalModel> bundled = {};  // given: model() succeeds offline for ever
    DownloadType type = DownloadType::local_model_update_in_background;
    DownloadConditions conditions = {.wifi = true};
    InterpreterOptions interpreter = {};
    // Versions with other inputs or outputs than this io signature never run; "": the bundled
    // model's.
    std::string io_signature = {};
    std::function<void(ModelStatus now, ModelStatus before)> on_change = {};
};

class Model {
 public:
    // The best version that works now, lent out. Borrow one per inference: while nothing changes it
    // costs a pointer. Where the best is no .tflite file, the one before it, or the bundled one, is
    // lent. Errors: not_found while there is none; unimplemented (what is there is for another
    // runtime: use file()).
    Result<Interpreter> interpreter() const {
        skiff_interpreter* borrowed = nullptr;
        skiff_error e;
        if (skiff_model_interpreter(handle(), &borrowed, &e) != SKIFF_OK)
            return detail::to_error(e);
        return Interpreter(borrowed);
    }
    // The best version that works now as a path, whatever its format: for LiteRT, ML Kit, a
    // vendor's runtime.
    Result<ModelFile> file() const {
        skiff_model_file* opened = nullptr;
        skiff_error e;
        if (skiff_model_open_file(handle(), &opened, &e) != SKIFF_OK) return detail::to_error(e);
        skiff_model_version v;
        skiff_model_file_version(opened, &v);
        return ModelFile{skiff_model_file_path(opened), detail::to_version(v), Lease(opened)};
    }
    // For the version that file() gave last.
    Trace trace() const { return Trace(skiff_model_trace(handle())); }

    Result<Download> update(const DownloadConditions& conditions) const {
        const skiff_download_conditions c = detail::c_conditions(conditions);
        return start(&c);
    }
    // Under the conditions of the options.
    Result<Download> update() const { return start(nullptr); }

    ModelStatus status() const {
        skiff_model_status s{};
        s.size = sizeof s;
        skiff_model_get_status(handle(), &s);
        return detail::to_model_status(s);
    }
    Assignment assignment() const {
        skiff_assignment a{};
        a.size = sizeof a;
        skiff_model_get_assignment(handle(), &a);
        return detail::to_assignment(a);
    }
    // Labelled accuracy: was that inference right?
    void record_outcome(std::uint64_t inference_id, bool correct) const {
        skiff_model_record_outcome(handle(), inference_id, correct);
    }
    // A goal of experiments: "tap", "correction".
    void record(std::string_view metric, double value) const {
        skiff_model_record(handle(), std::string(metric).c_str(), value);
    }
    void record_confidence(float confidence) const {
        skiff_model_record_confidence(handle(), confidence);
    }
    skiff_model* handle() const { return handle_.get(); }

 private:
    friend class Client;
    explicit Model(skiff_model* handle) : handle_(handle, skiff_model_destroy) {}
    Result<Download> start(const skiff_download_conditions* conditions) const {
        skiff_download* started = nullptr;
        skiff_error e;
        if (skiff_model_update(handle(), conditions, &started, &e) != SKIFF_OK)
            return detail::to_error(e);
        return Download(started);
    }
    std::shared_ptr<skiff_model> handle_;
};

struct ClientOptions {
    // https://host/p/demo, http:// (all is signed), file:///media/usb; the rest are mirrors.
    std::vector<std::string> urls = {};
    LocalModel root = {};           // the pinned root.json, as a file or bytes
    std::string data_dir = {};      // one store, any number of processes
    std::string report_token = {};  // empty: nothing is ever reported
    std::string report_url = {};    // empty: that of the first url's server
    std::chrono::seconds check_every = std::chrono::hours(24);  // 0: only when asked
    std::uint64_t store_quota_bytes = 256u << 20;
    Attributes attributes = {};
    Host host = {};  // empty functions: this system's
    std::function<void(std::function<void()>)> executor = {};
    std::function<void(Assignment)> on_exposure = {};  // once per experiment and process, into the
                                                       // analytics you have
};

class Client {
 public:
    // Offline, milliseconds. Errors: invalid_argument. A store that cannot be used (full disk,
    // read-only, damaged, of a newer library) is no error here: bundled models go on, their status
    // says why, and updates give the reason.
    static Result<Client> create(const ClientOptions& options);

    // One handle per name: a second call gives the same model, with the first call's options.
    Result<Model> model(const std::string& name, const ModelOptions& options = {}) const;

    Status set_attributes(const Attributes& attributes) const {
        skiff_error e;
        return detail::to_status(
            skiff_client_set_attributes(handle(), detail::json_of(attributes).c_str(), &e), e);
    }
    // For rules that follow the user; never leaves the device.
    void set_user_id(const std::string& user_id) const {
        skiff_client_set_user_id(handle(), user_id.c_str());
    }
    // Check, fetch what the conditions allow, report: for cron and WorkManager.
    Status sync(std::chrono::nanoseconds at_most) const {
        skiff_error e;
        return detail::to_status(skiff_client_sync(handle(), detail::milliseconds(at_most), &e), e);
    }
    skiff_client* handle() const { return handle_.get(); }

 private:
    explicit Client(skiff_client* handle) : handle_(handle, skiff_client_destroy) {}
    std::shared_ptr<skiff_client> handle_;
};

inline Result<Client> Client::create(const ClientOptions& options) {
    struct Callbacks {
        std::function<void(std::function<void()>)> executor;
        std::function<void(Assignment)> on_exposure;
    };
    std::vector<const char*> urls;
    for (const std::string& url : options.urls) urls.push_back(url.c_str());
    const std::string attributes = detail::json_of(options.attributes);
    const skiff_host host = detail::c_host(options.host);
    skiff_client_options o{};
    o.size = sizeof o;
    o.urls = urls.data();
    o.url_count = urls.size();
    o.root_path = detail::c_text(options.root.path);
    o.root = options.root.bytes.data();
    o.root_bytes = options.root.bytes.size();
    o.data_dir = options.data_dir.c_str();
    o.report_url = detail::c_text(options.report_url);
    o.report_token = detail::c_text(options.report_token);
    o.check_every_s = options.check_every.count() > 0 ? options.check_every.count() : -1;
    o.store_quota_bytes = options.store_quota_bytes;
    o.attributes = attributes.c_str();
    o.host = &host;
    o.user = new Callbacks{options.executor, options.on_exposure};
    o.release = detail::release<Callbacks>;
    if (options.executor)
        o.execute = [](void* user, void (*task)(void*), void* argument) {
            static_cast<Callbacks*>(user)->executor([task, argument] { task(argument); });
        };
    if (options.on_exposure)
        o.on_exposure = [](void* user, const skiff_assignment* a) {
            static_cast<Callbacks*>(user)->on_exposure(detail::to_assignment(*a));
        };
    skiff_client* made = nullptr;
    skiff_error e;
    if (skiff_client_create(&o, &made, &e) != SKIFF_OK) return detail::to_error(e);
    return Client(made);
}

inline Result<Model> Client::model(const std::string& name, const ModelOptions& options) const {
    using OnChange = std::function<void(ModelStatus, ModelStatus)>;
    skiff_local_model bundled{};
    if (options.bundled) bundled = detail::c_local_model(*options.bundled);
    const skiff_download_conditions conditions = detail::c_conditions(options.conditions);
    skiff_model_options o{};
    o.size = sizeof o;
    o.bundled = options.bundled ? &bundled : nullptr;
    o.type = static_cast<int32_t>(options.type);
    o.conditions = &conditions;
    o.threads = options.interpreter.threads;
    o.allow_fp16 = options.interpreter.allow_fp16;
    o.signature = detail::c_text(options.interpreter.signature);
    o.io_signature = detail::c_text(options.io_signature);
    if (options.on_change) {
        o.user = new OnChange(options.on_change);
        o.release = detail::release<OnChange>;
        o.on_change = [](void* user, const skiff_model_status* now,
                         const skiff_model_status* before) {
            (*static_cast<OnChange*>(user))(detail::to_model_status(*now),
                                            detail::to_model_status(*before));
        };
    }
    skiff_model* made = nullptr;
    skiff_error e;
    if (skiff_client_model(handle(), name.c_str(), &o, &made, &e) != SKIFF_OK)
        return detail::to_error(e);
    return Model(made);
}

// ML Kit's and Firebase's calls over the same store and rules.
class RemoteModelManager {
 public:
    explicit RemoteModelManager(Client client) : client_(std::move(client)) {}

    bool is_model_downloaded(const std::string& name) const {
        return skiff_client_is_model_downloaded(client_.handle(), name.c_str()) != 0;
    }
    Result<Download> download(const std::string& name, DownloadType type,
                              const DownloadConditions& conditions = {}) const {
        const skiff_download_conditions c = detail::c_conditions(conditions);
        skiff_download* started = nullptr;
        skiff_error e;
        if (skiff_client_download(client_.handle(), name.c_str(), static_cast<int32_t>(type), &c,
                                  &started, &e) != SKIFF_OK)
            return detail::to_error(e);
        return Download(started);
    }
    Status delete_downloaded_model(const std::string& name) const {  // fine if it is not there
        skiff_error e;
        return detail::to_status(
            skiff_client_delete_downloaded_model(client_.handle(), name.c_str(), &e), e);
    }
    std::vector<Version> downloaded_models() const {
        std::vector<skiff_model_version> found(
            skiff_client_downloaded_models(client_.handle(), nullptr, 0));
        const std::size_t count =
            skiff_client_downloaded_models(client_.handle(), found.data(), found.size());
        if (count < found.size()) found.resize(count);
        std::vector<Version> out;
        for (const skiff_model_version& version : found) out.push_back(detail::to_version(version));
        return out;
    }

 private:
    Client client_;
};

}  // namespace skiff
