#include <nlohmann/json.hpp>

#include "device/client.h"

namespace skiff::device {

Trace::Trace(telemetry::Cell* cell, std::shared_ptr<host::Clock> clock,
             std::shared_ptr<const void> keep)
    : cell_(clock ? cell : nullptr),
      clock_(std::move(clock)),
      keep_(std::move(keep)),
      start_ns_(cell_ ? clock_->monotonic_ns() : 0),
      inference_id_(next_inference_id()) {}

Trace::Trace(Trace&& other) noexcept {
    *this = std::move(other);
}

Trace& Trace::operator=(Trace&& other) noexcept {
    if (this == &other) return *this;
    end(telemetry::Outcome::aborted);
    cell_ = std::exchange(other.cell_, nullptr);
    clock_ = std::move(other.clock_);
    keep_ = std::move(other.keep_);
    start_ns_ = other.start_ns_;
    inference_id_ = std::exchange(other.inference_id_, 0);
    return *this;
}

Trace::~Trace() {
    end(telemetry::Outcome::aborted);
}

void Trace::success() {
    end(telemetry::Outcome::success);
}

void Trace::failure(Code code) {
    end(code == Code::cancelled ? telemetry::Outcome::cancelled : telemetry::Outcome::failure);
}

// The first of success, failure and destruction counts.
void Trace::end(telemetry::Outcome outcome) {
    if (telemetry::Cell* cell = std::exchange(cell_, nullptr))
        cell->inference(outcome, clock_->monotonic_ns() - start_ns_);
    clock_.reset();
    keep_.reset();
}

}  // namespace skiff::device
