#include "device/loaded_version.h"

namespace skiff::device {

namespace {

std::uint64_t memory_of(const runtime::Interpreter& interpreter) {
    const runtime::MemoryUse use = interpreter.memory();
    return use.arena_bytes + use.persistent_bytes;
}

}  // namespace

std::uint64_t next_inference_id() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Result<std::shared_ptr<LoadedVersion>> LoadedVersion::load(
    Version version, std::shared_ptr<const model::Model> model, LoadOptions options,
    Counting counting, std::shared_ptr<const void> keep) {
    CHECK(model);
    std::shared_ptr<LoadedVersion> loaded(new LoadedVersion);
    loaded->keep_ = std::move(keep);
    loaded->version_ = std::move(version);
    loaded->model_ = std::move(model);
    loaded->options_ = std::move(options);
    loaded->counting_ = std::move(counting);
    const Counting& counts = loaded->counting_;
    const bool timed = counts.clock && counts.cell;
    const std::int64_t start_ns = timed ? counts.clock->monotonic_ns() : 0;
    loaded->idle_.push_back(TRY(loaded->make()));
    if (timed) counts.cell->load(counts.clock->monotonic_ns() - start_ns);
    return loaded;
}

Result<LoadedVersion::Idle> LoadedVersion::make() {
    auto made = runtime::Interpreter::create(model_, {.threads = options_.threads,
                                                      .allow_fp16 = options_.allow_fp16,
                                                      .signature = options_.signature});
    if (!made.ok()) return with_context(made.take_error(), to_string(version_));
    Status prepared = (*made)->prepare();
    if (!prepared.ok()) return with_context(prepared.take_error(), to_string(version_));
    const std::uint64_t bytes = memory_of(**made);
    count_memory(0, bytes);
    return Idle{std::move(*made), bytes};
}

Result<std::unique_ptr<BorrowedEngine>> LoadedVersion::borrow() {
    std::optional<Idle> lent;
    {
        std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            lent = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!lent) lent = TRY(make());
    return std::unique_ptr<BorrowedEngine>(
        new BorrowedEngine(shared_from_this(), std::move(lent->interpreter), lent->counted_bytes));
}

// Interpreters are destroyed outside the lock: theirs may be many megabytes and threads to join.
void LoadedVersion::retire() {
    std::vector<Idle> dropped;
    {
        std::lock_guard lock(mutex_);
        retired_ = true;
        dropped.swap(idle_);
    }
    for (const Idle& idle : dropped) count_memory(idle.counted_bytes, 0);
}

void LoadedVersion::give_back(Idle idle, bool changed) {
    const bool fit = !changed && idle.interpreter->reset_state().ok();
    {
        std::lock_guard lock(mutex_);
        if (fit && !retired_ && idle_.size() < max_idle) {
            idle_.push_back(std::move(idle));
            return;
        }
    }
    count_memory(idle.counted_bytes, 0);
}

void LoadedVersion::count_memory(std::uint64_t before_bytes, std::uint64_t now_bytes) {
    const std::uint64_t change = now_bytes - before_bytes;  // modulo 2^64, as the sum
    const std::uint64_t sum = interpreter_bytes_.fetch_add(change) + change;
    if (now_bytes > before_bytes && counting_.cell)
        counting_.cell->peak_memory(sum + model_->bytes().size());
}

void LoadedVersion::count_success(std::int64_t latency_ns) {
    const bool first = !first_done_.load(std::memory_order_relaxed) && !first_done_.exchange(true);
    if (counting_.cell) {
        counting_.cell->inference(telemetry::Outcome::success, latency_ns);
        if (first) counting_.cell->first_inference(latency_ns);
    }
    if (first && counting_.on_exposure) counting_.on_exposure();
}

}  // namespace skiff::device
