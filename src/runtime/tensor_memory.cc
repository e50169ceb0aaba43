#include "runtime/tensor_memory.h"

#include <algorithm>
#include <cstring>

#include "runtime/support.h"

namespace skiff::runtime {
namespace {

std::size_t index_of(const Graph& graph, const kernels::Tensor* tensor) {
    return static_cast<std::size_t>(tensor - graph.tensors.data());
}

// Fills a variable's memory with zero, or with the zero point for quantized integers.
void reset(const kernels::Tensor& tensor, const Buffer& memory) {
    if (memory.size() == 0) return;
    const std::int32_t zero_point = tensor.quantization.zero_point();
    if (tensor.dtype == DType::int8 || tensor.dtype == DType::uint8)
        std::memset(memory.data(), static_cast<std::uint8_t>(zero_point), memory.size());
    else if (tensor.dtype == DType::int16)
        std::fill_n(reinterpret_cast<std::int16_t*>(memory.data()), memory.size() / 2,
                    static_cast<std::int16_t>(zero_point));
    else
        std::memset(memory.data(), 0, memory.size());
}

}  // namespace

TensorMemory::TensorMemory(Graph& graph, bool preserve_all)
    : graph_(graph), preserve_all_(preserve_all) {}

Status TensorMemory::allocate_variables() {
    for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
        if (!graph_.is_variable(t)) continue;
        kernels::Tensor& tensor = graph_.tensors[t];
        const std::size_t bytes = TRY(tensor_bytes(tensor.dtype, tensor.shape));
        Buffer& buffer = persistent_[static_cast<int>(t)];
        const bool is_new = buffer.size() != bytes;
        if (is_new) buffer = TRY(Buffer::allocate(bytes));
        tensor.data = buffer.data();
        if (is_new) reset(tensor, buffer);
    }
    return {};
}

void TensorMemory::reset_variables() {
    for (const auto& [t, memory] : persistent_)
        if (graph_.is_variable(static_cast<std::size_t>(t)))
            reset(graph_.tensors[static_cast<std::size_t>(t)], memory);
}

void TensorMemory::forget_stretches() {
    arenas_.clear();
    for (std::size_t t = 0; t < graph_.tensors.size(); ++t)
        if (!graph_.tensors[t].constant) graph_.tensors[t].data = nullptr;
}

void TensorMemory::forget_results(int begin) {
    for (std::size_t n = static_cast<std::size_t>(begin); n < graph_.nodes.size(); ++n)
        for (kernels::Tensor* output : graph_.nodes[n].outputs)
            if (!output->constant) output->data = nullptr;
}

Result<std::vector<PlanTensor>> TensorMemory::plan_tensors(std::size_t index,
                                                           const Stretch& stretch) const {
    std::vector<PlanTensor> result(graph_.tensors.size());
    auto add = [&](std::size_t t) -> Status {
        const kernels::Tensor& tensor = graph_.tensors[t];
        if (!graph_.in_arena(t)) return {};
        result[t].planned = true;
        result[t].bytes = TRY(tensor_bytes(tensor.dtype, tensor.shape));
        result[t].from_start = graph_.is_input[t];
        result[t].to_end =
            graph_.is_output[t] || preserve_all_ || graph_.last_reader[t] >= stretch.end;
        return {};
    };
    for (std::size_t t = 0; index == 0 && t < graph_.tensors.size(); ++t)
        if (graph_.is_input[t]) TRY(add(t));
    for (int n : stretch.order)
        for (const kernels::Tensor* output : graph_.nodes[static_cast<std::size_t>(n)].outputs)
            TRY(add(index_of(graph_, output)));
    return result;
}

std::vector<PlanNode> TensorMemory::plan_nodes(const Stretch& stretch) const {
    std::vector<PlanNode> result;
    for (int n : stretch.order) {
        const Node& node = graph_.nodes[static_cast<std::size_t>(n)];
        PlanNode plan;
        plan.inputs = node.op->inputs;
        plan.outputs = node.op->outputs;
        plan.scratch_bytes = node.scratch_bytes;
        plan.in_place_input = preserve_all_ ? -1 : node.in_place_input;
        if (!stretch.groups.empty()) plan.group = stretch.groups[static_cast<std::size_t>(n)];
        result.push_back(std::move(plan));
    }
    return result;
}

Status TensorMemory::plan_stretch(std::size_t index, const Stretch& stretch) {
    const std::vector<PlanTensor> tensors = TRY(plan_tensors(index, stretch));
    if (arenas_.size() <= index) arenas_.resize(index + 1);
    Arena& arena = arenas_[index];
    arena.plan = plan_memory(tensors, plan_nodes(stretch));
    if (arena.buffer.size() < arena.plan.bytes) {
        arena.buffer = Buffer();  // the old one first: both at once may be too much
        arena.buffer = TRY(Buffer::allocate(arena.plan.bytes));
    }
    for (std::size_t t = 0; t < tensors.size(); ++t)
        if (arena.plan.tensors[t] != MemoryPlan::nowhere)
            graph_.tensors[t].data = arena.buffer.data() + arena.plan.tensors[t];
    for (std::size_t k = 0; k < stretch.order.size(); ++k) {
        Node& node = graph_.nodes[static_cast<std::size_t>(stretch.order[k])];
        const std::size_t offset = arena.plan.scratch[k];
        node.scratch = offset == MemoryPlan::nowhere ? nullptr : arena.buffer.data() + offset;
    }
    return {};
}

void TensorMemory::clear_inputs() {
    for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
        if (!graph_.is_input[t] || !graph_.in_arena(t)) continue;
        kernels::Tensor& tensor = graph_.tensors[t];
        const std::size_t bytes = tensor_bytes(tensor.dtype, tensor.shape).value();
        std::memset(tensor.data, 0, bytes);
    }
}

MemoryUse TensorMemory::use() const {
    MemoryUse use{};
    for (const Arena& arena : arenas_) {
        use.arena_bytes += arena.buffer.size();
        use.largest_live_bytes += arena.plan.largest_live_bytes;
    }
    for (const auto& [t, buffer] : persistent_) use.persistent_bytes += buffer.size();
    return use;
}

}  // namespace skiff::runtime
