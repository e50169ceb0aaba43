// Factories of the engines over official libraries; create_engine() is the door.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "model/model.h"
#include "runtime/engine.h"

namespace skiff::runtime {

// Through the LiteRt* C ABI, in the library's default setting (XNNPACK). The ABI cannot run the
// main subgraph of a model whose signatures leave part of it out, cannot hand out strings, nor an
// output whose shape depends on values.
Result<std::unique_ptr<Engine>> create_litert_engine(const std::string& library,
                                                     std::shared_ptr<const model::Model> model,
                                                     const EngineOptions& options);

// Through the classic TfLite* C ABI, built-in kernels, no delegate. The ABI knows no signatures:
// only those of the main subgraph can be asked for. No strings.
Result<std::unique_ptr<Engine>> create_tflite_engine(const std::string& library,
                                                     std::shared_ptr<const model::Model> model,
                                                     const EngineOptions& options);

}  // namespace skiff::runtime
