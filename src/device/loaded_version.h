// One version of a model, loaded, with interpreters that are lent out and counted.
//
// Any thread. Interpreters that come back are kept for the next borrower, so that a borrow while
// nothing changes costs a pointer. retire() is what a swap does: interpreters on loan go on with
// their version, say stale(), and are not kept when they come back.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "device/inference_ring.h"
#include "device/types.h"
#include "host/host.h"
#include "model/model.h"
#include "runtime/interpreter.h"
#include "telemetry/recorder.h"

namespace skiff::device {

struct LoadOptions {
    int threads = 1;
    bool allow_fp16 = false;
    std::string signature = {};  // TFLite signature key for the interpreter; empty: main subgraph
};

// Counts nothing when null: for models of clients without a store.
struct Counting {
    std::shared_ptr<host::Clock> clock;
    telemetry::Cell* cell = nullptr;  // outlives the LoadedVersion
    // After the first inference that succeeded, on its thread, outside every lock. (It counts the
    // exposure: only it knows whether there is an experiment.)
    std::function<void()> on_exposure = {};
    std::shared_ptr<InferenceRing> ring = {};  // learns which inference was counted where
};

class LoadedVersion;

// An engine that belongs to its borrower until it is destroyed. invoke() counts: outcome, latency
// of successes, the first inference of the version in this process.
class BorrowedEngine final : public runtime::Engine {
 public:
    ~BorrowedEngine() override;
    bool stale() const;
    const Version& version() const;
    const std::shared_ptr<const model::Model>& model() const;  // for its metadata
    // Of the newest invoke(); 0 before. Unique in this process.
    std::uint64_t inference_id() const;

    std::string_view name() const override;
    std::size_t input_count() const override;
    std::size_t output_count() const override;
    runtime::TensorInfo input_info(std::size_t i) const override;
    runtime::TensorInfo output_info(std::size_t i) const override;
    Status resize_input(std::size_t i, const Shape& shape) override;
    Status prepare() override;
    MutableBytes input(std::size_t i) override;
    Bytes output(std::size_t i) const override;
    Status invoke() override;
    Status reset_state() override;
    void cancel() override;

 private:
    friend class LoadedVersion;
    BorrowedEngine(std::shared_ptr<LoadedVersion> from, std::unique_ptr<runtime::Interpreter> inner,
                   std::uint64_t counted_bytes);
    void count_memory();
    std::shared_ptr<LoadedVersion> from_;
    std::unique_ptr<runtime::Interpreter> inner_;
    std::uint64_t counted_bytes_;  // of memory, in LoadedVersion::interpreter_bytes_
    std::uint64_t inference_id_ = 0;
    bool changed_ = false;  // not kept: the next borrower expects the model's own shapes
};

// Process-wide, never 0.
std::uint64_t next_inference_id();

class LoadedVersion : public std::enable_shared_from_this<LoadedVersion> {
 public:
    // `keep`: what must live as long as the bytes are used (a lease, a map). Creates and prepares
    // one interpreter, so a version that cannot run fails here; counts the load time and memory.
    // Peak memory is the model's file plus arena and persistent tensors of all interpreters that
    // are alive at once, lent or kept; code and the borrowers' own buffers are not in it.
    static Result<std::shared_ptr<LoadedVersion>> load(Version version,
                                                       std::shared_ptr<const model::Model> model,
                                                       LoadOptions options, Counting counting,
                                                       std::shared_ptr<const void> keep);

    // Also after retire(). State of stateful models is reset when an interpreter comes back; at
    // most max_idle are kept.
    static constexpr std::size_t max_idle = 8;
    Result<std::unique_ptr<BorrowedEngine>> borrow();
    void retire();
    bool retired() const { return retired_; }
    const Version& version() const { return version_; }
    const std::shared_ptr<const model::Model>& model() const { return model_; }
    const Counting& counting() const { return counting_; }

 private:
    friend class BorrowedEngine;
    struct Idle {
        std::unique_ptr<runtime::Interpreter> interpreter;
        std::uint64_t counted_bytes;
    };
    LoadedVersion() = default;
    Result<Idle> make();
    void give_back(Idle idle, bool changed);
    // One interpreter's memory is now another; tells the cell about a new sum.
    void count_memory(std::uint64_t before_bytes, std::uint64_t now_bytes);
    void count_success(std::int64_t latency_ns);

    // In this order: interpreters go first, what holds the bytes last.
    std::shared_ptr<const void> keep_;
    Version version_;
    std::shared_ptr<const model::Model> model_;
    LoadOptions options_;
    Counting counting_;
    std::atomic<bool> retired_{false}, first_done_{false};
    std::atomic<std::uint64_t> interpreter_bytes_{0};
    std::mutex mutex_;
    std::vector<Idle> idle_;  // under mutex_
};

}  // namespace skiff::device
