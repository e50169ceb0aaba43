#include "runtime/lowering.h"

#include <flatbuffers/flatbuffers.h>

#include "kernels/kernel.h"
#include "model/schema.h"

namespace skiff::runtime {
namespace {

using kernels::Activation;
using kernels::Opcode;
using kernels::Params;

Result<Activation> lower_activation(int stored) {
    if (stored < 0 || stored > static_cast<int>(Activation::sign_bit))
        return error(Code::invalid_argument,
                     "activation " + std::to_string(stored) + " is not one of the format's");
    return static_cast<Activation>(stored);
}

Result<kernels::Padding> lower_padding(int stored) {
    if (stored < 0 || stored > static_cast<int>(kernels::Padding::valid))
        return error(Code::invalid_argument,
                     "padding " + std::to_string(stored) + " is not one of the format's");
    return static_cast<kernels::Padding>(stored);
}

Status check_positive(const char* what, int height, int width) {
    if (height >= 1 && width >= 1) return {};
    return error(Code::invalid_argument, std::string(what) + " " + std::to_string(height) + "x" +
                                             std::to_string(width) + " is not positive");
}

Result<Shape> lower_shape(const char* what, const flatbuffers::Vector<std::int32_t>* dims) {
    if (!dims) return Shape();
    if (dims->size() > Shape::max_rank)
        return error(
            Code::invalid_argument,
            std::string(what) + " has " + std::to_string(dims->size()) + " entries, 8 is the most");
    Shape shape;
    for (std::int32_t dim : *dims) shape.push_back(dim);
    return shape;
}

// CONV_2D and DEPTHWISE_CONV_2D: the same members in two generated types.
template <typename P, typename Options>
Result<Params> lower_convolution(const Options* options) {
    if (!options) return error(Code::invalid_argument, "the operator has no options");
    TRY(check_positive("stride", options->stride_h(), options->stride_w()));
    TRY(check_positive("dilation", options->dilation_h_factor(), options->dilation_w_factor()));
    P params;
    params.padding = TRY(lower_padding(options->padding()));
    params.stride_h = options->stride_h();
    params.stride_w = options->stride_w();
    params.dilation_h = options->dilation_h_factor();
    params.dilation_w = options->dilation_w_factor();
    params.activation = TRY(lower_activation(options->fused_activation_function()));
    return Params(params);
}

Result<Params> lower_pool(const tflite::Pool2DOptions* options) {
    if (!options) return error(Code::invalid_argument, "the operator has no options");
    TRY(check_positive("stride", options->stride_h(), options->stride_w()));
    TRY(check_positive("filter", options->filter_height(), options->filter_width()));
    kernels::Pool2dParams params;
    params.padding = TRY(lower_padding(options->padding()));
    params.stride_h = options->stride_h();
    params.stride_w = options->stride_w();
    params.filter_h = options->filter_height();
    params.filter_w = options->filter_width();
    params.activation = TRY(lower_activation(options->fused_activation_function()));
    return Params(params);
}

Result<Params> lower_fully_connected(const tflite::FullyConnectedOptions* options) {
    kernels::FullyConnectedParams params;
    if (!options) return Params(params);
    const int format = options->weights_format();
    if (format < 0 || format > 1)
        return error(Code::invalid_argument,
                     "weights format " + std::to_string(format) + " is not one of the format's");
    params.activation = TRY(lower_activation(options->fused_activation_function()));
    params.keep_num_dims = options->keep_num_dims();
    params.shuffled_weights = format == 1;
    return Params(params);
}

// ADD, MUL and SUB: the same member in three generated types.
template <typename Options>
Result<Params> lower_elementwise(const Options* options) {
    kernels::ElementwiseParams params;
    if (options) params.activation = TRY(lower_activation(options->fused_activation_function()));
    return Params(params);
}

Result<Params> lower_concatenation(const tflite::ConcatenationOptions* options) {
    kernels::ConcatenationParams params;
    if (!options) return Params(params);
    params.axis = options->axis();
    params.activation = TRY(lower_activation(options->fused_activation_function()));
    return Params(params);
}

Result<Params> lower_reshape(const tflite::ReshapeOptions* options) {
    kernels::ReshapeParams params;
    if (!options || !options->new_shape()) return Params(params);
    params.has_shape = true;
    params.shape = TRY(lower_shape("the new shape", options->new_shape()));
    return Params(params);
}

Result<Params> lower_squeeze(const tflite::SqueezeOptions* options) {
    kernels::SqueezeParams params;
    if (options) params.axes = TRY(lower_shape("the list of axes", options->squeeze_dims()));
    return Params(params);
}

}  // namespace

Result<Params> lower_options(const model::Operator& op) {
    const auto& stored = *static_cast<const tflite::Operator*>(op.flatbuffer);
    switch (static_cast<Opcode>(op.builtin_code)) {
        case Opcode::conv_2d:
            return lower_convolution<kernels::Conv2dParams>(
                stored.builtin_options_as_Conv2DOptions());
        case Opcode::depthwise_conv_2d:
            return lower_convolution<kernels::DepthwiseConv2dParams>(
                stored.builtin_options_as_DepthwiseConv2DOptions());
        case Opcode::average_pool_2d:
        case Opcode::max_pool_2d:
            return lower_pool(stored.builtin_options_as_Pool2DOptions());
        case Opcode::fully_connected:
            return lower_fully_connected(stored.builtin_options_as_FullyConnectedOptions());
        case Opcode::add:
            return lower_elementwise(stored.builtin_options_as_AddOptions());
        case Opcode::mul:
            return lower_elementwise(stored.builtin_options_as_MulOptions());
        case Opcode::sub:
            return lower_elementwise(stored.builtin_options_as_SubOptions());
        case Opcode::concatenation:
            return lower_concatenation(stored.builtin_options_as_ConcatenationOptions());
        case Opcode::reshape:
            return lower_reshape(stored.builtin_options_as_ReshapeOptions());
        case Opcode::squeeze:
            return lower_squeeze(stored.builtin_options_as_SqueezeOptions());
        case Opcode::mean: {
            const auto* options = stored.builtin_options_as_ReducerOptions();
            return Params(kernels::ReduceParams{options && options->keep_dims()});
        }
        case Opcode::softmax: {
            const auto* options = stored.builtin_options_as_SoftmaxOptions();
            return Params(kernels::SoftmaxParams{options ? options->beta() : 0.f});
        }
        default:
            return Params();
    }
}

}  // namespace skiff::runtime
