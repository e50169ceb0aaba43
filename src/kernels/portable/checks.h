// What every kernel asks of its tensors before it believes them. Models are foreign: a failed check
// is an Error.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "base/result.h"
#include "kernels/kernel.h"
#include "kernels/portable/requantize.h"

namespace skiff::kernels {

inline Error invalid(std::string message) {
    return error(Code::invalid_argument, std::move(message));
}
inline Error unimplemented(std::string message) {
    return error(Code::unimplemented, std::move(message));
}

inline bool usable_scale(float scale) {
    return std::isfinite(scale) && scale > 0;
}

// A tensor quantized as a whole: one positive finite scale, a zero point that the element type can
// store.
inline Status check_quantized(const Tensor& tensor, const char* name) {
    const TensorQuantization& q = tensor.quantization;
    if (!q.present()) return invalid(std::string("the ") + name + " has no quantization");
    if (q.per_channel() || q.zero_points.size() > 1)
        return invalid(std::string("the ") + name + " is quantized per channel");
    if (!usable_scale(q.scale()))
        return invalid(std::string("the ") + name + "'s scale is not a positive number");
    const IntegerRange range = stored_range(tensor.dtype);
    const std::int64_t zero_point = q.zero_points.empty() ? 0 : q.zero_points[0];
    if (zero_point < range.lo || zero_point > range.hi)
        return invalid(std::string("the ") + name + "'s zero point is outside its element type");
    return {};
}

// An optional bias: one value of this type for each of `channels`.
inline Status check_bias(const Tensor* bias, DType type, std::int64_t channels) {
    if (bias == nullptr) return {};
    if (bias->dtype != type)
        return unimplemented("a bias of " + std::string(dtype_name(bias->dtype)) +
                             " has no kernel, " + std::string(dtype_name(type)) + " has");
    if (bias->shape.elements() != channels)
        return invalid("the bias has " + std::to_string(bias->shape.elements()) + " values for " +
                       std::to_string(channels) + " output channels");
    return {};
}

// Dynamic range: the official library gives a node whose bias is computed to other kernels, which
// quantize its input in another way.
inline Status check_hybrid_bias(const Tensor* bias) {
    if (bias == nullptr || bias->constant) return {};
    return unimplemented("a bias that is not constant, under a float input and integer weights");
}

// The official library's accelerated path takes an integer operator only if weights and bias are
// constant, and uint8 weights only if their quantized dimension is 0 (which is of no other
// consequence to a single scale).
inline bool accelerated(const Tensor& weights, const Tensor* bias) {
    return weights.constant && (bias == nullptr || bias->constant) &&
           (weights.dtype != DType::uint8 || weights.quantization.axis == 0);
}

}  // namespace skiff::kernels
