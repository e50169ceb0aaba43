#include "device/worker.h"

#include <algorithm>

#include "base/log.h"
#include "device/checker.h"
#include "device/conditions.h"
#include "device/reporter.h"

namespace skiff::device {

namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds first_pause = 200ms, longest_pause = 5s;
constexpr auto busy_pause = 100ms;         // while another process holds the update lock
constexpr auto patience = 10s;             // for it, of who waits for no condition
constexpr auto look_at_clock_every = 60s;  // the wall clock may jump

}  // namespace

Worker::Worker(std::shared_ptr<Core> core, Handles handles)
    : core_(std::move(core)), handles_(std::move(handles)) {}

Worker::~Worker() {
    stop();
}

Download Worker::submit(const UpdateRequest& request, bool or_installed) {
    std::lock_guard lock(mutex_);
    if (core_->stops) return finished_download(error(Code::cancelled, "the client is going"), "");
    for (const auto& job : jobs_)
        if (job->request.model == request.model && !job->state->cancelled && !job->state->is_done())
            return Download(job->state);
    auto job = std::make_shared<Job>();
    job->request = request;
    job->or_installed = or_installed;
    job->started_ns = core_->options.host.clock->monotonic_ns();
    job->state = std::make_shared<Download::State>();
    job->state->progress.why = "waits for its turn";
    job->state->post = [core = std::weak_ptr(core_)](std::function<void()> task) {
        if (const auto alive = core.lock()) alive->executor.post(std::move(task));
    };
    job->state->wake = [worker = weak_from_this()] {
        const auto alive = worker.lock();
        if (!alive) return;
        std::lock_guard waiting(alive->mutex_);  // not between its look and its wait
        alive->changed_.notify_all();
    };
    jobs_.push_back(job);
    if (!running_) {
        running_ = true;
        if (thread_.joinable()) thread_.join();  // it has ended, or is about to
        thread_ = std::thread([self = shared_from_this()] { self->run(); });
    }
    changed_.notify_all();
    return Download(job->state);
}

void Worker::cancel(const std::string& model) {
    std::lock_guard lock(mutex_);
    for (const auto& job : jobs_)
        if (job->request.model == model) job->state->cancelled = true;
    changed_.notify_all();
}

void Worker::nudge() {
    std::lock_guard lock(mutex_);
    nudged_ = true;
    changed_.notify_all();
}

void Worker::start_periodic() {
    std::lock_guard lock(mutex_);
    periodic_ = true;
    running_ = true;
    thread_ = std::thread([self = shared_from_this()] { self->run(); });
}

void Worker::stop() {
    std::thread ending;
    std::list<std::shared_ptr<Job>> left;
    {
        std::lock_guard lock(mutex_);
        core_->stops = true;
        for (const auto& job : jobs_) job->state->cancelled = true;  // a request of theirs ends
        handles_ = nullptr;
        ending.swap(thread_);
        changed_.notify_all();
    }
    if (ending.joinable()) {
        if (ending.get_id() == std::this_thread::get_id())
            ending.detach();  // a callback let go of the client: the thread ends after it
        else
            ending.join();
    }
    {
        std::lock_guard lock(mutex_);
        left.swap(jobs_);
    }
    for (const auto& job : left) job->state->finish(error(Code::cancelled, "the client is gone"));
}

Worker::Time Worker::next_time(Time now) {
    const Time::duration period =
        std::min<Time::duration>(look_at_clock_every, core_->options.check_every);
    Time next = now + (periodic_ ? period : Time::duration(1h));
    if (periodic_ && periodic_not_before_ > now) next = std::min(next, periodic_not_before_);
    for (const auto& job : jobs_) next = std::min(next, job->state->cancelled ? now : job->next);
    return next;
}

void Worker::run() {
    std::unique_lock lock(mutex_);
    while (!core_->stops) {
        if (jobs_.empty() && !periodic_) break;
        const Time now = steady_clock::now();
        if (std::exchange(nudged_, false))
            for (const auto& job : jobs_) job->next = now;
        std::shared_ptr<Job> due;
        for (const auto& job : jobs_)
            if (!due && (job->next <= now || job->state->cancelled)) due = job;
        if (due) {
            // To the back: jobs take turns.
            jobs_.remove(due);
            jobs_.push_back(due);
            lock.unlock();
            attempt(*due);
            lock.lock();
            if (due->state->is_done()) jobs_.remove(due);
            continue;
        }
        if (periodic_) {
            lock.unlock();
            if (periodic_is_due()) periodic();
            lock.lock();
            if (core_->stops) break;
        }
        if (!nudged_) changed_.wait_until(lock, next_time(steady_clock::now()));
    }
    running_ = false;
}

void Worker::finish(Job& job, Status result) {
    look_all();
    job.state->finish(std::move(result));
}

