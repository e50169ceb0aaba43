#include "device/executor.h"

namespace skiff::device {

void Executor::post(Task task) {
    if (given_) return given_(std::move(task));
    std::lock_guard lock(queue_->mutex);
    queue_->tasks.push_back(std::move(task));
    if (!thread_.joinable()) thread_ = std::thread([queue = queue_] { run(queue); });
    queue_->changed.notify_one();
}

void Executor::run(const std::shared_ptr<Queue>& queue) {
    std::unique_lock lock(queue->mutex);
    for (;;) {
        queue->changed.wait(lock, [&] { return queue->ends || !queue->tasks.empty(); });
        if (queue->ends) return;
        {
            const Task task = std::move(queue->tasks.front());
            queue->tasks.pop_front();
            lock.unlock();
            task();
        }  // what the task holds goes outside the lock: it may be the last of a client
        lock.lock();
    }
}

Executor::~Executor() {
    std::deque<Task> dropped;
    {
        std::lock_guard lock(queue_->mutex);
        queue_->ends = true;
        dropped.swap(queue_->tasks);
        queue_->changed.notify_all();
    }
    if (!thread_.joinable()) return;
    if (thread_.get_id() == std::this_thread::get_id())
        thread_.detach();  // a callback let go of the client: its thread ends after it
    else
        thread_.join();
}

}  // namespace skiff::device
