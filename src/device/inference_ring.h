// Which cell counted an inference, for the newest few: outcomes that are known later find their
// way back to the version that ran.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "telemetry/recorder.h"

namespace skiff::device {

// Any thread, no locks. Cells outlive the ring's users.
class InferenceRing {
 public:
    void note(std::uint64_t inference_id, telemetry::Cell& cell) {
        Slot& slot = slots_[inference_id % slots_.size()];
        slot.id.store(0, std::memory_order_relaxed);
        slot.cell.store(&cell, std::memory_order_release);
        slot.id.store(inference_id, std::memory_order_release);
    }

    // Null: not known, or too long ago. Each inference is given once.
    telemetry::Cell* take(std::uint64_t inference_id) {
        if (inference_id == 0) return nullptr;
        Slot& slot = slots_[inference_id % slots_.size()];
        if (slot.id.load(std::memory_order_acquire) != inference_id) return nullptr;
        telemetry::Cell* cell = slot.cell.load(std::memory_order_acquire);
        std::uint64_t expected = inference_id;
        return slot.id.compare_exchange_strong(expected, 0) ? cell : nullptr;
    }

 private:
    struct Slot {
        std::atomic<std::uint64_t> id{0};
        std::atomic<telemetry::Cell*> cell{nullptr};
    };
    std::array<Slot, 1024> slots_;
};

}  // namespace skiff::device
