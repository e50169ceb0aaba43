#include "tests/differential/net.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace skiff::differential {
namespace {

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

std::string describe_tensor(const Net& net, std::int32_t index) {
    if (index < 0) return "-";
    const model::TensorSpec& t = net.tensor(index);
    std::string text = t.name + " " + std::string(dtype_name(t.dtype));
    text += Shape(t.shape).to_string();
    if (std::ranges::find(net.inputs, index) != net.inputs.end()) text += " input";
    if (net.is_constant(index)) text += " constant";
    if (!t.scales.empty())
        text += " scale " + number(t.scales[0]) +
                (t.scales.size() > 1 ? " .. (" + std::to_string(t.scales.size()) + ", axis " +
                                           std::to_string(t.axis) + ")"
                                     : "") +
                " zero " + std::to_string(t.zero_points.empty() ? 0 : t.zero_points[0]);
    const bool index_like = t.dtype == DType::int32 && t.data.size() <= 64 && t.scales.empty();
    if (index_like && net.is_constant(index)) {
        text += " {";
        for (std::size_t at = 0; at + 4 <= t.data.size(); at += 4) {
            std::int32_t value;
            std::memcpy(&value, t.data.data() + at, 4);
            text += (at ? "," : "") + std::to_string(value);
        }
        text += "}";
    }
    return text;
}

}  // namespace

std::string Net::text() const {
    std::string text;
    for (const Node& node : nodes) text += (text.empty() ? "" : ", ") + node.name;
    return text;
}

bool Net::unpacks_constant(const Node& node) const {
    return node.name.starts_with("DEQUANTIZE") && is_constant(node.spec.inputs[0]);
}

std::string describe(const Net& net) {
    std::string text;
    for (const Node& node : net.nodes) {
        text += "    " + node.name + "\n";
        for (const std::int32_t i : node.spec.inputs)
            text += "      in  " + describe_tensor(net, i) + "\n";
        for (const std::int32_t i : node.spec.outputs)
            text += "      out " + describe_tensor(net, i) + "\n";
    }
    for (const Resize& r : net.resizes)
        text +=
            "    input " + std::to_string(r.input) + " resized to " + r.shape.to_string() + "\n";
    return text;
}

Net only(const Net& net, std::size_t node) {
    Net one = net;
    one.nodes.clear();
    for (const Node& other : net.nodes)
        if (net.unpacks_constant(other) &&
            std::ranges::find(net.nodes[node].spec.inputs, other.spec.outputs[0]) !=
                net.nodes[node].spec.inputs.end())
            one.nodes.push_back(other);
    const auto computed = [&](std::int32_t tensor) {
        return std::ranges::any_of(
            one.nodes, [&](const Node& other) { return other.spec.outputs[0] == tensor; });
    };
    one.outputs = net.nodes[node].spec.outputs;
    one.inputs.clear();
    one.resizes.clear();
    one.has_signature = false;
    for (const std::int32_t i : net.nodes[node].spec.inputs)
        if (i >= 0 && !net.is_constant(i) && !computed(i) &&
            std::ranges::find(one.inputs, i) == one.inputs.end())
            one.inputs.push_back(i);
    one.nodes.push_back(net.nodes[node]);
    return one;
}

Net with_inner_outputs(const Net& net) {
    Net all = net;
    all.outputs.clear();
    all.has_signature = false;
    for (const Node& node : net.nodes)
        if (!net.unpacks_constant(node)) all.outputs.push_back(node.spec.outputs[0]);
    return all;
}

Result<std::vector<std::uint8_t>> build(const Net& net) {
    // Only tensors that are used, so that a part of a net is a small file.
    std::map<std::int32_t, std::int32_t> place;
    model::Builder builder;
    const auto take = [&](std::vector<std::int32_t> indices) {
        for (std::int32_t& i : indices) {
            if (i < 0) continue;
            const auto [at, is_new] = place.try_emplace(i, 0);
            if (is_new) at->second = builder.add_tensor(net.tensor(i));
            i = at->second;
        }
        return indices;
    };
    builder.set_inputs(take(net.inputs));
    for (const Node& node : net.nodes) {
        model::OperatorSpec spec = node.spec;
        spec.inputs = take(spec.inputs);
        spec.outputs = take(spec.outputs);
        builder.add_operator(std::move(spec));
    }
    builder.set_outputs(take(net.outputs));
    if (net.has_signature) {
        model::SignatureSpec signature{.key = "serving_default", .inputs = {}, .outputs = {}};
        for (const std::int32_t i : net.inputs)
            signature.inputs.emplace_back("in_" + net.tensor(i).name, place.at(i));
        for (const std::int32_t i : net.outputs)
            signature.outputs.emplace_back("out_" + net.tensor(i).name, place.at(i));
        std::ranges::reverse(signature.inputs);
        builder.add_signature(std::move(signature));
    }
    return builder.write();
}

}  // namespace skiff::differential
