// What can be said about a model without running it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/metadata.h"
#include "model/model.h"
#include "runtime/interpreter.h"

namespace skiff::cli {

struct OperatorCount {
    std::string name;
    int version;
    int count;
};

struct ModelFacts {
    std::vector<OperatorCount> operators;  // of all subgraphs, most frequent first
    std::int64_t macs = 0;                 // multiply-adds of one invocation of the main subgraph
    std::optional<runtime::MemoryUse> memory;  // when our runtime takes the model
    model::Metadata metadata;
    bool runs = false;               // our runtime takes it
    std::vector<std::string> notes;  // what will not work where, in words
};

ModelFacts collect_facts(const std::shared_ptr<const model::Model>& model);

// "scale 0.0078 zero 128", "64 scales on axis 0", "".
std::string quantization_text(const model::TensorQuantization& quantization);

}  // namespace skiff::cli
