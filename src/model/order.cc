#include <functional>
#include <queue>

#include "model/reader.h"

namespace skiff::model {

namespace {

constexpr int nobody = -1;

Place place_of(const Subgraph& subgraph, int index, std::int32_t tensor) {
    return tensor_place(index, tensor, subgraph.tensors[static_cast<std::size_t>(tensor)].name);
}

std::string operator_text(const Subgraph& subgraph, int op) {
    return "operator " + std::to_string(op) + " " +
           quoted(subgraph.operators[static_cast<std::size_t>(op)].name);
}

// For each tensor the operator that writes it. Constants and inputs are nobody's to write.
Result<std::vector<int>> find_writers(const Subgraph& subgraph, int index) {
    std::vector<int> writers(subgraph.tensors.size(), nobody);
    std::vector<bool> is_input(subgraph.tensors.size(), false);
    for (const std::int32_t input : subgraph.inputs) {
        if (subgraph.tensors[static_cast<std::size_t>(input)].is_constant)
            return broken(place_of(subgraph, index, input),
                          "is an input of the subgraph and a constant");
        is_input[static_cast<std::size_t>(input)] = true;
    }
    const int count = static_cast<int>(subgraph.operators.size());
    for (int i = 0; i < count; ++i) {
        for (const std::int32_t output : subgraph.operators[static_cast<std::size_t>(i)].outputs) {
            const auto tensor = static_cast<std::size_t>(output);
            const Place place = place_of(subgraph, index, output);
            if (subgraph.tensors[tensor].is_constant)
                return broken(place,
                              "is a constant, and " + operator_text(subgraph, i) + " writes it");
            if (is_input[tensor])
                return broken(place, "is an input of the subgraph, and " +
                                         operator_text(subgraph, i) + " writes it");
            if (writers[tensor] != nobody)
                return broken(place, operator_text(subgraph, i) + " writes it after operator " +
                                         std::to_string(writers[tensor]) + " did");
            writers[tensor] = i;
        }
    }
    return writers;
}

// Whatever is read must be a constant, an input, a variable, or written by an operator.
Status check_sources(Subgraph& subgraph, int index, const std::vector<int>& writers) {
    std::vector<bool> is_there(subgraph.tensors.size(), false);
    for (const std::int32_t input : subgraph.inputs)
        is_there[static_cast<std::size_t>(input)] = true;
    const auto check = [&](std::int32_t tensor, int reader) -> Status {
        const auto at = static_cast<std::size_t>(tensor);
        Tensor& read = subgraph.tensors[at];
        if (is_there[at] || read.is_constant || read.is_variable || writers[at] != nobody)
            return {};
        if (read.shape.elements() == 0) {
            read.is_constant = true;  // all of its bytes are there
            return {};
        }
        // Vendors' operators have their scratch memory as inputs.
        if (reader != nobody && subgraph.operators[static_cast<std::size_t>(reader)].builtin_code ==
                                    tflite::BuiltinOperator_CUSTOM)
            return {};
        const std::string who = reader == nobody ? "the subgraph gives it out"
                                                 : operator_text(subgraph, reader) + " reads it";
        return broken(place_of(subgraph, index, tensor), who + ", and nothing writes it");
    };
    for (std::size_t i = 0; i < subgraph.operators.size(); ++i)
        for (const std::int32_t input : subgraph.operators[i].inputs)
            if (input != -1) TRY(check(input, static_cast<int>(i)));
    for (const std::int32_t output : subgraph.outputs) TRY(check(output, nobody));
    return {};
}

// Operators by position, always the earliest that can run; fewer than all when some wait for each
// other.
std::vector<std::size_t> executable_order(const Subgraph& subgraph,
                                          const std::vector<int>& writers) {
    const std::size_t count = subgraph.operators.size();
    std::vector<int> waits(count, 0);
    std::vector<std::vector<std::size_t>> readers(count);
    for (std::size_t i = 0; i < count; ++i) {
        for (const std::int32_t input : subgraph.operators[i].inputs) {
            if (input == -1) continue;
            const int writer = writers[static_cast<std::size_t>(input)];
            // A variable is there from the start: reading it before it is written is its purpose.
            if (writer == nobody || subgraph.tensors[static_cast<std::size_t>(input)].is_variable)
                continue;
            ++waits[i];
            readers[static_cast<std::size_t>(writer)].push_back(i);
        }
    }
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t i = 0; i < count; ++i)
        if (waits[i] == 0) ready.push(i);
    std::vector<std::size_t> order;
    while (!ready.empty()) {
        const std::size_t next = ready.top();
        ready.pop();
        order.push_back(next);
        for (const std::size_t reader : readers[next])
            if (--waits[reader] == 0) ready.push(reader);
    }
    return order;
}

}  // namespace

Status order_operators(Subgraph& subgraph, int index) {
    const std::vector<int> writers = TRY(find_writers(subgraph, index));
    TRY(check_sources(subgraph, index, writers));
    const std::vector<std::size_t> order = executable_order(subgraph, writers);
    std::vector<bool> placed(subgraph.operators.size(), false);
    for (const std::size_t i : order) placed[i] = true;
    for (std::size_t i = 0; i < placed.size(); ++i)
        if (!placed[i])
            return broken(operator_place(index, static_cast<int>(i), subgraph.operators[i].name),
                          "waits for operators that wait for each other: the graph has a cycle");
    std::vector<Operator> ordered;
    ordered.reserve(order.size());
    for (const std::size_t i : order) ordered.push_back(std::move(subgraph.operators[i]));
    subgraph.operators = std::move(ordered);
    return {};
}

}  // namespace skiff::model
