// The device library: what an app holds (include/skiff/skiff.h is the same over the C interface).
//
// Client, Model, Download: any thread. Nothing waits for network or disk unless it is called wait,
// sync or download, and model() with a bundled model never fails for want of either. Callbacks run
// on ClientOptions::executor, outside every lock, and may call back; without an executor on a
// thread of the client's own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "device/loaded_version.h"
#include "device/types.h"
#include "host/host.h"

namespace skiff::device {

// A view of a model that the app brings: a file, memory that stays, or an AutoML Vision Edge
// manifest.json (whose model file and labels lie beside it).
struct LocalModel {
    std::string path = {};
    Bytes bytes = {};  // used when path is empty
    bool is_manifest = false;
};

struct ModelOptions {
    std::optional<LocalModel> bundled = {};
    DownloadType type = DownloadType::local_model_update_in_background;
    DownloadConditions conditions = {.wifi = true};
    LoadOptions load = {};
    // runtime/io_signature.h of what the app can use; empty: the bundled model's, if there is one.
    // Versions with another one are never activated (`why` says so).
    std::string io_signature = {};
    std::function<void(const ModelStatus& now, const ModelStatus& before)> on_change = {};
};

struct ClientOptions {
    std::vector<std::string> urls = {};  // of one repository; the rest are mirrors
    std::string root = {};               // bytes of the pinned root.json
    std::string data_dir = {};
    // Where reports go, with its token. Empty url: {scheme://host}/v1/projects/{project}/reports of
    // the first url that ends in /p/{project}; empty token: nothing is ever reported.
    std::string report_url = {}, report_token = {};
    std::chrono::seconds check_every = std::chrono::hours(24);  // 0: only when asked
    std::uint64_t store_quota_bytes = 256u << 20;
    host::Host host = {};  // null members: the system's
    std::function<void(std::function<void()>)> executor = {};
    std::function<void(const Assignment&)> on_exposure = {};  // once per experiment and process
    // A JSON object, "": none: app_version, device_class, country, ...: targeting.
    std::string attributes = {};
};

// A running or finished update. Letting go of it does not cancel it. Copies share it.
class Download {
 public:
    Progress progress() const;
    void on_progress(std::function<void(const Progress&)> callback);
    // Ok: the newest version that the rules give this device is active (or nothing was to do).
    // Code::deadline_exceeded when `at_most` passed: it goes on.
    Status wait(std::chrono::nanoseconds at_most) const;
    void cancel();
    bool done() const;

    struct State;
    explicit Download(std::shared_ptr<State> state) : state_(std::move(state)) {}

 private:
    std::shared_ptr<State> state_;
};

// A file that stays on disk, whatever happens to the store, while `lease` lives.
struct ModelFile {
    std::string path;
    Version version;
    std::vector<std::pair<std::string, std::string>>
        files;  // what was published with it: name, path
    std::shared_ptr<const void> lease;
};

// Counts an inference made elsewhere. Not ended when it goes: aborted.
class Trace {
 public:
    Trace() = default;  // counts nothing
    Trace(telemetry::Cell* cell, std::shared_ptr<host::Clock> clock,
          std::shared_ptr<const void> keep);
    Trace(Trace&& other) noexcept;
    Trace& operator=(Trace&& other) noexcept;
    ~Trace();
    void success();
    void failure(Code code);  // Code::cancelled counts as cancelled
    std::uint64_t inference_id() const { return inference_id_; }

 private:
    void end(telemetry::Outcome outcome);
    telemetry::Cell* cell_ = nullptr;
    std::shared_ptr<host::Clock> clock_;
    std::shared_ptr<const void> keep_;
    std::int64_t start_ns_ = 0;
    std::uint64_t inference_id_ = 0;
};

class Model {
 public:
    virtual ~Model() = default;
    virtual const std::string& name() const = 0;
    // The best that works now: decide(rules, context) among installed and healthy versions, else
    // the last good one, else the one before, else the bundled one; of those that are .tflite
    // files. Errors: not_found when there is none; unimplemented when there are other files only.
    virtual Result<std::unique_ptr<BorrowedEngine>> interpreter() = 0;
    virtual Result<ModelFile> file() = 0;  // the same choice, whatever the format
    virtual Trace trace() = 0;             // for the version that file() gave last
    virtual Download update(const DownloadConditions& conditions) = 0;
    virtual ModelStatus status() const = 0;
    // Experiment and variant from the moment this device counts in it: what runs is what its arm
    // wants, and its conditions would have let it run the other.
    virtual Assignment assignment() const = 0;
    virtual void record_outcome(std::uint64_t inference_id, bool correct) = 0;
    virtual void record(std::string_view metric, double value) = 0;
    virtual void record_confidence(float value) = 0;
};

class Client {
 public:
    // Offline, milliseconds. Errors: invalid_argument. A store that cannot be used (a full disk, a
    // folder that is read-only, a damaged store, one of a newer library) is none: bundled models
    // run, and what can be read of it runs; `why` says so, and whatever would change it fails.
    static Result<std::shared_ptr<Client>> create(ClientOptions options);
    virtual ~Client() = default;

    // One handle per name: a second call gives the same model, options of the first call.
    virtual Result<std::shared_ptr<Model>> model(const std::string& name, ModelOptions options) = 0;
    // For targeting and buckets from now on; the user id is hashed per experiment by decide/.
    virtual void set_attributes(const Json& attributes) = 0;
    virtual void set_user_id(const std::string& user_id) = 0;
    // Check, fetch what the conditions of the models allow, report. Code::conditions_unmet when
    // only they kept something back; no_network (retry) when nothing could be reached.
    virtual Status sync(std::chrono::nanoseconds at_most) = 0;
    // Models that this store knows: asked for here, or installed by anybody.
    virtual std::vector<std::string> model_names() const = 0;
    virtual std::string installation_id() const = 0;
    // What is installed, counts not yet in a report, reports not yet taken by a server: for `skiff
    // device status`.
    virtual Result<Json> diagnostics() = 0;

    // -- RemoteModelManager: ML Kit's and Firebase's calls over the same store --
    virtual bool is_model_downloaded(std::string_view name) const = 0;
    // local_model: done at once when any version is installed, without the network; else fetches.
    // local_model_update_in_background: done at once when installed, an update goes on; else
    // fetches. latest_model: asks first; offline or deferred it is done with what is installed.
    virtual Download download(const std::string& name, DownloadType type,
                              const DownloadConditions& conditions) = 0;
    virtual Status delete_downloaded_model(const std::string& name) = 0;  // fine if absent
    virtual std::vector<Version> downloaded_models() const = 0;
};

}  // namespace skiff::device
