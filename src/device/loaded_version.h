// One version of a model, loaded, with interpreters that are lent out and counted.
//
// Any thread. Interpreters that come back are kept for the next borrower, so that a borrow while
// nothing changes costs a pointer. retire() is what a swap does: interpreters on loan go on with
// their version, say stale(), and are not kept when they come back.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

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
    telemetry::Cell* cell = nullptr;       // outlives the LoadedVersion
    std::function<void()> on_exposure = {};  // after the first inference that succeeded
};

class LoadedVersion;

// An engine that belongs to its borrower until it is destroyed. invoke() counts: outcome, latency of
// successes, the first inference of the version in this process.
class BorrowedEngine final : public runtime::Engine {
 public:
    ~BorrowedEngine() override;
    bool stale() const;
    const Version& version() const;
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
    BorrowedEngine(std::shared_ptr<LoadedVersion> from, std::unique_ptr<runtime::Interpreter> inner);
    std::shared_ptr<LoadedVersion> from_;
    std::unique_ptr<runtime::Interpreter> inner_;
    std::uint64_t inference_id_ = 0;
    bool resized_ = false;  // not kept: the next borrower expects the model's own shapes
};

// Process-wide, never 0.
std::uint64_t next_inference_id();

class LoadedVersion : public std::enable_shared_from_this<LoadedVersion> {
 public:
    // `keep`: what must live as long as the bytes are used (a lease, a map). Creates and prepares
    // one interpreter, so a version that cannot run fails here; counts the load time and memory.
    static Result<std::shared_ptr<LoadedVersion>> load(Version version,
                                                       std::shared_ptr<const model::Model> model,
                                                       LoadOptions options, Counting counting,
                                                       std::shared_ptr<const void> keep);

    // State of stateful models is reset when an interpreter comes back.
    Result<std::unique_ptr<BorrowedEngine>> borrow();
    void retire();
    bool retired() const { return retired_; }
    const Version& version() const { return version_; }
    const std::shared_ptr<const model::Model>& model() const { return model_; }
    const Counting& counting() const { return counting_; }

 private:
    friend class BorrowedEngine;
    LoadedVersion() = default;
    Result<std::unique_ptr<runtime::Interpreter>> make() const;
    void give_back(std::unique_ptr<runtime::Interpreter> engine, bool resized);

    Version version_;
    std::shared_ptr<const model::Model> model_;
    LoadOptions options_;
    Counting counting_;
    std::shared_ptr<const void> keep_;
    std::atomic<bool> retired_{false}, first_done_{false};
    std::mutex mutex_;
    std::vector<std::unique_ptr<runtime::Interpreter>> idle_;  // under mutex_
};

}  // namespace skiff::device
