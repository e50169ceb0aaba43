// A small model as a list of operators, from which a .tflite file is built whole or in part.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/builder_ops.h"

namespace skiff::differential {

struct Node {
    model::OperatorSpec spec;
    std::string name;  // "CONV_2D int8"
};

struct Resize {
    std::size_t input;  // position among the inputs
    Shape shape;
};

struct Net {
    std::vector<model::TensorSpec> tensors;
    std::vector<Node> nodes;
    std::vector<std::int32_t> inputs, outputs;
    // Inputs whose values mean something (axes, paddings, shapes) are not filled at random.
    std::map<std::int32_t, std::vector<std::uint8_t>> given;
    std::map<std::int32_t, float> magnitudes;  // of float inputs; 1 where not named
    std::vector<Resize> resizes;
    bool has_signature = false;
    // Shapes depend on values: the C interface of LiteRT cannot hand such outputs out, so TFLite
    // judges. No rounding: only operators that copy.
    bool has_variable_indices = false;

    const model::TensorSpec& tensor(std::int32_t i) const {
        return tensors[static_cast<std::size_t>(i)];
    }
    bool is_constant(std::int32_t i) const { return !tensor(i).data.empty(); }
    // A DEQUANTIZE of a constant. The official library gives it to the operator behind it and
    // writes no values.
    bool unpacks_constant(const Node& node) const;
    std::string text() const;  // "CONV_2D int8, ADD int8"
};

// One line for each operator with its tensors: shapes, types, quantization.
std::string describe(const Net& net);

// One operator alone: what it takes from others becomes an input.
Net only(const Net& net, std::size_t node);

// Every operator's output is an output, in execution order.
Net with_inner_outputs(const Net& net);

Result<std::vector<std::uint8_t>> build(const Net& net);

}  // namespace skiff::differential
