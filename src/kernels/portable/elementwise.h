// Shared by the operators that treat elements one by one: checks, and loops over flat tensors.
#pragma once

#include <string>

#include "kernels/kernel.h"
#include "kernels/portable/checks.h"
#include "kernels/portable/parallel.h"

// Before a loop whose output[i] depends on nothing but the inputs' [i]: it may be vectorized even
// when output and input are the same memory.
#if defined(__clang__)
#define SKIFF_EQUAL_INDICES _Pragma("clang loop vectorize(assume_safety)")
#else
#define SKIFF_EQUAL_INDICES _Pragma("GCC ivdep")
#endif

namespace skiff::kernels {

// Fewest elements worth a thread of their own.
constexpr std::int64_t cheap_grain = 32768;     // an addition or two each
constexpr std::int64_t expensive_grain = 2048;  // an exponential each

// Exactly `inputs` inputs, none left out, and one output.
inline Status check_arity(const PrepareContext& context, std::size_t inputs) {
    bool complete = context.inputs.size() == inputs && context.outputs.size() == 1;
    for (std::size_t i = 0; i < inputs; ++i) complete = complete && context.input(i) != nullptr;
    if (complete) return {};
    return invalid(std::string("the operator needs ") + std::to_string(inputs) +
                   (inputs == 1 ? " input" : " inputs") + " and one output");
}

inline Status check_same_dtype(const Tensor& input, const Tensor& output) {
    if (input.dtype == output.dtype) return {};
    return invalid(std::string("input is ") + std::string(dtype_name(input.dtype)) + ", output " +
                   std::string(dtype_name(output.dtype)) + ": they must be the same");
}

inline Error no_kernel_for(DType type) {
    return unimplemented("no kernel for " + std::string(dtype_name(type)));
}

// Bytes of a tensor's elements, two int4 to a byte. 0 for types without a fixed size.
inline std::int64_t byte_size(const Tensor& tensor) {
    return (tensor.shape.elements() * dtype_bits(tensor.dtype) + 7) / 8;
}

// Every dimension at least 0, and room for 16-byte elements in 63 bits.
inline Status check_size(const Shape& shape) {
    std::int64_t bytes = 16;
    for (const std::int32_t dim : shape)
        if (dim < 0 || __builtin_mul_overflow(bytes, dim, &bytes))
            return invalid(std::string("a tensor of shape ") + shape.to_string() + " is too large");
    return {};
}

// The output may take the place of input `i`, unless that is a constant.
inline void allow_in_place(PrepareContext& context, std::size_t i) {
    if (!context.input(i)->constant) context.in_place_input = static_cast<int>(i);
}

// x between lo and hi; NaN stays NaN.
inline float clamp_float(float x, float lo, float hi) {
    return std::min(std::max(x, lo), hi);
}

// output[i] = f(input[i]) over the whole first input. Types may differ in size only when the output
// is not in the input's place.
template <typename In, typename Out, typename F>
void map_elements(InvokeContext& context, std::int64_t grain, const F& f) {
    const In* input = context.input(0)->as<In>();
    Out* output = context.output().as<Out>();
    parallel_for(context.pool, context.input(0)->shape.elements(), grain,
                 [&](std::int64_t begin, std::int64_t end) {
                     const F op = f;  // a copy that no store to the output can change
                     SKIFF_EQUAL_INDICES
                     for (std::int64_t i = begin; i < end; ++i) output[i] = op(input[i]);
                 });
}

}  // namespace skiff::kernels
