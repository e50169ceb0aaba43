#include "model/builder_ops.h"

#include <utility>

#include "model/schema.h"

namespace skiff::model::ops {

namespace {

using Writer = flatbuffers::FlatBufferBuilder;
using Options = std::pair<int, std::uint32_t>;

tflite::Padding format(Padding padding) {
    return static_cast<tflite::Padding>(padding);
}
tflite::ActivationFunctionType format(Activation activation) {
    return static_cast<tflite::ActivationFunctionType>(activation);
}

OperatorSpec make(tflite::BuiltinOperator code, std::vector<Index> inputs, Index output,
                  std::function<Options(Writer&)> options = {}) {
    OperatorSpec spec;
    spec.builtin_code = code;
    spec.inputs = std::move(inputs);
    spec.outputs = {output};
    spec.options = std::move(options);
    return spec;
}

OperatorSpec pool(tflite::BuiltinOperator code, Index input, Index output, const Pool2D& o) {
    return make(code, {input}, output, [o](Writer& fbb) -> Options {
        return {tflite::BuiltinOptions_Pool2DOptions,
                tflite::CreatePool2DOptions(fbb, format(o.padding), o.stride_w, o.stride_h,
                                            o.filter_w, o.filter_h, format(o.activation))
                    .o};
    });
}

}  // namespace

OperatorSpec conv_2d(Index input, Index filter, Index bias, Index output, const Conv2D& o) {
    return make(
        tflite::BuiltinOperator_CONV_2D, {input, filter, bias}, output,
        [o](Writer& fbb) -> Options {
            return {tflite::BuiltinOptions_Conv2DOptions,
                    tflite::CreateConv2DOptions(fbb, format(o.padding), o.stride_w, o.stride_h,
                                                format(o.activation), o.dilation_w, o.dilation_h)
                        .o};
        });
}

OperatorSpec depthwise_conv_2d(Index input, Index filter, Index bias, Index output,
                               const Conv2D& o) {
    return make(tflite::BuiltinOperator_DEPTHWISE_CONV_2D, {input, filter, bias}, output,
                [o](Writer& fbb) -> Options {
                    return {tflite::BuiltinOptions_DepthwiseConv2DOptions,
                            tflite::CreateDepthwiseConv2DOptions(
                                fbb, format(o.padding), o.stride_w, o.stride_h, o.depth_multiplier,
                                format(o.activation), o.dilation_w, o.dilation_h)
                                .o};
                });
}

OperatorSpec transpose_conv(Index output_shape, Index filter, Index input, Index bias, Index output,
                            const Conv2D& o) {
    std::vector<Index> inputs{output_shape, filter, input};
    if (bias != none) inputs.push_back(bias);
    return make(tflite::BuiltinOperator_TRANSPOSE_CONV, std::move(inputs), output,
                [o](Writer& fbb) -> Options {
                    return {tflite::BuiltinOptions_TransposeConvOptions,
                            tflite::CreateTransposeConvOptions(fbb, format(o.padding), o.stride_w,
                                                               o.stride_h, format(o.activation))
                                .o};
                });
}

OperatorSpec fully_connected(Index input, Index filter, Index bias, Index output,
                             Activation activation, bool keep_num_dims) {
    return make(tflite::BuiltinOperator_FULLY_CONNECTED, {input, filter, bias}, output,
                [=](Writer& fbb) -> Options {
                    return {tflite::BuiltinOptions_FullyConnectedOptions,
                            tflite::CreateFullyConnectedOptions(
                                fbb, format(activation),
                                tflite::FullyConnectedOptionsWeightsFormat_DEFAULT, keep_num_dims)
                                .o};
                });
}

OperatorSpec average_pool_2d(Index input, Index output, const Pool2D& options) {
    return pool(tflite::BuiltinOperator_AVERAGE_POOL_2D, input, output, options);
}
OperatorSpec max_pool_2d(Index input, Index output, const Pool2D& options) {
    return pool(tflite::BuiltinOperator_MAX_POOL_2D, input, output, options);
}

OperatorSpec add(Index a, Index b, Index output, Activation activation) {
    return make(tflite::BuiltinOperator_ADD, {a, b}, output, [=](Writer& fbb) -> Options {
        return {tflite::BuiltinOptions_AddOptions,
                tflite::CreateAddOptions(fbb, format(activation)).o};
    });
}
OperatorSpec sub(Index a, Index b, Index output, Activation activation) {
    return make(tflite::BuiltinOperator_SUB, {a, b}, output, [=](Writer& fbb) -> Options {
        return {tflite::BuiltinOptions_SubOptions,
                tflite::CreateSubOptions(fbb, format(activation)).o};
    });
}
OperatorSpec mul(Index a, Index b, Index output, Activation activation) {
    return make(tflite::BuiltinOperator_MUL, {a, b}, output, [=](Writer& fbb) -> Options {
        return {tflite::BuiltinOptions_MulOptions,
                tflite::CreateMulOptions(fbb, format(activation)).o};
    });
}
OperatorSpec div(Index a, Index b, Index output, Activation activation) {
    return make(tflite::BuiltinOperator_DIV, {a, b}, output, [=](Writer& fbb) -> Options {
        return {tflite::BuiltinOptions_DivOptions,
                tflite::CreateDivOptions(fbb, format(activation)).o};
    });
}

OperatorSpec mean(Index input, Index axes, Index output, bool keep_dims) {
    return make(tflite::BuiltinOperator_MEAN, {input, axes}, output, [=](Writer& fbb) -> Options {
        return {tflite::BuiltinOptions_ReducerOptions,
                tflite::CreateReducerOptions(fbb, keep_dims).o};
    });
}

OperatorSpec pad(Index input, Index paddings, Index output) {
    return make(tflite::BuiltinOperator_PAD, {input, paddings}, output, [](Writer& fbb) -> Options {
        return {tflite::BuiltinOptions_PadOptions, tflite::CreatePadOptions(fbb).o};
    });
}

OperatorSpec reshape(Index input, Index shape, Index output, std::vector<std::int32_t> new_shape) {
    std::vector<Index> inputs{input};
    if (shape != none) inputs.push_back(shape);
    return make(tflite::BuiltinOperator_RESHAPE, std::move(inputs), output,
                [dims = std::move(new_shape)](Writer& fbb) -> Options {
                    return {tflite::BuiltinOptions_ReshapeOptions,
                            tflite::CreateReshapeOptionsDirect(fbb, &dims).o};
                });
}

OperatorSpec squeeze(Index input, Index output, std::vector<std::int32_t> dims) {
    return make(tflite::BuiltinOperator_SQUEEZE, {input}, output,
                [dims = std::move(dims)](Writer& fbb) -> Options {
                    return {tflite::BuiltinOptions_SqueezeOptions,
                            tflite::CreateSqueezeOptionsDirect(fbb, &dims).o};
                });
}

OperatorSpec concatenation(std::vector<Index> inputs, Index output, int axis,
                           Activation activation) {
    return make(tflite::BuiltinOperator_CONCATENATION, std::move(inputs), output,
                [=](Writer& fbb) -> Options {
                    return {tflite::BuiltinOptions_ConcatenationOptions,
                            tflite::CreateConcatenationOptions(fbb, axis, format(activation)).o};
                });
}

OperatorSpec softmax(Index input, Index output, float beta) {
    return make(tflite::BuiltinOperator_SOFTMAX, {input}, output, [=](Writer& fbb) -> Options {
        return {tflite::BuiltinOptions_SoftmaxOptions, tflite::CreateSoftmaxOptions(fbb, beta).o};
    });
}
OperatorSpec logistic(Index input, Index output) {
    return make(tflite::BuiltinOperator_LOGISTIC, {input}, output);
}
OperatorSpec tanh(Index input, Index output) {
    return make(tflite::BuiltinOperator_TANH, {input}, output);
}
OperatorSpec relu(Index input, Index output) {
    return make(tflite::BuiltinOperator_RELU, {input}, output);
}
OperatorSpec relu6(Index input, Index output) {
    return make(tflite::BuiltinOperator_RELU6, {input}, output);
}
OperatorSpec hard_swish(Index input, Index output) {
    return make(tflite::BuiltinOperator_HARD_SWISH, {input}, output);
}
OperatorSpec quantize(Index input, Index output) {
    return make(tflite::BuiltinOperator_QUANTIZE, {input}, output);
}
OperatorSpec dequantize(Index input, Index output) {
    return make(tflite::BuiltinOperator_DEQUANTIZE, {input}, output);
}

}  // namespace skiff::model::ops

