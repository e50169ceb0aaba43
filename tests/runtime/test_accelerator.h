// An accelerator for the tests: computes what it claims with the portable kernels in memory of its
// own, and fails or lies where it is told to.
#pragma once

#include <atomic>
#include <random>
#include <set>
#include <string>

#include "runtime/accelerator.h"

namespace skiff::runtime::testing {

struct TestBehaviour {
    std::set<int> claimed;            // nodes
    int refuse_compiles_percent = 0;  // of partitions, at random
    int refuse_invokes_percent = 0;   // of invocations of partitions, at random
    bool lies = false;                // gives numbers that are slightly wrong
    unsigned seed = 1;
};

class TestAccelerator final : public Accelerator {
 public:
    explicit TestAccelerator(TestBehaviour behaviour, std::string name = "test");

    std::string_view name() const override { return name_; }
    bool claims(const model::Subgraph& subgraph, const model::Operator& op) const override;
    Result<std::unique_ptr<Partition>> compile(const PartitionSpec& spec,
                                               std::span<const kernels::Tensor> tensors) override;

    int compiled = 0, invoked = 0, refused = 0;
    std::vector<std::vector<int>> partitions;  // nodes of those compiled
    TestBehaviour behaviour;
    std::mt19937 random;

 private:
    const std::string name_;
};

// Claims each node with a chance of percent / 100.
std::set<int> random_claims(std::size_t nodes, int percent, unsigned seed);

}  // namespace skiff::runtime::testing
