// Where the app's callbacks run: on the executor that it gave, else on one thread that starts with
// the first callback.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace skiff::device {

// Any thread. Callbacks run one after the other, in order, when the thread is ours.
class Executor {
 public:
    using Task = std::function<void()>;
    explicit Executor(std::function<void(Task)> given) : given_(std::move(given)) {}
    // Ends after the callback that runs now; those that wait are dropped. May be called by one.
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    void post(Task task);

 private:
    struct Queue {
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<Task> tasks;
        bool ends = false;
    };
    static void run(const std::shared_ptr<Queue>& queue);

    const std::function<void(Task)> given_;
    const std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
    std::thread thread_;  // under queue_->mutex
};

}  // namespace skiff::device
