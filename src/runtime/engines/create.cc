#include "runtime/engines/engines.h"
#include "runtime/interpreter.h"

namespace skiff::runtime {

Result<std::unique_ptr<Engine>> create_engine(std::string_view spec,
                                              std::shared_ptr<const model::Model> model,
                                              const EngineOptions& options) {
    const std::string_view kind = spec.substr(0, spec.find(':'));
    const std::string path(spec.size() > kind.size() ? spec.substr(kind.size() + 1) : "");
    if (spec == "skiff") {
        InterpreterOptions own;
        own.threads = options.threads;
        own.allow_fp16 = options.allow_fp16;
        own.signature = options.signature;
        return std::unique_ptr<Engine>(TRY(Interpreter::create(std::move(model), std::move(own))));
    }
    if (kind == "litert" && !path.empty())
        return create_litert_engine(path, std::move(model), options);
    if (kind == "tflite" && !path.empty())
        return create_tflite_engine(path, std::move(model), options);
    return error(Code::invalid_argument,
                 "unknown engine \"" + std::string(spec) +
                     "\" (one of: skiff, litert:PATH of libLiteRt.so, tflite:PATH of "
                     "libtensorflowlite_c.so)");
}

}  // namespace skiff::runtime
