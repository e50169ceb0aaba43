#include <algorithm>
#include <span>

#include "tests/differential/draw.h"

namespace skiff::differential {
namespace {

using DrawFunction = bool (*)(Draft&, std::int32_t);
constexpr DrawFunction draw_functions[] = {
    draw_conv,
    draw_conv,
    draw_depthwise,
    draw_fully_connected,
    draw_fully_connected,
    draw_pool,
    draw_arithmetic,
    draw_arithmetic,
    draw_mean,
    draw_pad,
    draw_reshape,
    draw_squeeze,
    draw_concatenation,
    draw_softmax,
    draw_table,
    draw_table,
    draw_quantize,
    draw_dequantize,
};

constexpr DrawFunction copying_functions[] = {draw_pad, draw_reshape};

DType draw_type(Random& random) {
    const int kind = random.integer(0, 99);
    if (kind < 35) return DType::int8;
    if (kind < 58) return DType::uint8;
    if (kind < 90) return DType::float32;
    if (kind < 95) return DType::int32;
    if (kind < 97) return DType::int64;
    return kind < 99 ? DType::boolean : DType::int16;
}

// What no operator reads is an output; sometimes others are, too.
void choose_outputs(Draft& d) {
    std::vector<std::int32_t> read;
    for (const Node& node : d.net.nodes)
        read.insert(read.end(), node.spec.inputs.begin(), node.spec.inputs.end());
    const bool inner = d.random.chance(30);
    for (const Node& node : d.net.nodes) {
        if (d.net.unpacks_constant(node)) continue;
        const std::int32_t output = node.spec.outputs[0];
        const bool used = std::ranges::find(read, output) != read.end();
        if (!used || (inner && d.random.chance(50))) d.net.outputs.push_back(output);
    }
    if (d.random.chance(20)) std::ranges::reverse(d.net.outputs);
}

// Inputs that nothing reads (drawn for an operator that did not come to be) are left out.
void drop_unused_inputs(Net& net) {
    std::erase_if(net.inputs, [&](std::int32_t input) {
        return std::ranges::none_of(net.nodes, [&](const Node& node) {
            return std::ranges::find(node.spec.inputs, input) != node.spec.inputs.end();
        });
    });
}

void draw_resize(Draft& d) {
    if (d.net.inputs.empty() || d.net.given.contains(d.net.inputs[0])) return;
    model::TensorSpec& spec = d.net.tensors[static_cast<std::size_t>(d.net.inputs[0])];
    if (spec.shape.empty()) return;
    spec.shape_signature = spec.shape;
    spec.shape_signature[0] = -1;
    Shape shape(spec.shape);
    shape[0] = d.random.integer(1, 5);
    d.net.resizes.push_back({0, shape});
    // Which dimensions are left out then is another matter on both sides.
    for (const Node& node : d.net.nodes)
        if (node.name.starts_with("SQUEEZE")) d.net.resizes.clear();
}

}  // namespace

Net draw_net(std::uint64_t seed) {
    Draft d(seed);
    const DType dtype = draw_type(d.random);
    const auto shape =
        d.random.chance(65) ? d.image_shape() : d.any_shape(d.random.chance(15) ? 6 : 4);
    d.pool.push_back(d.add_input(dtype, shape, d.quantization(dtype)));
    d.variable_indices = d.net.has_variable_indices = d.random.chance(3);
    const std::span<const DrawFunction> functions =
        d.variable_indices ? std::span<const DrawFunction>(copying_functions)
                           : std::span<const DrawFunction>(draw_functions);
    const auto wanted = static_cast<std::size_t>(d.random.chance(40) ? 1 : d.random.integer(2, 6));
    for (int tries = 0; tries < 40 && d.net.nodes.size() < wanted; ++tries) {
        const auto newest = static_cast<int>(d.pool.size()) - 1;
        const int at = d.random.chance(70) ? newest : d.random.integer(0, newest);
        const auto pick =
            static_cast<std::size_t>(d.random.integer(0, static_cast<int>(functions.size()) - 1));
        functions[pick](d, d.pool[static_cast<std::size_t>(at)]);
    }
    choose_outputs(d);
    drop_unused_inputs(d.net);
    if (!d.variable_indices && d.random.chance(8)) draw_resize(d);
    d.net.has_signature = d.random.chance(20);
    return std::move(d.net);
}

}  // namespace skiff::differential
