// Engines as the user names them: skiff, litert, litert:LIB, tflite, tflite:LIB.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/isolated/isolated_engine.h"
#include "runtime/engine.h"

namespace skiff::cli {

// "" when `text` names an engine, else what is wrong: for option parsers.
std::string check_engine_choice(const std::string& text);

// As create_engine() wants it: "litert" becomes "litert:<folder of this
// program>/oracle/libLiteRt.so". Code::not_found, with what to do, when the library is not there.
Result<std::string> resolve_engine(const std::string& choice);

// Our own engine in this process, any other in a child.
Result<std::unique_ptr<runtime::Engine>> open_engine(const std::string& spec,
                                                     std::shared_ptr<const model::Model> model,
                                                     const runtime::EngineOptions& options);

std::string folder_of_this_program();

}  // namespace skiff::cli
