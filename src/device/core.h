// What the parts of one client share.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "device/client.h"
#include "device/download.h"
#include "device/executor.h"
#include "device/store.h"
#include "device/store_files.h"
#include "telemetry/recorder.h"

namespace skiff::device {

// Any thread, but for `mirrors`, which belongs to who holds the update lock.
class Core {
 public:
    static Result<std::shared_ptr<Core>> create(ClientOptions options);

    const ClientOptions options;  // host members are filled in
    std::unique_ptr<Store> store;
    const StoreFiles files;
    std::unique_ptr<telemetry::Recorder> recorder;
    Executor executor;
    Mirrors mirrors;

    host::Host host() const { return options.host; }
    std::int64_t now_s() const { return options.host.clock->unix_ms() / 1000; }

    // What decisions are made with: the app's attributes, the system's, and the two ids.
    std::shared_ptr<const Json> attributes() const;
    void set_attributes(const Json& attributes);
    void set_user_id(const std::string& user_id);
    // Goes up with every change of the attributes.
    std::uint64_t attributes_generation() const { return attributes_generation_; }

    // Tells the app about a model's experiment, once in this process, and counts it.
    void expose(const Assignment& assignment, telemetry::Cell& cell);

    // Set when the client goes: whatever waits or loads ends soon with Code::cancelled.
    std::atomic<bool> stops{false};
    // Requests of who holds the update lock end by then (steady clock); 0: when they end.
    std::atomic<std::int64_t> http_deadline_ns{0};
    // Ends a request of who holds the update lock, too; set by stop() as well. Null: none.
    std::atomic<const std::atomic<bool>*> job_stops{nullptr};

 private:
    Core(ClientOptions with);
    void open_store();
    void compose_attributes();  // under mutex_
    mutable std::mutex mutex_;
    std::shared_ptr<const Json> app_attributes_, attributes_;  // under mutex_
    std::string user_id_;                                      // under mutex_
    std::set<std::pair<std::string, std::string>> exposed_;    // under mutex_: model, experiment
    std::atomic<std::uint64_t> attributes_generation_{1};
};

// Adds to the month's account what the network carried since it was called last, if it is metered.
class Meter {
 public:
    explicit Meter(Core& core) : core_(core), counted_(core.mirrors.bytes_on_wire()) {}
    ~Meter() { (void)account(); }
    Meter(const Meter&) = delete;
    Meter& operator=(const Meter&) = delete;
    Status account();
    std::uint64_t used_this_month() const;

 private:
    std::string month() const;  // "2027-01"
    Core& core_;
    std::uint64_t counted_;
};

}  // namespace skiff::device
