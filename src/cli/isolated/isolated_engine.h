// An engine in a child process: this program again, under a verb that is not listed, with memory
// and time limits. The official libraries crash on some files and grow without bound on others;
// here that is an Error ("litert crashed: SIGSEGV on model.tflite"), and every later call gives the
// same one.
//
// Also what bench measures with: the child takes the time around the library's call alone, and its
// memory is its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/isolated/message.h"
#include "runtime/engine.h"

namespace skiff::cli {

struct IsolationOptions {
    std::string program = "/proc/self/exe";               // a skiff, to be started as the child
    std::chrono::milliseconds time_limit{60'000};         // per call
    std::uint64_t memory_limit = std::uint64_t{6} << 30;  // address space, bytes
};

struct ProcessUse {
    std::int64_t load_ns;      // from the model's bytes in memory to an engine ready to invoke
    std::uint64_t peak_bytes;  // largest resident set so far, less that before loading
};

class IsolatedEngine final : public runtime::Engine {
 public:
    // `spec`: any that runtime::create_engine takes.
    static Result<std::unique_ptr<IsolatedEngine>> start(
        const std::string& spec, const std::shared_ptr<const model::Model>& model,
        const runtime::EngineOptions& options, IsolationOptions isolation = {});
    ~IsolatedEngine() override;

    std::string_view name() const override { return name_; }
    std::size_t input_count() const override { return inputs_.size(); }
    std::size_t output_count() const override { return outputs_.size(); }
    runtime::TensorInfo input_info(std::size_t i) const override { return inputs_[i].info; }
    runtime::TensorInfo output_info(std::size_t i) const override { return outputs_[i].info; }
    Status resize_input(std::size_t i, const Shape& shape) override;
    Status prepare() override;
    MutableBytes input(std::size_t i) override;
    Bytes output(std::size_t i) const override;
    Status invoke() override;
    Status reset_state() override;

    // Invokes `count` times with the inputs as they are; each one's time in nanoseconds, without
    // the trip to the child.
    Result<std::vector<std::int64_t>> time_invocations(int count);
    Result<ProcessUse> process_use();

 private:
    struct Slot {
        runtime::TensorInfo info;
        std::string data;
    };

    IsolatedEngine(std::string label, IsolationOptions isolation)
        : label_(std::move(label)), isolation_(std::move(isolation)) {}
    Status spawn(const std::shared_ptr<const model::Model>& model);
    // Sends, waits, takes the answer's body; a failed answer, a crash and silence become errors.
    Result<std::string> call(MessageType type, std::string body);
    std::string input_body() const;
    Error ended(const Error& why);
    Status read_infos(BodyReader& reader);
    void stop();

    std::string name_ = "engine";
    std::string label_;  // the model's
    IsolationOptions isolation_;
    int socket_ = -1;
    int pid_ = -1;
    bool prepared_ = false;
    std::vector<Slot> inputs_, outputs_;
    Error dead_{};  // set once the child is gone
};

// The child's side: answers on `socket_fd` about the model in `model_fd` until the other end
// closes.
int serve_isolated_engine(int socket_fd, int model_fd, std::uint64_t memory_limit);

}  // namespace skiff::cli
