#pragma once

#include <cstdint>
#include <vector>

#include "cli/session.h"
#include "cli/table.h"
#include "runtime/interpreter.h"

namespace skiff::cli {

// Adds up what every node of an interpreter takes, over any number of invocations. Put in with
// watch(); lives as long as the interpreter.
class NodeProfile {
 public:
    void watch(runtime::Interpreter& interpreter);

    // One row per node in execution order: what it is, its output's shape, its mean time and share.
    Table table(const model::Subgraph& subgraph) const;
    OrderedJson json(const model::Subgraph& subgraph) const;

 private:
    struct Node {
        std::int64_t nanoseconds = 0, invocations = 0;
    };
    std::vector<Node> nodes_;
};

// The subgraph that a signature runs; the main one for "".
const model::Subgraph& subgraph_of(const model::Model& model, std::string_view signature);

}  // namespace skiff::cli
