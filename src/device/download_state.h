// What the copies of one Download share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "device/client.h"
#include "device/executor.h"

namespace skiff::device {

struct Download::State {
    std::mutex mutex;
    std::condition_variable changed;
    // All under `mutex`.
    Progress progress;
    bool done = false;
    Status result;
    std::function<void(const Progress&)> on_progress;
    std::function<void(std::function<void()>)> post;  // to the app's executor
    std::function<void()> wake;                       // who works on it

    std::atomic<bool> cancelled{false};

    void report(const Progress& now);
    void finish(Status with);  // once; later ones are ignored
    bool is_done();
};

Download finished_download(Status result, std::string why);

}  // namespace skiff::device
