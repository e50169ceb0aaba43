// What a .tflite operator's options say, as plain values. runtime/ fills these in from the model;
// kernels read them.
#pragma once

#include <cstdint>
#include <variant>

#include <skiff/base.h>

namespace skiff::kernels {

enum class Activation : std::uint8_t { none, relu, relu_n1_to_1, relu6, tanh, sign_bit };
enum class Padding : std::uint8_t { same, valid };

struct Conv2dParams {
    Padding padding = Padding::same;
    int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
    Activation activation = Activation::none;
};
struct DepthwiseConv2dParams {  // the channel multiplier follows from the shapes
    Padding padding = Padding::same;
    int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
    Activation activation = Activation::none;
};
struct Pool2dParams {
    Padding padding = Padding::same;
    int stride_h = 1, stride_w = 1, filter_h = 1, filter_w = 1;
    Activation activation = Activation::none;
};
struct FullyConnectedParams {
    Activation activation = Activation::none;
    bool keep_num_dims = false;
    bool shuffled_weights = false;  // a weights format no runtime on x86 takes
};
struct ElementwiseParams {  // ADD, SUB, MUL
    Activation activation = Activation::none;
};
struct ReduceParams {
    bool keep_dims = false;
};
struct ReshapeParams {
    bool has_shape = false;  // the options' shape, used when there is no shape input
    Shape shape;
};
struct SqueezeParams {
    Shape axes;  // rank 0: every dimension of 1
};
struct ConcatenationParams {
    int axis = 0;
    Activation activation = Activation::none;
};
struct SoftmaxParams {
    float beta = 1;
};

using Params = std::variant<std::monostate, Conv2dParams, DepthwiseConv2dParams, Pool2dParams,
                            FullyConnectedParams, ElementwiseParams, ReduceParams, ReshapeParams,
                            SqueezeParams, ConcatenationParams, SoftmaxParams>;

}  // namespace skiff::kernels
