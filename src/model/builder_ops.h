// Operators for the builder, with plain arguments: tensor indices first, then what the operator is
// told. An optional tensor is left out with `none`.
#pragma once

#include "model/builder.h"

namespace skiff::model::ops {

constexpr std::int32_t none = -1;

enum class Padding { same = 0, valid = 1 };
// Numbers of the format.
enum class Activation { none = 0, relu = 1, relu_n1_to_1 = 2, relu6 = 3, tanh = 4, sign_bit = 5 };

struct Conv2D {
    Padding padding = Padding::same;
    int stride_h = 1, stride_w = 1;
    int dilation_h = 1, dilation_w = 1;
    Activation activation = Activation::none;
    int depth_multiplier = 1;  // of depthwise_conv_2d only
};
struct Pool2D {
    int filter_h = 2, filter_w = 2;
    int stride_h = 2, stride_w = 2;
    Padding padding = Padding::valid;
    Activation activation = Activation::none;
};

using Index = std::int32_t;

// input [batch, h, w, in], filter [out, kernel_h, kernel_w, in], bias [out]
OperatorSpec conv_2d(Index input, Index filter, Index bias, Index output,
                     const Conv2D& options = {});
// filter [1, kernel_h, kernel_w, in * depth_multiplier]
OperatorSpec depthwise_conv_2d(Index input, Index filter, Index bias, Index output,
                               const Conv2D& options = {});
// output_shape: an int32 tensor of 4; filter [out, kernel_h, kernel_w, in]
OperatorSpec transpose_conv(Index output_shape, Index filter, Index input, Index bias, Index output,
                            const Conv2D& options = {});
// filter [out, in]
OperatorSpec fully_connected(Index input, Index filter, Index bias, Index output,
                             Activation activation = Activation::none, bool keep_num_dims = false);
OperatorSpec average_pool_2d(Index input, Index output, const Pool2D& options = {});
OperatorSpec max_pool_2d(Index input, Index output, const Pool2D& options = {});

OperatorSpec add(Index a, Index b, Index output, Activation activation = Activation::none);
OperatorSpec sub(Index a, Index b, Index output, Activation activation = Activation::none);
OperatorSpec mul(Index a, Index b, Index output, Activation activation = Activation::none);
OperatorSpec div(Index a, Index b, Index output, Activation activation = Activation::none);

OperatorSpec mean(Index input, Index axes, Index output, bool keep_dims = false);
OperatorSpec pad(Index input, Index paddings, Index output);
// The shape is a tensor, or an option when there is no tensor.
OperatorSpec reshape(Index input, Index shape, Index output,
                     std::vector<std::int32_t> new_shape = {});
OperatorSpec squeeze(Index input, Index output, std::vector<std::int32_t> dims = {});
OperatorSpec concatenation(std::vector<Index> inputs, Index output, int axis,
                           Activation activation = Activation::none);

OperatorSpec softmax(Index input, Index output, float beta = 1);
OperatorSpec logistic(Index input, Index output);
OperatorSpec tanh(Index input, Index output);
OperatorSpec relu(Index input, Index output);
OperatorSpec relu6(Index input, Index output);
OperatorSpec hard_swish(Index input, Index output);
OperatorSpec quantize(Index input, Index output);
OperatorSpec dequantize(Index input, Index output);

}  // namespace skiff::model::ops

namespace skiff::model {

// The lowest version number that stands for an operator on tensors of these types.
int lowest_version(const OperatorSpec& spec, const std::vector<TensorSpec>& tensors);

}  // namespace skiff::model
