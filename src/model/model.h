// A .tflite file, read and checked.
//
// Nothing in the file is trusted. load() verifies the flatbuffer, then its meaning; after it every
// index is in range, every constant's bytes match shape x type, quantization fits, and nodes stand
// in an order in which every input is there before it is read. Weights are not copied: the views
// point into the file's map (or the caller's memory). Immutable afterwards, so any thread may read
// it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::model {

struct TensorQuantization {
    std::vector<float> scales;  // empty: not quantized; 1; or one per index of dimension `axis`
    std::vector<std::int64_t> zero_points;  // as many as scales
    int axis = 0;
    bool has_details = false;  // block-wise, multi-axis or custom: the fields above do not tell all
};

struct Tensor {
    std::string_view name;
    DType dtype = DType::float32;
    Shape shape;            // as stored: unknown dimensions are 1 here
    Shape shape_signature;  // -1 where the dimension is unknown; same as shape when all are known
    bool has_rank = true;   // false: not even the rank is known
    Bytes data;             // a constant's bytes, aligned to its element; empty for all others
    bool is_constant = false;
    bool is_variable = false;        // keeps its value between invocations
    bool is_sparse = false;          // data is in a sparse encoding
    const void* sparsity = nullptr;  // tflite::SparsityParameters, checked: see sparse.h
    TensorQuantization quantization;
};

struct Operator {
    std::int32_t builtin_code = 0;  // number of the format; 32 = custom
    std::string_view name;          // "CONV_2D", or a custom operator's own name
    int version = 1;
    std::vector<std::int32_t> inputs;  // tensor indices; -1: optional and left out
    std::vector<std::int32_t> outputs;
    std::vector<std::int32_t> intermediates;
    // The options table as the generated type of schema.h (tflite::Operator*): runtime/lowering.cc
    // reads it.
    const void* flatbuffer = nullptr;
    Bytes custom_options;
};

struct Subgraph {
    std::string_view name;
    std::vector<Tensor> tensors;
    std::vector<std::int32_t> inputs, outputs;
    std::vector<Operator> operators;  // in execution order
};

struct SignatureTensor {
    std::string_view name;
    std::int32_t tensor;  // index in the signature's subgraph
};
struct Signature {
    std::string_view key;  // "serving_default"
    std::int32_t subgraph = 0;
    std::vector<SignatureTensor> inputs, outputs;
};

struct MetadataEntry {
    std::string_view name;
    Bytes data;
};

class Model {
 public:
    // Maps the file. Errors name the path, what is wrong and where: Code::not_found,
    // Code::invalid_argument (not a model, or one that contradicts itself), Code::unimplemented
    // (valid, but beyond this reader, e.g. rank above 8).
    static Result<std::shared_ptr<const Model>> load_file(const std::string& path);
    // Reads in place: `bytes` must outlive the model. `label` stands in for the path in messages.
    static Result<std::shared_ptr<const Model>> load_memory(Bytes bytes,
                                                            std::string label = "model");
    ~Model();

    Bytes bytes() const;  // the whole file, with what is appended to it
    std::string_view description() const;
    std::span<const Subgraph> subgraphs() const;  // at least one; [0] is the main one
    const Subgraph& main() const { return subgraphs()[0]; }
    std::span<const Signature> signatures() const;
    std::span<const MetadataEntry> metadata() const;
    const std::string& label() const;

 private:
    struct Impl;
    explicit Model(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace skiff::model
