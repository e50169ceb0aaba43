#include "device/loaded_version.h"

namespace skiff::device {

BorrowedEngine::BorrowedEngine(std::shared_ptr<LoadedVersion> from,
                               std::unique_ptr<runtime::Interpreter> inner,
                               std::uint64_t counted_bytes)
    : from_(std::move(from)), inner_(std::move(inner)), counted_bytes_(counted_bytes) {}

BorrowedEngine::~BorrowedEngine() {
    from_->give_back({std::move(inner_), counted_bytes_}, changed_);
}

bool BorrowedEngine::stale() const {
    return from_->retired();
}
const Version& BorrowedEngine::version() const {
    return from_->version();
}
const std::shared_ptr<const model::Model>& BorrowedEngine::model() const {
    return from_->model();
}
std::uint64_t BorrowedEngine::inference_id() const {
    return inference_id_;
}

std::string_view BorrowedEngine::name() const {
    return inner_->name();
}
std::size_t BorrowedEngine::input_count() const {
    return inner_->input_count();
}
std::size_t BorrowedEngine::output_count() const {
    return inner_->output_count();
}
runtime::TensorInfo BorrowedEngine::input_info(std::size_t i) const {
    return inner_->input_info(i);
}
runtime::TensorInfo BorrowedEngine::output_info(std::size_t i) const {
    return inner_->output_info(i);
}
MutableBytes BorrowedEngine::input(std::size_t i) {
    return inner_->input(i);
}
Bytes BorrowedEngine::output(std::size_t i) const {
    return inner_->output(i);
}
Status BorrowedEngine::reset_state() {
    return inner_->reset_state();
}
void BorrowedEngine::cancel() {
    inner_->cancel();
}

Status BorrowedEngine::resize_input(std::size_t i, const Shape& shape) {
    if (inner_->input_info(i).shape != shape) changed_ = true;
    return inner_->resize_input(i, shape);
}

Status BorrowedEngine::prepare() {
    Status prepared = inner_->prepare();
    if (!prepared.ok()) changed_ = true;  // nothing the next borrower could use
    count_memory();
    return prepared;
}

Status BorrowedEngine::invoke() {
    inference_id_ = next_inference_id();
    const Counting& counting = from_->counting_;
    const bool timed = counting.clock && counting.cell;
    const std::int64_t start_ns = timed ? counting.clock->monotonic_ns() : 0;
    if (counting.ring && counting.cell) counting.ring->note(inference_id_, *counting.cell);
    Status invoked = inner_->invoke();
    const std::int64_t latency_ns = timed ? counting.clock->monotonic_ns() - start_ns : 0;
    // Only then did it allocate anything.
    if (changed_ || !inner_->is_static()) count_memory();
    if (invoked.ok())
        from_->count_success(latency_ns);
    else if (counting.cell)
        counting.cell->inference(invoked.error().code == Code::cancelled
                                     ? telemetry::Outcome::cancelled
                                     : telemetry::Outcome::failure,
                                 latency_ns);
    return invoked;
}

void BorrowedEngine::count_memory() {
    const runtime::MemoryUse use = inner_->memory();
    const std::uint64_t now_bytes = use.arena_bytes + use.persistent_bytes;
    if (now_bytes == counted_bytes_) return;
    from_->count_memory(counted_bytes_, now_bytes);
    counted_bytes_ = now_bytes;
}

}  // namespace skiff::device
