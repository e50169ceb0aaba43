// Works on downloads and periodic checks, on one thread that runs only while there is something to
// do; and does the same for sync() on the caller's thread.
//
// Jobs that wait (for conditions, for another process) are asked again after a while that grows
// from a fifth of a second to five; they never keep each other waiting.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "device/core.h"
#include "device/download_state.h"
#include "device/model_handle.h"
#include "device/updater.h"

namespace skiff::device {

// No request goes on beyond `until`.
class HttpDeadline {
 public:
    HttpDeadline(Core& core, std::chrono::steady_clock::time_point until) : core_(core) {
        core_.http_deadline_ns =
            std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count();
    }
    ~HttpDeadline() { core_.http_deadline_ns = 0; }
    HttpDeadline(const HttpDeadline&) = delete;
    HttpDeadline& operator=(const HttpDeadline&) = delete;

 private:
    Core& core_;
};

class Worker : public std::enable_shared_from_this<Worker> {
 public:
    using Handles = std::function<std::vector<std::shared_ptr<ModelHandle>>()>;
    // `handles`: the models that the app holds; not called after stop().
    Worker(std::shared_ptr<Core> core, Handles handles);
    ~Worker();

    // The job of that model which is under way, or a new one. `or_installed`: offline or deferred
    // it is done with what is installed.
    Download submit(const UpdateRequest& request, bool or_installed);
    void cancel(const std::string& model);
    void nudge();  // jobs that wait are asked again now
    void start_periodic();
    void stop();  // jobs end with Code::cancelled; returns soon

    Status sync(std::chrono::nanoseconds at_most);

 private:
    using Time = std::chrono::steady_clock::time_point;
    struct Job {
        UpdateRequest request;
        bool or_installed = false;
        std::shared_ptr<Download::State> state;
        std::int64_t started_ns = 0;  // of the host's monotonic clock
        Time next = {};
        std::chrono::milliseconds pause{200};
        bool checked = false;
    };

    void run();
    Time next_time(Time now);  // under mutex_
    void attempt(Job& job);
    void wait_for_turn(Job& job);
    Status attempt_locked(Job& job);  // under the update lock
    // False: no longer.
    bool wait_on(Job& job, const Error& why, Progress::State state,
                 std::optional<std::chrono::seconds> deadline);
    void finish(Job& job, Status result);
    bool has_installed(const std::string& model);
    void periodic();
    bool periodic_is_due();
    std::vector<UpdateRequest> background_requests();
    Status pass(Time until, std::vector<UpdateRequest>* kept_back);
    Result<std::unique_ptr<FileLock>> lock_until(Time until);
    void look_all();

    const std::shared_ptr<Core> core_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Handles handles_;                               // under mutex_
    std::list<std::shared_ptr<Job>> jobs_;          // under mutex_
    bool periodic_ = false, running_ = false;       // under mutex_
    bool nudged_ = false;                           // under mutex_
    Time periodic_not_before_ = {};                 // the thread's
    std::chrono::nanoseconds periodic_pause_ = {};  // the thread's; 0: the last one did not fail
    std::thread thread_;                            // under mutex_
};

}  // namespace skiff::device
