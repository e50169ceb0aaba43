#include <gtest/gtest.h>

#include "model/model.h"
#include "model/schema.h"
#include "tests/model/samples.h"

namespace skiff::model {
namespace {

TEST(Builder, WhatIsWrittenIsRead) {
    Builder builder = sample_builder();
    builder.add_tensor({.name = "q",
                        .dtype = DType::int8,
                        .shape = {2, 2},
                        .scales = {0.5f, 0.25f},
                        .zero_points = {1, -1},
                        .axis = 1,
                        .data = {1, 2, 3, 4}});
    builder.add_tensor({.name = "state", .shape = {4}, .is_variable = true});
    builder.add_tensor({.name = "any", .shape = {1, 5}, .shape_signature = {-1, 5}});
    const auto file = builder.write();
    ASSERT_TRUE(file.ok()) << file.error().message;
    const auto loaded = Model::load_memory(*file, "m");
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    const Model& model = **loaded;
    EXPECT_EQ(model.description(), "sample");
    EXPECT_EQ(model.label(), "m");
    ASSERT_EQ(model.subgraphs().size(), 1u);
    const Subgraph& main = model.main();
    ASSERT_EQ(main.tensors.size(), 8u);
    EXPECT_EQ(main.inputs, std::vector<std::int32_t>{0});
    EXPECT_EQ(main.outputs, std::vector<std::int32_t>{4});
    EXPECT_EQ(main.tensors[1].name, "weights");
    EXPECT_TRUE(main.tensors[1].is_constant);
    EXPECT_EQ(main.tensors[1].shape, (Shape{2, 3}));
    EXPECT_EQ(main.tensors[1].data.size(), 24u);
    float third;
    std::memcpy(&third, main.tensors[1].data.data() + 8, 4);
    EXPECT_EQ(third, 3);
    EXPECT_FALSE(main.tensors[3].is_constant);
    EXPECT_TRUE(main.tensors[3].has_rank);
    EXPECT_EQ(main.tensors[5].quantization.scales, (std::vector<float>{0.5f, 0.25f}));
    EXPECT_EQ(main.tensors[5].quantization.zero_points, (std::vector<std::int64_t>{1, -1}));
    EXPECT_EQ(main.tensors[5].quantization.axis, 1);
    EXPECT_TRUE(main.tensors[6].is_variable);
    EXPECT_EQ(main.tensors[7].shape, (Shape{1, 5}));
    EXPECT_EQ(main.tensors[7].shape_signature, (Shape{-1, 5}));
    ASSERT_EQ(main.operators.size(), 2u);
    EXPECT_EQ(main.operators[0].name, "FULLY_CONNECTED");
    EXPECT_EQ(main.operators[0].inputs, (std::vector<std::int32_t>{0, 1, 2}));
    EXPECT_EQ(main.operators[1].builtin_code, tflite::BuiltinOperator_RELU);
    ASSERT_EQ(model.signatures().size(), 1u);
    EXPECT_EQ(model.signatures()[0].key, "serving_default");
    EXPECT_EQ(model.signatures()[0].outputs[0].name, "y");
    EXPECT_EQ(model.signatures()[0].outputs[0].tensor, 4);
    ASSERT_EQ(model.metadata().size(), 1u);
    EXPECT_EQ(model.metadata()[0].name, "note");
    EXPECT_EQ(model.metadata()[0].data[2], 3);
}

TEST(Builder, RefusesWhatWouldNotLoad) {
    Builder builder = sample_builder();
    builder.set_outputs({99});
    const auto file = builder.write();
    ASSERT_FALSE(file.ok());
    EXPECT_NE(file.error().message.find("an output names tensor 99"), std::string::npos)
        << file.error().message;
}

TEST(Builder, LabelsAreOneLine) {
    Builder builder = sample_builder();
    MetadataSpec spec = sample_metadata();
    spec.output_labels[0].labels[1] = "two\nlines";
    builder.set_image_metadata(spec);
    const auto file = builder.write();
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().message, "label 'two\\x0alines' has more than one line");
}

TEST(Builder, SameInputSameBytes) {
    Builder builder = sample_builder();
    builder.set_image_metadata(sample_metadata());
    EXPECT_EQ(builder.write().value(), builder.write().value());
}

// Every helper, with the options that end up in the file.
TEST(Builder, OptionsAndVersions) {
    Builder builder;
    const auto x = builder.add_tensor({"x", DType::float32, {1, 4, 4, 2}});
    const auto filter = builder.add_tensor(
        {.name = "f", .shape = {2, 1, 1, 2}, .data = bytes_of<float>({1, 2, 3, 4})});
    const auto y = builder.add_tensor({"y", DType::float32, {1, 2, 4, 2}});
    builder.add_operator(ops::conv_2d(x, filter, ops::none, y,
                                      {.padding = ops::Padding::valid,
                                       .stride_h = 2,
                                       .stride_w = 1,
                                       .activation = ops::Activation::relu6}));
    const auto q = builder.add_tensor(
        {.name = "q", .dtype = DType::int8, .shape = {8}, .scales = {1}, .zero_points = {0}});
    const auto z = builder.add_tensor(
        {.name = "z", .dtype = DType::int8, .shape = {8}, .scales = {1}, .zero_points = {0}});
    builder.add_operator(ops::add(q, q, z, ops::Activation::relu));
    builder.set_inputs({x, q});
    builder.set_outputs({y, z});
    const auto file = builder.write();
    ASSERT_TRUE(file.ok()) << file.error().message;
    const auto model = Model::load_memory(*file).value();
    const Operator& conv = model->main().operators[0];
    EXPECT_EQ(conv.version, 1);
    EXPECT_EQ(conv.inputs, (std::vector<std::int32_t>{x, filter, -1}));
    const auto* options =
        static_cast<const tflite::Operator*>(conv.flatbuffer)->builtin_options_as_Conv2DOptions();
    ASSERT_NE(options, nullptr);
    EXPECT_EQ(options->padding(), tflite::Padding_VALID);
    EXPECT_EQ(options->stride_h(), 2);
    EXPECT_EQ(options->stride_w(), 1);
    EXPECT_EQ(options->dilation_h_factor(), 1);
    EXPECT_EQ(options->fused_activation_function(), tflite::ActivationFunctionType_RELU6);
    EXPECT_EQ(model->main().operators[1].version, 2);
}

}  // namespace
}  // namespace skiff::model
