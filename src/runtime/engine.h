// One way to run a model, whoever computes: our interpreter, or an official library opened by path.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace skiff::runtime {

struct TensorInfo {
    std::string name;
    DType dtype = DType::float32;
    Shape shape;  // of this moment: after resize_input; an output's may change in invoke when it
                  // depends on values
    Quantization quantization;
    std::size_t bytes = 0;
};

struct EngineOptions {
    int threads = 1;
    bool allow_fp16 = false;
    std::string signature =
        {};  // empty: the main subgraph's inputs and outputs, in the file's order
};

// One thread at a time, but for cancel().
class Engine {
 public:
    virtual ~Engine() = default;

    virtual std::string_view name() const = 0;  // "skiff", "litert 2.3.0", ...
    virtual std::size_t input_count() const = 0;
    virtual std::size_t output_count() const = 0;
    virtual TensorInfo input_info(std::size_t i) const = 0;
    virtual TensorInfo output_info(std::size_t i) const = 0;  // exact after invoke()

    // Takes effect in prepare(). Contents of inputs are lost.
    virtual Status resize_input(std::size_t i, const Shape& shape) = 0;
    // Plans and allocates for the shapes of now; invoke() does it when it was not done.
    virtual Status prepare() = 0;

    // Valid from prepare() until the next resize_input(), prepare() or destruction.
    virtual MutableBytes input(std::size_t i) = 0;
    // Valid from invoke() until the next call that changes the engine.
    virtual Bytes output(std::size_t i) const = 0;

    virtual Status invoke() = 0;
    // Variable tensors (the model's memory between invocations) back to their start.
    virtual Status reset_state() = 0;
    // From any thread: the invocation in progress ends soon with Code::cancelled. Engines that
    // cannot do it let it finish.
    virtual void cancel() {}
};

// "skiff"; "litert:/path/libLiteRt.so" (the current LiteRt* C ABI);
// "tflite:/path/libtensorflowlite_c.so" (the classic TfLite* C ABI). Libraries run in this process
// here: a library that crashes takes the process along (cli/ isolates them). Errors: not_found (no
// such library, names the path), invalid_argument (a library without the ABI's functions, lists
// one).
Result<std::unique_ptr<Engine>> create_engine(std::string_view spec,
                                              std::shared_ptr<const model::Model> model,
                                              const EngineOptions& options);

}  // namespace skiff::runtime
