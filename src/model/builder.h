// Builds valid .tflite files: for the tests, the examples and the tools.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace flatbuffers {
class FlatBufferBuilder;
}

namespace skiff::model {

struct TensorSpec {
    std::string name;
    DType dtype = DType::float32;
    std::vector<std::int32_t> shape;
    std::vector<std::int32_t> shape_signature = {};  // empty: all known
    std::vector<float> scales = {};
    std::vector<std::int64_t> zero_points = {};
    int axis = 0;
    std::vector<std::uint8_t> data = {};  // a constant's bytes
    bool is_variable = false;
};

// builder_ops.h makes these for the common operators. For others, options is a function of
// model/schema.h's types:
//   [](flatbuffers::FlatBufferBuilder& b) -> std::pair<int, std::uint32_t> {
//       return {tflite::BuiltinOptions_GatherOptions, tflite::CreateGatherOptions(b, axis).o};
//   }
// Kept out of this header by its two numbers.
struct OperatorSpec {
    std::int32_t builtin_code = 0;
    int version = 0;  // 0: the lowest one that stands for the tensors' types
    std::vector<std::int32_t> inputs, outputs;
    std::string custom_code = {};
    // Writes the options table and returns {union type number, offset}; empty: no options.
    std::function<std::pair<int, std::uint32_t>(flatbuffers::FlatBufferBuilder&)> options = {};
};

struct SignatureSpec {
    std::string key;
    std::vector<std::pair<std::string, std::int32_t>> inputs, outputs;
};

struct LabelSpec {
    std::string file_name;
    std::vector<std::string> labels;  // class names, one line each
    std::string locale = {};
};
// What write() puts into TFLITE_METADATA for an image classifier (and the appended zip).
struct MetadataSpec {
    std::string name, description;
    std::vector<float> mean, std;  // normalization of input 0; empty: none
    bool image_input = true;
    std::optional<float> score_threshold;
    std::vector<LabelSpec> output_labels;  // of output 0
};

class Builder {
 public:
    std::int32_t add_tensor(TensorSpec spec);  // its index
    void add_operator(OperatorSpec spec);
    void set_inputs(std::vector<std::int32_t> tensors);
    void set_outputs(std::vector<std::int32_t> tensors);
    void add_signature(SignatureSpec spec);
    void set_description(std::string text);
    void add_metadata(std::string name, std::vector<std::uint8_t> data);
    void set_image_metadata(MetadataSpec spec);

    // The file's bytes; the result loads with Model::load_memory (checked), or the error says why
    // not.
    Result<std::vector<std::uint8_t>> write() const;

 private:
    std::vector<std::uint8_t> write_flatbuffer() const;

    std::vector<TensorSpec> tensors_;
    std::vector<OperatorSpec> operators_;
    std::vector<std::int32_t> inputs_, outputs_;
    std::vector<SignatureSpec> signatures_;
    std::vector<std::pair<std::string, std::vector<std::uint8_t>>> metadata_;
    std::string description_;
    std::optional<MetadataSpec> image_metadata_;
};

}  // namespace skiff::model