bool Worker::has_installed(const std::string& model) {
    const auto state = core_->store->read(model);
    return state.ok() && !state->installed.empty();
}

// Asked again later, unless its time is over.
bool Worker::wait_on(Job& job, const Error& why, Progress::State state,
                     std::optional<std::chrono::seconds> deadline) {
    const std::int64_t waited_ns = core_->options.host.clock->monotonic_ns() - job.started_ns;
    if (deadline && std::chrono::nanoseconds(waited_ns) >= *deadline) return false;
    Progress now;
    {
        std::lock_guard lock(job.state->mutex);
        now = job.state->progress;
    }
    now.state = state;
    now.why = why.message;
    job.state->report(now);
    job.next = steady_clock::now() + job.pause;
    job.pause = std::min(job.pause * 2, longest_pause);
    return true;
}

// What another process fetches now is worth a while, also to those who ask for what may be done
// now: mostly it is the same.
void Worker::wait_for_turn(Job& job) {
    const auto deadline = job.request.conditions.deadline;
    const bool waits_for_nothing_else = deadline && deadline->count() == 0;
    const Error busy =
        retryable(Code::conditions_unmet, "waits until another process has updated this store");
    if (!wait_on(job, busy, Progress::State::waiting,
                 waits_for_nothing_else ? std::optional(patience) : deadline))
        finish(job, retryable(Code::conditions_unmet,
                              "another process was updating this store all the time"));
    job.next = std::min(job.next, steady_clock::now() + busy_pause);
}

void Worker::attempt(Job& job) {
    if (job.state->cancelled) {
        finish(job,
               error(Code::cancelled, "the download of " + job.request.model + " was cancelled"));
        return;
    }
    Status done;
    {
        const auto lock = core_->store->update_lock();
        if (!lock.ok() && lock.error().code == Code::unavailable) return wait_for_turn(job);
        done = lock.ok() ? attempt_locked(job) : Status(lock.error());
    }  // let go of before the app is told
    if (!done.ok() && job.state->cancelled)
        done = error(Code::cancelled, "the download of " + job.request.model + " was cancelled");
    const bool fall_back = !done.ok() && job.or_installed && done.error().code != Code::cancelled &&
                           has_installed(job.request.model);
    const bool unmet = !done.ok() && done.error().code == Code::conditions_unmet;
    if (fall_back) {
        log(LogLevel::info, job.request.model + ": " + done.error().message);
        finish(job, {});
    } else if (unmet && core_->stops) {
        finish(job, error(Code::cancelled, "the client is going"));
    } else if (unmet) {
        if (!wait_on(job, done.error(), Progress::State::waiting, job.request.conditions.deadline))
            finish(job, done);
        look_all();
    } else if (!done.ok() && done.error().code == Code::cancelled && !core_->stops &&
               !job.state->cancelled) {
        job.next = steady_clock::now() + first_pause;
    } else {
        finish(job, std::move(done));
    }
}

namespace {

// Requests end when the job is cancelled.
class JobStops {
 public:
    JobStops(Core& core, const std::atomic<bool>& stops) : core_(core) { core_.job_stops = &stops; }
    ~JobStops() { core_.job_stops = nullptr; }
    JobStops(const JobStops&) = delete;
    JobStops& operator=(const JobStops&) = delete;

 private:
    Core& core_;
};

}  // namespace

Status Worker::attempt_locked(Job& job) {
    const JobStops stopped(*core_, job.state->cancelled);
    // A deadline of 0 is one for the conditions alone: do what may be done now.
    std::optional<HttpDeadline> bounded;
    if (const auto& deadline = job.request.conditions.deadline; deadline && deadline->count() > 0)
        bounded.emplace(*core_,
                        steady_clock::now() + *deadline -
                            std::chrono::nanoseconds(core_->options.host.clock->monotonic_ns() -
                                                     job.started_ns));
    TRY(core_->store->publish_changes());
    TRY(core_->store->ask_for(job.request.model));
    if (!job.checked) {
        // What is known to be offline is waited for like any other condition.
        host::Host host = core_->host();
        const Permission online = permission({}, host, 0, 0);
        if (!online.allowed) return retryable(Code::conditions_unmet, online.why);
        TRY(check(*core_, {job.request.model}));
        job.checked = true;
        TRY(core_->store->set_fact("model_checked_at_s", std::to_string(core_->now_s())));
    }
    return update(*core_, job.request, [&](const Progress& now) -> Status {
        if (job.state->cancelled || core_->stops)
            return error(Code::cancelled,
                         "the download of " + job.request.model + " was cancelled");
        job.state->report(now);
        return {};
    });
}

void Worker::look_all() {
    std::vector<std::shared_ptr<ModelHandle>> handles;
    {
        std::lock_guard lock(mutex_);
        if (handles_) handles = handles_();
    }
    for (const auto& handle : handles) handle->look();
}

}  // namespace skiff::device