namespace skiff::model {

namespace {

// Versions grew with the types an operator takes.
struct Versions {
    tflite::BuiltinOperator code;
    int int8, int16;
};
constexpr Versions versions[] = {
    {tflite::BuiltinOperator_ADD, 2, 3},
    {tflite::BuiltinOperator_AVERAGE_POOL_2D, 2, 3},
    {tflite::BuiltinOperator_CONCATENATION, 2, 3},
    {tflite::BuiltinOperator_CONV_2D, 3, 4},
    {tflite::BuiltinOperator_DEPTHWISE_CONV_2D, 3, 5},
    {tflite::BuiltinOperator_DEQUANTIZE, 2, 3},
    {tflite::BuiltinOperator_FULLY_CONNECTED, 4, 7},
    {tflite::BuiltinOperator_LOGISTIC, 2, 3},
    {tflite::BuiltinOperator_MAX_POOL_2D, 2, 3},
    {tflite::BuiltinOperator_MEAN, 2, 3},
    {tflite::BuiltinOperator_MUL, 2, 4},
    {tflite::BuiltinOperator_PAD, 2, 2},
    {tflite::BuiltinOperator_RELU, 2, 3},
    {tflite::BuiltinOperator_RELU6, 2, 3},
    {tflite::BuiltinOperator_SOFTMAX, 2, 3},
    {tflite::BuiltinOperator_SUB, 2, 5},
    {tflite::BuiltinOperator_TANH, 2, 3},
    {tflite::BuiltinOperator_TRANSPOSE_CONV, 2, 4},
};

}  // namespace

int lowest_version(const OperatorSpec& spec, const std::vector<TensorSpec>& tensors) {
    DType dtype = DType::float32;
    // An 8-bit or 16-bit input anywhere decides: weights may come first, as in TRANSPOSE_CONV.
    for (const std::int32_t input : spec.inputs) {
        if (input < 0 || static_cast<std::size_t>(input) >= tensors.size()) continue;
        const DType type = tensors[static_cast<std::size_t>(input)].dtype;
        if (type == DType::int16 || (type == DType::int8 && dtype != DType::int16)) dtype = type;
    }
    for (const Versions& v : versions)
        if (v.code == spec.builtin_code && dtype != DType::float32)
            return dtype == DType::int8 ? v.int8 : v.int16;
    return 1;
}

}  // namespace skiff::model
