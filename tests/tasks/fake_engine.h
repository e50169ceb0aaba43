// An engine whose answers the test chooses.
#pragma once

#include <cstring>
#include <vector>

#include "runtime/engine.h"

namespace skiff::tasks {

inline runtime::TensorInfo tensor_info(DType dtype, Shape shape, Quantization quantization = {}) {
    const auto bytes = static_cast<std::size_t>(shape.elements() * dtype_bits(dtype) / 8);
    return {"t", dtype, shape, quantization, bytes};
}

template <typename T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
    std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

struct FakeEngine final : runtime::Engine {
    std::vector<runtime::TensorInfo> inputs = {tensor_info(DType::uint8, {1, 4, 6, 3})};
    std::vector<runtime::TensorInfo> outputs = {tensor_info(DType::float32, {1, 4})};
    std::vector<std::uint8_t> input_bytes, answer = bytes_of<float>({0.1f, 0.6f, 0.2f, 0.1f});
    Status prepare_result = {}, invoke_result = {};

    std::string_view name() const override { return "fake"; }
    std::size_t input_count() const override { return inputs.size(); }
    std::size_t output_count() const override { return outputs.size(); }
    runtime::TensorInfo input_info(std::size_t i) const override { return inputs[i]; }
    runtime::TensorInfo output_info(std::size_t i) const override { return outputs[i]; }
    Status resize_input(std::size_t, const Shape&) override { return {}; }
    Status prepare() override {
        input_bytes.resize(inputs[0].bytes);
        return prepare_result;
    }
    MutableBytes input(std::size_t) override { return input_bytes; }
    Bytes output(std::size_t) const override { return answer; }
    Status invoke() override { return invoke_result; }
    Status reset_state() override { return {}; }
};

}  // namespace skiff::tasks
