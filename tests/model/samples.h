// Small models for the tests of this room.
#pragma once

#include <cstring>

#include "model/builder_ops.h"

namespace skiff::model {

template <typename T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
    std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

// 0 x [1,3] float -> FULLY_CONNECTED with 1 weights [2,3] and 2 bias [2] -> 3 h [1,2] -> RELU -> 4
// y [1,2]; a signature, a metadata entry.
inline Builder sample_builder() {
    Builder builder;
    builder.add_tensor({"x", DType::float32, {1, 3}});
    builder.add_tensor({.name = "weights",
                        .dtype = DType::float32,
                        .shape = {2, 3},
                        .data = bytes_of<float>({1, 2, 3, 4, 5, 6})});
    builder.add_tensor(
        {.name = "bias", .dtype = DType::float32, .shape = {2}, .data = bytes_of<float>({7, 8})});
    builder.add_tensor({"h", DType::float32, {1, 2}});
    builder.add_tensor({"y", DType::float32, {1, 2}});
    builder.add_operator(ops::fully_connected(0, 1, 2, 3));
    builder.add_operator(ops::relu(3, 4));
    builder.set_inputs({0});
    builder.set_outputs({4});
    builder.add_signature({"serving_default", {{"x", 0}}, {{"y", 4}}});
    builder.set_description("sample");
    builder.add_metadata("note", {1, 2, 3});
    return builder;
}

inline MetadataSpec sample_metadata() {
    MetadataSpec spec;
    spec.name = "sample";
    spec.description = "a sample";
    spec.mean = {127.5f};
    spec.std = {128};
    spec.score_threshold = 0.25f;
    spec.output_labels = {{"labels.txt", {"cat", "dog"}},
                          {"labels_de.txt", {"Katze", "Hund"}, "de"}};
    return spec;
}

}  // namespace skiff::model
