// What an operator is to the interpreter: prepared once per shape, invoked many times.
//
// A file in kernels/portable/ holds one operator: a class derived from Kernel, and its factory. The
// registry (kernels/registry.cc) lists the factories. Integer arithmetic follows docs/exact.md:
// what comes out is the same on every CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "base/thread_pool.h"
#include "kernels/params.h"

namespace skiff::kernels {

// Numbers of the .tflite format's builtin operators: those that have a kernel.
enum class Opcode : std::int32_t {
    add = 0,
    average_pool_2d = 1,
    concatenation = 2,
    conv_2d = 3,
    depthwise_conv_2d = 4,
    dequantize = 6,
    fully_connected = 9,
    logistic = 14,
    max_pool_2d = 17,
    mul = 18,
    relu = 19,
    relu6 = 21,
    reshape = 22,
    softmax = 25,
    pad = 34,
    mean = 40,
    sub = 41,
    squeeze = 43,
    quantize = 114,
    hard_swish = 117,
};

// real = scales[c] * (stored - zero_points[c]); one entry for a whole tensor, or one per index of
// dimension `axis`. Empty: not quantized. The spans outlive the kernel.
struct TensorQuantization {
    std::span<const float> scales;
    std::span<const std::int64_t> zero_points;
    int axis = 0;
    bool present() const { return !scales.empty(); }
    bool per_channel() const { return scales.size() > 1; }
    float scale() const { return scales.empty() ? 0.f : scales[0]; }
    std::int32_t zero_point() const {
        return zero_points.empty() ? 0 : static_cast<std::int32_t>(zero_points[0]);
    }
};

struct Tensor {
    DType dtype = DType::float32;
    Shape shape;
    TensorQuantization quantization;
    std::uint8_t* data =
        nullptr;            // aligned to 64 bytes when in the arena, else at least to the element
    bool constant = false;  // data is there in prepare and stays as it is (weights; folded shapes)

    template <typename T>
    const T* as() const {
        return reinterpret_cast<const T*>(data);
    }
    template <typename T>
    T* as() {
        return reinterpret_cast<T*>(data);
    }
};

// Given to prepare(). input(i) is null when the model leaves an optional input out (index -1) or
// has fewer.
class PrepareContext {
 public:
    std::span<const Tensor* const> inputs;
    std::span<Tensor* const> outputs;

    const Tensor* input(std::size_t i) const { return i < inputs.size() ? inputs[i] : nullptr; }
    Tensor& output(std::size_t i = 0) const { return *outputs[i]; }

    // Bytes of working memory that invoke() finds in InvokeContext::scratch (64-byte aligned,
    // shared with other nodes).
    std::size_t scratch_bytes = 0;
    // Output 0 may lie where this input lies if nobody reads the input afterwards. -1: never.
    int in_place_input = -1;
    // The output shape depends on the values of an input that is not constant: prepare is called
    // again, with the values, right before invoke. Set it and return ok when a shape-giving input
    // is not constant and has data == nullptr; such an input has its data, though not `constant`,
    // the second time.
    bool shape_needs_data = false;
};

struct InvokeContext {
    std::span<const Tensor* const> inputs;
    std::span<Tensor* const> outputs;
    std::uint8_t* scratch = nullptr;
    ThreadPool* pool = nullptr;  // may be null

    const Tensor* input(std::size_t i) const { return i < inputs.size() ? inputs[i] : nullptr; }
    Tensor& output(std::size_t i = 0) const { return *outputs[i]; }
};

// One node's operator. Owned by one interpreter, used by one thread at a time.
class Kernel {
 public:
    virtual ~Kernel() = default;

    // Checks element types, ranks and quantization; sets the output shapes; computes what stays the
    // same over invocations. May allocate. Called again after a resize. The dtypes of the outputs
    // are the model's. Errors: Code::unimplemented for a valid form that has no kernel,
    // Code::invalid_argument for a model that makes no sense. Messages do not name the node: the
    // interpreter does.
    virtual Status prepare(PrepareContext& context) = 0;

    // Computes the outputs. Allocates nothing. Fails only where values are illegal.
    virtual Status invoke(InvokeContext& context) = 0;
};

using Factory = std::unique_ptr<Kernel> (*)(const Params&);

struct Registration {
    Opcode opcode;
    int max_version;  // the newest version of the operator that the kernel understands
    Factory create;
};

// Null when there is none.
const Registration* find_kernel(std::int32_t builtin_code);
std::span<const Registration> all_kernels();

}  // namespace skiff::kernels
