#include "runtime/model_cost.h"

#include <gtest/gtest.h>

#include <limits>

namespace skiff::runtime {
namespace {

struct CostCase {
    const char* name;
    std::int32_t builtin_code;
    std::vector<Shape> inputs;
    Shape output;
    std::int64_t macs;
};

model::Subgraph one_operator(const CostCase& c) {
    model::Subgraph subgraph;
    model::Operator op;
    op.builtin_code = c.builtin_code;
    for (const Shape& shape : c.inputs) {
        op.inputs.push_back(static_cast<std::int32_t>(subgraph.tensors.size()));
        subgraph.tensors.push_back({});
        subgraph.tensors.back().shape = shape;
    }
    op.outputs.push_back(static_cast<std::int32_t>(subgraph.tensors.size()));
    subgraph.tensors.push_back({});
    subgraph.tensors.back().shape = c.output;
    subgraph.operators.push_back(op);
    return subgraph;
}

TEST(ModelCost, CountsProducts) {
    const std::int32_t huge = std::numeric_limits<std::int32_t>::max();
    const CostCase cases[] = {
        {"CONV_2D", 3, {{1, 8, 8, 3}, {16, 3, 3, 3}, {16}}, {1, 4, 4, 16}, 4 * 4 * 16 * 27},
        {"grouped CONV_2D", 3, {{1, 8, 8, 4}, {16, 3, 3, 2}}, {1, 4, 4, 16}, 4 * 4 * 16 * 18},
        {"DEPTHWISE_CONV_2D", 4, {{1, 8, 8, 3}, {1, 5, 5, 6}}, {1, 8, 8, 6}, 8 * 8 * 6 * 25},
        {"FULLY_CONNECTED", 9, {{7, 10}, {20, 10}}, {7, 20}, 7 * 200},
        {"TRANSPOSE_CONV", 67, {{4}, {6, 2, 2, 3}, {1, 5, 5, 3}}, {1, 10, 10, 6}, 25 * 3 * 24},
        {"BATCH_MATMUL", 126, {{2, 4, 5}, {2, 5, 6}}, {2, 4, 6}, 2 * 4 * 5 * 6},
        {"adjoint BATCH_MATMUL", 126, {{2, 5, 4}, {2, 5, 6}}, {2, 4, 6}, 2 * 4 * 5 * 6},
        {"ADD", 0, {{4}, {4}}, {4}, 0},
        {"weights of no rank", 3, {{1, 8, 8, 3}, {}}, {1, 4, 4, 16}, 0},
        {"weights of no elements", 9, {{7, 10}, {0, 10}}, {7, 0}, 0},
        {"too many to count",
         9,
         {{huge, huge}, {huge, huge}},
         {huge, huge},
         std::numeric_limits<std::int64_t>::max()},
    };
    for (const CostCase& c : cases) EXPECT_EQ(subgraph_macs(one_operator(c)), c.macs) << c.name;
}

TEST(ModelCost, SumsOperators) {
    model::Subgraph subgraph = one_operator({"", 9, {{7, 10}, {20, 10}}, {7, 20}, 0});
    subgraph.operators.push_back(subgraph.operators[0]);
    EXPECT_EQ(subgraph_macs(subgraph), 2 * 7 * 200);
}

}  // namespace
}  // namespace skiff::runtime
