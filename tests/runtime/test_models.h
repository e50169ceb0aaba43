// Small models for the tests of this room, made with model::Builder.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernels/kernel.h"
#include "model/builder.h"
#include "model/model.h"
#include "runtime/interpreter.h"

namespace skiff::runtime::testing {

template <typename T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
    std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

// A model under construction: each call adds a tensor (and an operator), and returns the tensor's
// index.
class Net {
 public:
    using Dims = std::vector<std::int32_t>;

    int tensor(model::TensorSpec spec);
    int input(const Dims& shape, DType dtype = DType::float32, const Dims& signature = {});
    int constant(const Dims& shape, const std::vector<float>& values);
    int constant(const Dims& shape, const std::vector<std::int32_t>& values);

    // Float results of `shape` (as stored: the interpreter finds the true one).
    int node(kernels::Opcode opcode, std::vector<std::int32_t> inputs, const Dims& shape);
    int concatenation(std::vector<std::int32_t> inputs, int axis, const Dims& shape);
    int fully_connected(int x, int units, int depth, unsigned seed);

    void op(model::OperatorSpec spec) { builder.add_operator(std::move(spec)); }
    void outputs(std::vector<std::int32_t> tensors) { builder.set_outputs(std::move(tensors)); }
    // The model; a test that gets none has failed already.
    std::shared_ptr<const model::Model> build();

    model::Builder builder;

 private:
    std::vector<std::int32_t> inputs_;
    int count_ = 0;
};

std::unique_ptr<Interpreter> interpret(std::shared_ptr<const model::Model> model,
                                       InterpreterOptions options = {});

template <typename T>
void write_input(Engine& engine, std::size_t i, const std::vector<T>& values) {
    const MutableBytes input = engine.input(i);
    CHECK(input.size() == values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(input.data(), values.data(), input.size());
}

template <typename T = float>
std::vector<T> read_output(const Engine& engine, std::size_t i) {
    const Bytes output = engine.output(i);
    std::vector<T> values(output.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), output.data(), output.size());
    return values;
}

}  // namespace skiff::runtime::testing
