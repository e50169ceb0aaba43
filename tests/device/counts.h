// A cell that remembers what was counted, and a clock that moves when it is read.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "host/host.h"
#include "telemetry/recorder.h"

namespace skiff::device::testing {

class Counts final : public telemetry::Cell {
 public:
    void inference(telemetry::Outcome outcome, std::int64_t latency_ns) override {
        constexpr const char* words[] = {"success ", "failure ", "cancelled ", "aborted "};
        std::lock_guard lock(mutex_);
        outcomes_ += words[static_cast<int>(outcome)];
        latencies_ns_.push_back(latency_ns);
        ++counts_[static_cast<int>(outcome)];
    }
    void load(std::int64_t load_ns) override {
        std::lock_guard lock(mutex_);
        loads_ns.push_back(load_ns);
    }
    void first_inference(std::int64_t latency_ns) override {
        std::lock_guard lock(mutex_);
        first_ns.push_back(latency_ns);
    }
    void peak_memory(std::uint64_t bytes) override {
        std::lock_guard lock(mutex_);
        peaks_bytes_.push_back(bytes);
    }
    void exposure() override { ++exposures; }
    void labelled_outcome(bool) override {}
    void confidence(float) override {}
    void update(telemetry::UpdateOutcome) override {}
    void goal(std::string_view, double) override {}

    // Since the last call: "success failure ".
    std::string outcomes() {
        std::lock_guard lock(mutex_);
        return std::exchange(outcomes_, {});
    }
    std::vector<std::int64_t> latencies_ns() {
        std::lock_guard lock(mutex_);
        return std::exchange(latencies_ns_, {});
    }
    std::vector<std::uint64_t> peaks_bytes() {
        std::lock_guard lock(mutex_);
        return std::exchange(peaks_bytes_, {});
    }
    int count(telemetry::Outcome outcome) {
        std::lock_guard lock(mutex_);
        return counts_[static_cast<int>(outcome)];
    }

    std::vector<std::int64_t> loads_ns, first_ns;  // to be read when no thread counts
    int exposures = 0;

 private:
    std::mutex mutex_;
    std::string outcomes_;
    std::vector<std::int64_t> latencies_ns_;
    std::vector<std::uint64_t> peaks_bytes_;
    int counts_[telemetry::outcome_kinds] = {};
};

class TickingClock final : public host::Clock {
 public:
    explicit TickingClock(std::int64_t tick_ns) : tick_ns_(tick_ns) {}
    std::int64_t unix_ms() override { return 0; }
    std::int64_t monotonic_ns() override { return now_ns_.fetch_add(tick_ns_); }
    int minutes_of_local_day() override { return 0; }

 private:
    const std::int64_t tick_ns_;
    std::atomic<std::int64_t> now_ns_{1'000};
};

}  // namespace skiff::device::testing
