// Runs one subgraph of a model on the CPU, with what accelerators claim given to them.
//
// Life: create() (finds a kernel for every node, or lists what is missing) -> resize_input()* ->
// prepare() (shapes, memory plan, one arena) -> invoke()*. invoke() allocates nothing, unless an
// output shape depends on values (is_static() false).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/accelerator.h"
#include "runtime/engine.h"

namespace skiff::runtime {

// Called after each node of an invocation, with its index in the subgraph and its time.
struct NodeTiming {
    int node;
    std::int64_t nanoseconds;
};
using ProfileSink = std::function<void(const NodeTiming&)>;

struct InterpreterOptions {
    int threads = 1;
    bool allow_fp16 = false;  // accepted; no kernel makes use of it yet
    std::string signature = {};
    std::vector<std::shared_ptr<Accelerator>> accelerators = {};  // in order of preference
    // Keep every tensor in memory of its own, so that tensor() can show all of them after invoke():
    // for tools that compare node by node. Costs memory.
    bool preserve_all_tensors = false;
};

// Every tensor counts as a multiple of 64 bytes, which it is aligned to. Where shapes depend on
// values, the graph is planned in stretches, and these are sums over them.
struct MemoryUse {
    std::size_t arena_bytes;         // what was allocated for tensors and scratch
    std::size_t largest_live_bytes;  // the largest sum of live tensors and scratch over all nodes:
                                     // no plan can be below
    std::size_t
        persistent_bytes;  // variable tensors, and constants that were computed from constants
};

class Interpreter final : public Engine {
 public:
    // Errors: Code::unimplemented with the list of operators (and versions) that have no kernel.
    static Result<std::unique_ptr<Interpreter>> create(std::shared_ptr<const model::Model> model,
                                                       InterpreterOptions options = {});
    ~Interpreter() override;

    std::string_view name() const override { return "skiff"; }
    std::size_t input_count() const override;
    std::size_t output_count() const override;
    TensorInfo input_info(std::size_t i) const override;
    TensorInfo output_info(std::size_t i) const override;
    Status resize_input(std::size_t i, const Shape& shape) override;
    Status prepare() override;
    MutableBytes input(std::size_t i) override;
    Bytes output(std::size_t i) const override;
    Status invoke() override;
    Status reset_state() override;
    void cancel() override;

    bool is_static() const;  // after prepare(): all shapes are known before invoke()
    MemoryUse memory() const;
    void set_profile_sink(ProfileSink sink);  // empty: off
    // Any tensor of the subgraph; its data is meaningful after invoke() with preserve_all_tensors,
    // or for constants.
    const kernels::Tensor& tensor(int index) const;
    std::size_t node_count() const;
    // Accelerators in use: how many nodes each runs, in options' order.
    std::vector<int> accelerated_nodes() const;

 private:
    struct Impl;
    explicit Interpreter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// What keeps a model from running: "TRANSPOSE_CONV (version 3) x4, CUSTOM Foo x1"; empty when
// nothing does.
std::vector<std::string> missing_operators(const model::Model& model);

}  // namespace skiff::runtime
