#include "tests/runtime/test_accelerator.h"

#include <cstring>

#include "runtime/buffer.h"
#include "runtime/lowering.h"

namespace skiff::runtime::testing {
namespace {

std::size_t size_of(const kernels::Tensor& tensor) {
    return tensor_bytes(tensor.dtype, tensor.shape).value();
}

// One node with tensors of its own, prepared.
struct OwnNode {
    std::unique_ptr<kernels::Kernel> kernel;
    std::vector<const kernels::Tensor*> inputs;
    std::vector<kernels::Tensor*> outputs;
    std::vector<std::uint8_t> scratch;
};

class TestPartition final : public Partition {
 public:
    TestPartition(TestAccelerator& owner, const PartitionSpec& spec,
                  std::span<const kernels::Tensor> tensors)
        : owner_(owner),
          spec_(spec),
          tensors_(tensors.begin(), tensors.end()),
          memory_(tensors.size()) {}

    Status prepare() {
        for (int t : spec_.inputs) give_memory(t);
        for (int n : spec_.nodes) {
            const model::Operator& op = spec_.subgraph->operators[static_cast<std::size_t>(n)];
            OwnNode node;
            node.kernel = kernels::find_kernel(op.builtin_code)->create(TRY(lower_options(op)));
            for (int t : op.inputs)
                node.inputs.push_back(t < 0 ? nullptr : &tensors_[static_cast<std::size_t>(t)]);
            for (int t : op.outputs) {
                give_memory(t);
                node.outputs.push_back(&tensors_[static_cast<std::size_t>(t)]);
            }
            kernels::PrepareContext context;
            context.inputs = node.inputs;
            context.outputs = node.outputs;
            TRY(node.kernel->prepare(context));
            node.scratch.resize(context.scratch_bytes + memory_alignment);
            nodes_.push_back(std::move(node));
        }
        return {};
    }

    Status invoke(std::span<const kernels::Tensor* const> inputs,
                  std::span<kernels::Tensor* const> outputs) override {
        ++owner_.invoked;
        // Outputs are ours from the start: writing there first must not harm an input.
        for (kernels::Tensor* output : outputs) std::memset(output->data, 0xA5, size_of(*output));
        if (static_cast<int>(owner_.random() % 100) < owner_.behaviour.refuse_invokes_percent) {
            ++owner_.refused;
            return error(Code::unavailable, "not now");
        }
        for (std::size_t i = 0; i < inputs.size(); ++i)
            std::memcpy(own(spec_.inputs[i]).data, inputs[i]->data, size_of(*inputs[i]));
        for (OwnNode& node : nodes_) {
            auto* scratch = reinterpret_cast<std::uint8_t*>(
                round_up_to_alignment(reinterpret_cast<std::uintptr_t>(node.scratch.data())));
            kernels::InvokeContext context{node.inputs, node.outputs, scratch, nullptr};
            TRY(node.kernel->invoke(context));
        }
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            std::memcpy(outputs[i]->data, own(spec_.outputs[i]).data, size_of(*outputs[i]));
            if (owner_.behaviour.lies) outputs[i]->data[0] ^= 0x40;
        }
        return {};
    }

 private:
    kernels::Tensor& own(int t) { return tensors_[static_cast<std::size_t>(t)]; }
    void give_memory(int t) {
        auto& memory = memory_[static_cast<std::size_t>(t)];
        memory.resize(size_of(own(t)) + memory_alignment);
        own(t).data = reinterpret_cast<std::uint8_t*>(
            round_up_to_alignment(reinterpret_cast<std::uintptr_t>(memory.data())));
    }

    TestAccelerator& owner_;
    const PartitionSpec spec_;
    std::vector<kernels::Tensor> tensors_;
    std::vector<std::vector<std::uint8_t>> memory_;
    std::vector<OwnNode> nodes_;
};

}  // namespace

TestAccelerator::TestAccelerator(TestBehaviour given, std::string name)
    : behaviour(std::move(given)), random(behaviour.seed), name_(std::move(name)) {}

bool TestAccelerator::claims(const model::Subgraph& subgraph, const model::Operator& op) const {
    return behaviour.claimed.count(static_cast<int>(&op - subgraph.operators.data())) > 0;
}

Result<std::unique_ptr<Partition>> TestAccelerator::compile(
    const PartitionSpec& spec, std::span<const kernels::Tensor> tensors) {
    if (static_cast<int>(random() % 100) < behaviour.refuse_compiles_percent) {
        ++refused;
        return error(Code::unimplemented, "too hard");
    }
    for (std::size_t t = 0; t < tensors.size(); ++t)
        if (!tensors[t].constant && tensors[t].data)
            return error(Code::internal, "a tensor has data before its time");
    auto partition = std::make_unique<TestPartition>(*this, spec, tensors);
    TRY(partition->prepare());
    ++compiled;
    partitions.push_back(spec.nodes);
    return std::unique_ptr<Partition>(std::move(partition));
}

std::set<int> random_claims(std::size_t nodes, int percent, unsigned seed) {
    std::mt19937 random(seed);
    std::set<int> claims;
    for (std::size_t n = 0; n < nodes; ++n)
        if (static_cast<int>(random() % 100) < percent) claims.insert(static_cast<int>(n));
    return claims;
}

}  // namespace skiff::runtime::testing
