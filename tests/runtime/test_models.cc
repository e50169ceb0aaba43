#include "tests/runtime/test_models.h"

#include <gtest/gtest.h>

#include <random>

#include "model/schema.h"

namespace skiff::runtime::testing {

int Net::tensor(model::TensorSpec spec) {
    if (spec.name.empty()) spec.name = "t" + std::to_string(count_);
    ++count_;
    return builder.add_tensor(std::move(spec));
}

int Net::input(const Dims& shape, DType dtype, const Dims& signature) {
    model::TensorSpec spec;
    spec.name = "in" + std::to_string(inputs_.size());
    spec.dtype = dtype;
    spec.shape = shape;
    spec.shape_signature = signature;
    inputs_.push_back(tensor(std::move(spec)));
    return inputs_.back();
}

int Net::constant(const Dims& shape, const std::vector<float>& values) {
    model::TensorSpec spec;
    spec.shape = shape;
    spec.data = bytes_of(values);
    return tensor(std::move(spec));
}

int Net::constant(const Dims& shape, const std::vector<std::int32_t>& values) {
    model::TensorSpec spec;
    spec.dtype = DType::int32;
    spec.shape = shape;
    spec.data = bytes_of(values);
    return tensor(std::move(spec));
}

int Net::node(kernels::Opcode opcode, std::vector<std::int32_t> inputs, const Dims& shape) {
    model::TensorSpec spec;
    spec.shape = shape;
    const int output = tensor(std::move(spec));
    model::OperatorSpec made;
    made.builtin_code = static_cast<std::int32_t>(opcode);
    made.inputs = std::move(inputs);
    made.outputs = {output};
    op(std::move(made));
    return output;
}

int Net::concatenation(std::vector<std::int32_t> inputs, int axis, const Dims& shape) {
    model::TensorSpec spec;
    spec.shape = shape;
    const int output = tensor(std::move(spec));
    model::OperatorSpec made;
    made.builtin_code = static_cast<std::int32_t>(kernels::Opcode::concatenation);
    made.inputs = std::move(inputs);
    made.outputs = {output};
    made.options = [axis](flatbuffers::FlatBufferBuilder& b) {
        return std::pair<int, std::uint32_t>(tflite::BuiltinOptions_ConcatenationOptions,
                                             tflite::CreateConcatenationOptions(b, axis).o);
    };
    op(std::move(made));
    return output;
}

int Net::fully_connected(int x, int units, int depth, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> weights(static_cast<std::size_t>(units * depth));
    for (float& w : weights) w = static_cast<float>(random() % 2001) / 1000.f - 1.f;
    const int w = constant({units, depth}, weights);
    return node(kernels::Opcode::fully_connected, {x, w, -1}, {1, units});
}

std::shared_ptr<const model::Model> Net::build() {
    builder.set_inputs(inputs_);
    auto bytes = builder.write();
    if (!bytes.ok()) {
        ADD_FAILURE() << bytes.error().message;
        return nullptr;
    }
    // The model reads in place: its bytes live as long as it does.
    auto kept = std::make_shared<std::vector<std::uint8_t>>(std::move(*bytes));
    auto model = model::Model::load_memory(*kept);
    if (!model.ok()) {
        ADD_FAILURE() << model.error().message;
        return nullptr;
    }
    const model::Model* raw = model->get();
    return {raw, [kept, model = std::move(*model)](const model::Model*) {}};
}

std::unique_ptr<Interpreter> interpret(std::shared_ptr<const model::Model> model,
                                       InterpreterOptions options) {
    CHECK(model);
    auto interpreter = Interpreter::create(std::move(model), std::move(options));
    if (!interpreter.ok()) ADD_FAILURE() << interpreter.error().message;
    CHECK(interpreter.ok());
    return std::move(*interpreter);
}

}  // namespace skiff::runtime::testing
