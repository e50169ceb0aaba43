#include "runtime/lowering.h"

#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>

#include "kernels/kernel.h"
#include "model/schema.h"

namespace skiff::runtime {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using kernels::Opcode;

// An operator with options made by `create`, lowered.
template <typename Create>
Result<kernels::Params> lower(Opcode opcode, tflite::BuiltinOptions type, Create create) {
    FlatBufferBuilder builder;
    const Offset<void> options = create(builder).Union();
    builder.Finish(tflite::CreateOperator(builder, 0, 0, 0, type, options));
    model::Operator op;
    op.builtin_code = static_cast<std::int32_t>(opcode);
    op.flatbuffer = flatbuffers::GetRoot<tflite::Operator>(builder.GetBufferPointer());
    return lower_options(op);
}

Result<kernels::Params> lower_without_options(Opcode opcode) {
    FlatBufferBuilder builder;
    builder.Finish(tflite::CreateOperator(builder));
    model::Operator op;
    op.builtin_code = static_cast<std::int32_t>(opcode);
    op.flatbuffer = flatbuffers::GetRoot<tflite::Operator>(builder.GetBufferPointer());
    return lower_options(op);
}

auto conv(int padding, int stride_w, int stride_h, int activation, int dilation_w, int dilation_h) {
    return [=](FlatBufferBuilder& b) {
        return tflite::CreateConv2DOptions(
            b, static_cast<tflite::Padding>(padding), stride_w, stride_h,
            static_cast<tflite::ActivationFunctionType>(activation), dilation_w, dilation_h);
    };
}

TEST(Lowering, Convolution) {
    const auto params =
        lower(Opcode::conv_2d, tflite::BuiltinOptions_Conv2DOptions, conv(1, 2, 3, 3, 4, 5));
    ASSERT_TRUE(params.ok());
    const auto& p = std::get<kernels::Conv2dParams>(*params);
    EXPECT_EQ(p.padding, kernels::Padding::valid);
    EXPECT_EQ(p.stride_w, 2);
    EXPECT_EQ(p.stride_h, 3);
    EXPECT_EQ(p.dilation_w, 4);
    EXPECT_EQ(p.dilation_h, 5);
    EXPECT_EQ(p.activation, kernels::Activation::relu6);
}

TEST(Lowering, RefusesHostileConvolutions) {
    for (const auto& options :
         {conv(0, 0, 1, 0, 1, 1), conv(0, 1, -3, 0, 1, 1), conv(0, 1, 1, 0, 0, 1),
          conv(0, 1, 1, 0, 1, -1), conv(2, 1, 1, 0, 1, 1), conv(-1, 1, 1, 0, 1, 1),
          conv(0, 1, 1, 6, 1, 1), conv(0, 1, 1, -1, 1, 1)}) {
        const auto params = lower(Opcode::conv_2d, tflite::BuiltinOptions_Conv2DOptions, options);
        ASSERT_FALSE(params.ok());
        EXPECT_EQ(params.error().code, Code::invalid_argument);
    }
}

TEST(Lowering, DepthwiseConvolution) {
    const auto params =
        lower(Opcode::depthwise_conv_2d, tflite::BuiltinOptions_DepthwiseConv2DOptions,
              [](FlatBufferBuilder& b) {
                  return tflite::CreateDepthwiseConv2DOptions(
                      b, tflite::Padding_SAME, 1, 2, 8, tflite::ActivationFunctionType_RELU, 3, 1);
              });
    ASSERT_TRUE(params.ok());
    const auto& p = std::get<kernels::DepthwiseConv2dParams>(*params);
    EXPECT_EQ(p.stride_h, 2);
    EXPECT_EQ(p.dilation_w, 3);
    EXPECT_EQ(p.activation, kernels::Activation::relu);
}

TEST(Lowering, Pool) {
    auto pool = [](int stride, int filter) {
        return lower(
            Opcode::max_pool_2d, tflite::BuiltinOptions_Pool2DOptions, [=](FlatBufferBuilder& b) {
                return tflite::CreatePool2DOptions(b, tflite::Padding_VALID, 1, stride, filter, 4);
            });
    };
    const auto params = pool(2, 3);
    ASSERT_TRUE(params.ok());
    const auto& p = std::get<kernels::Pool2dParams>(*params);
    EXPECT_EQ(p.stride_h, 2);
    EXPECT_EQ(p.filter_w, 3);
    EXPECT_EQ(p.filter_h, 4);
    EXPECT_FALSE(pool(0, 3).ok());
    EXPECT_FALSE(pool(1, -3).ok());
}

TEST(Lowering, FullyConnected) {
    auto fully_connected = [](int format) {
        return lower(Opcode::fully_connected, tflite::BuiltinOptions_FullyConnectedOptions,
                     [=](FlatBufferBuilder& b) {
                         return tflite::CreateFullyConnectedOptions(
                             b, tflite::ActivationFunctionType_RELU,
                             static_cast<tflite::FullyConnectedOptionsWeightsFormat>(format), true);
                     });
    };
    const auto params = fully_connected(1);
    ASSERT_TRUE(params.ok());
    EXPECT_TRUE(std::get<kernels::FullyConnectedParams>(*params).keep_num_dims);
    EXPECT_TRUE(std::get<kernels::FullyConnectedParams>(*params).shuffled_weights);
    EXPECT_FALSE(std::get<kernels::FullyConnectedParams>(*fully_connected(0)).shuffled_weights);
    EXPECT_FALSE(fully_connected(2).ok());
}

TEST(Lowering, Elementwise) {
    const auto params =
        lower(Opcode::sub, tflite::BuiltinOptions_SubOptions, [](FlatBufferBuilder& b) {
            return tflite::CreateSubOptions(b, tflite::ActivationFunctionType_RELU_N1_TO_1);
        });
    ASSERT_TRUE(params.ok());
    EXPECT_EQ(std::get<kernels::ElementwiseParams>(*params).activation,
              kernels::Activation::relu_n1_to_1);
    // Another operator's options count as none.
    const auto other =
        lower(Opcode::add, tflite::BuiltinOptions_SubOptions, [](FlatBufferBuilder& b) {
            return tflite::CreateSubOptions(b, tflite::ActivationFunctionType_RELU);
        });
    EXPECT_EQ(std::get<kernels::ElementwiseParams>(*other).activation, kernels::Activation::none);
}

TEST(Lowering, ShapesInOptions) {
    auto reshape = [](std::vector<std::int32_t> dims) {
        return lower(
            Opcode::reshape, tflite::BuiltinOptions_ReshapeOptions,
            [&](FlatBufferBuilder& b) { return tflite::CreateReshapeOptionsDirect(b, &dims); });
    };
    const auto params = reshape({2, -1});
    ASSERT_TRUE(params.ok());
    EXPECT_TRUE(std::get<kernels::ReshapeParams>(*params).has_shape);
    EXPECT_EQ(std::get<kernels::ReshapeParams>(*params).shape, (Shape{2, -1}));
    EXPECT_FALSE(reshape(std::vector<std::int32_t>(9, 1)).ok());
    EXPECT_FALSE(
        std::get<kernels::ReshapeParams>(*lower_without_options(Opcode::reshape)).has_shape);

    std::vector<std::int32_t> axes = {0, -1};
    const auto squeeze =
        lower(Opcode::squeeze, tflite::BuiltinOptions_SqueezeOptions,
              [&](FlatBufferBuilder& b) { return tflite::CreateSqueezeOptionsDirect(b, &axes); });
    EXPECT_EQ(std::get<kernels::SqueezeParams>(*squeeze).axes, (Shape{0, -1}));
}

TEST(Lowering, TheRest) {
    const auto concatenation =
        lower(Opcode::concatenation, tflite::BuiltinOptions_ConcatenationOptions,
              [](FlatBufferBuilder& b) { return tflite::CreateConcatenationOptions(b, -2); });
    EXPECT_EQ(std::get<kernels::ConcatenationParams>(*concatenation).axis, -2);
    const auto mean =
        lower(Opcode::mean, tflite::BuiltinOptions_ReducerOptions,
              [](FlatBufferBuilder& b) { return tflite::CreateReducerOptions(b, true); });
    EXPECT_TRUE(std::get<kernels::ReduceParams>(*mean).keep_dims);
    const auto softmax =
        lower(Opcode::softmax, tflite::BuiltinOptions_SoftmaxOptions,
              [](FlatBufferBuilder& b) { return tflite::CreateSoftmaxOptions(b, 2.5f); });
    EXPECT_EQ(std::get<kernels::SoftmaxParams>(*softmax).beta, 2.5f);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(*lower_without_options(Opcode::logistic)));
}

TEST(Lowering, AbsentOptionsAreDefaultsWhereThoseMakeSense) {
    for (Opcode opcode : {Opcode::conv_2d, Opcode::depthwise_conv_2d, Opcode::average_pool_2d})
        EXPECT_FALSE(lower_without_options(opcode).ok());
    for (Opcode opcode : {Opcode::add, Opcode::fully_connected, Opcode::mean, Opcode::softmax,
                          Opcode::concatenation, Opcode::squeeze})
        EXPECT_TRUE(lower_without_options(opcode).ok());
}

}  // namespace
}  // namespace skiff::runtime
