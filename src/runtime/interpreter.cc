#include "runtime/interpreter.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "runtime/accelerated.h"
#include "runtime/support.h"
#include "runtime/tensor_memory.h"

namespace skiff::runtime {

struct Interpreter::Impl {
    Impl(Graph built, InterpreterOptions given)
        : graph(std::move(built)),
          options(std::move(given)),
          memory(graph, options.preserve_all_tensors),
          accelerated(graph, options.accelerators) {
        if (options.threads > 1) pool = std::make_unique<ThreadPool>(options.threads);
    }

    // What invoke() does, one after the other: a node, or a whole partition.
    struct Step {
        int node;       // the partition's first
        int partition;  // -1: the node alone, on the CPU
    };

    Status prepare();
    void make_steps(const Stretch& stretch);
    Status invoke();
    Status run_step(const Step& step);
    Status run_node(int node);
    Status run_dynamic();
    Status check_cancelled() const;
    TensorInfo info(const InterfaceTensor& tensor) const;
    MutableBytes bytes(const InterfaceTensor& tensor);

    Graph graph;
    const InterpreterOptions options;
    std::unique_ptr<ThreadPool> pool;
    TensorMemory memory;
    Accelerated accelerated;
    std::vector<Step> steps;
    int static_end = 0;  // nodes from here on are prepared in invoke: shapes depend on values
    bool prepared = false;
    std::atomic<bool> cancelled = false;
    ProfileSink sink;
};

Status Interpreter::Impl::prepare() {
    prepared = false;
    accelerated.forget();
    memory.forget_stretches();
    TRY(memory.fold_constants(pool.get()));
    static_end = TRY(prepare_nodes(graph, 0));
    accelerated.form(static_end);
    Stretch stretch{0, static_end, {}, accelerated.groups()};
    for (int n : accelerated.execution_order())
        if (n < static_end && !graph.nodes[static_cast<std::size_t>(n)].folded)
            stretch.order.push_back(n);
    TRY(memory.allocate_variables());
    TRY(memory.plan_stretch(0, stretch));
    memory.clear_inputs();
    make_steps(stretch);
    prepared = true;
    return {};
}

void Interpreter::Impl::make_steps(const Stretch& stretch) {
    steps.clear();
    for (int n : stretch.order) {
        const int partition = stretch.groups[static_cast<std::size_t>(n)];
        if (partition < 0 || steps.empty() || steps.back().partition != partition)
            steps.push_back({n, partition});
    }
}

Status Interpreter::Impl::invoke() {
    cancelled.store(false);
    if (!prepared) TRY(prepare());
    for (const Step& step : steps) TRY(run_step(step));
    if (static_end < static_cast<int>(graph.nodes.size())) TRY(run_dynamic());
    return {};
}

Status Interpreter::Impl::check_cancelled() const {
    if (!cancelled.load(std::memory_order_relaxed)) return {};
    return error(Code::cancelled, "the invocation was cancelled");
}

Status Interpreter::Impl::run_step(const Step& step) {
    if (step.partition < 0) return run_node(step.node);
    TRY(check_cancelled());
    const auto start = std::chrono::steady_clock::now();
    if (accelerated.invoke(step.partition)) {
        if (sink) sink({step.node, (std::chrono::steady_clock::now() - start).count()});
        return {};
    }
    for (int n : accelerated.nodes(step.partition)) TRY(run_node(n));
    return {};
}

Status Interpreter::Impl::run_node(int node) {
    TRY(check_cancelled());
    if (!sink) return invoke_node(graph, node, pool.get());
    const auto start = std::chrono::steady_clock::now();
    TRY(invoke_node(graph, node, pool.get()));
    sink({node, (std::chrono::steady_clock::now() - start).count()});
    return {};
}

Status Interpreter::Impl::run_dynamic() {
    const int count = static_cast<int>(graph.nodes.size());
    memory.forget_results(static_end);
    std::size_t index = 1;
    for (int begin = static_end; begin < count; ++index) {
        const int end = TRY(prepare_nodes(graph, begin));
        Stretch stretch{begin, end, {}, {}};
        if (stretch.end == begin)
            return error(Code::internal,
                         describe_node(graph.subgraph(), begin) + ": asks for values that it has");
        for (int n = stretch.begin; n < stretch.end; ++n)
            if (!graph.nodes[static_cast<std::size_t>(n)].folded) stretch.order.push_back(n);
        TRY(memory.plan_stretch(index, stretch));
        for (int n : stretch.order) TRY(run_node(n));
        begin = stretch.end;
    }
    return {};
}

TensorInfo Interpreter::Impl::info(const InterfaceTensor& tensor) const {
    const kernels::Tensor& t = graph.tensors[static_cast<std::size_t>(tensor.tensor)];
    TensorInfo info{tensor.name, t.dtype, t.shape, {}, 0};
    if (t.quantization.present() && !t.quantization.per_channel())
        info.quantization = {t.quantization.scale(), t.quantization.zero_point()};
    if (const auto bytes = tensor_bytes(t.dtype, t.shape); bytes.ok()) info.bytes = *bytes;
    return info;
}

MutableBytes Interpreter::Impl::bytes(const InterfaceTensor& tensor) {
    const kernels::Tensor& t = graph.tensors[static_cast<std::size_t>(tensor.tensor)];
    if (!t.data || !prepared) return {};
    return {t.data, tensor_bytes(t.dtype, t.shape).value()};
}

Interpreter::Interpreter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Interpreter::~Interpreter() = default;

Result<std::unique_ptr<Interpreter>> Interpreter::create(std::shared_ptr<const model::Model> model,
                                                         InterpreterOptions options) {
    if (options.threads < 1)
        return error(Code::invalid_argument,
                     std::to_string(options.threads) + " threads: at least 1 is needed");
    Graph graph = TRY(build_graph(std::move(model), options.signature));
    auto impl = std::make_unique<Impl>(std::move(graph), std::move(options));
    return std::unique_ptr<Interpreter>(new Interpreter(std::move(impl)));
}

std::size_t Interpreter::input_count() const {
    return impl_->graph.interface.inputs.size();
}
std::size_t Interpreter::output_count() const {
    return impl_->graph.interface.outputs.size();
}

TensorInfo Interpreter::input_info(std::size_t i) const {
    CHECK(i < input_count());
    return impl_->info(impl_->graph.interface.inputs[i]);
}

TensorInfo Interpreter::output_info(std::size_t i) const {
    CHECK(i < output_count());
    return impl_->info(impl_->graph.interface.outputs[i]);
}

Status Interpreter::resize_input(std::size_t i, const Shape& shape) {
    CHECK(i < input_count());
    const InterfaceTensor& input = impl_->graph.interface.inputs[i];
    kernels::Tensor& tensor = impl_->graph.tensors[static_cast<std::size_t>(input.tensor)];
    if (tensor.shape == shape) return {};
    Status possible = [&]() -> Status {
        if (std::any_of(shape.begin(), shape.end(), [](std::int32_t dim) { return dim < 1; }))
            return error(Code::invalid_argument, shape.to_string() + " has a dimension below 1");
        TRY(tensor_bytes(tensor.dtype, shape));
        return {};
    }();
    if (!possible.ok())
        return with_context(possible.take_error(), "resizing input '" + input.name + "'");
    tensor.shape = shape;
    impl_->prepared = false;
    return {};
}

Status Interpreter::prepare() {
    return impl_->prepare();
}

MutableBytes Interpreter::input(std::size_t i) {
    CHECK(i < input_count());
    return impl_->bytes(impl_->graph.interface.inputs[i]);
}

Bytes Interpreter::output(std::size_t i) const {
    CHECK(i < output_count());
    return impl_->bytes(impl_->graph.interface.outputs[i]);
}

Status Interpreter::invoke() {
    return impl_->invoke();
}

Status Interpreter::reset_state() {
    impl_->memory.reset_variables();
    return {};
}

void Interpreter::cancel() {
    impl_->cancelled.store(true);
}

bool Interpreter::is_static() const {
    return impl_->static_end == static_cast<int>(impl_->graph.nodes.size());
}

MemoryUse Interpreter::memory() const {
    return impl_->memory.use();
}
void Interpreter::set_profile_sink(ProfileSink sink) {
    impl_->sink = std::move(sink);
}

const kernels::Tensor& Interpreter::tensor(int index) const {
    CHECK(index >= 0 && static_cast<std::size_t>(index) < impl_->graph.tensors.size());
    return impl_->graph.tensors[static_cast<std::size_t>(index)];
}

std::size_t Interpreter::node_count() const {
    return impl_->graph.nodes.size();
}
std::vector<int> Interpreter::accelerated_nodes() const {
    return impl_->accelerated.node_counts();
}

}  // namespace skiff::runtime
