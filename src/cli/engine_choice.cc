#include "cli/engine_choice.h"

#include <unistd.h>

#include <climits>

#include "base/files.h"

namespace skiff::cli {

std::string check_engine_choice(const std::string& text) {
    const std::string kind = text.substr(0, text.find(':'));
    const bool with_path = kind.size() < text.size();
    if (text == "skiff") return {};
    if ((kind == "litert" || kind == "tflite") && (!with_path || text.size() > kind.size() + 1))
        return {};
    return "\"" + text + "\" is no engine (one of: skiff, litert, litert:LIB, tflite, tflite:LIB)";
}

std::string folder_of_this_program() {
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    const std::string program(path, length > 0 ? static_cast<std::size_t>(length) : 0);
    return program.substr(0, program.rfind('/'));
}

Result<std::string> resolve_engine(const std::string& choice) {
    if (choice == "skiff") return choice;
    const bool litert = choice.starts_with("litert");
    const std::size_t colon = choice.find(':');
    const std::string path = colon != std::string::npos
                                 ? choice.substr(colon + 1)
                                 : folder_of_this_program() + "/oracle/" +
                                       (litert ? "libLiteRt.so" : "libtensorflowlite_c.so");
    if (!file_exists(path))
        return error(Code::not_found,
                     "no library at " + path +
                         (colon == std::string::npos
                              ? " (run scripts/oracle to fetch it, or name one: " + choice + ":LIB)"
                              : " (scripts/oracle fetches the official ones)"));
    return std::string(litert ? "litert:" : "tflite:") + path;
}

Result<std::unique_ptr<runtime::Engine>> open_engine(const std::string& spec,
                                                     std::shared_ptr<const model::Model> model,
                                                     const runtime::EngineOptions& options) {
    if (spec == "skiff") return runtime::create_engine(spec, std::move(model), options);
    return std::unique_ptr<runtime::Engine>(TRY(IsolatedEngine::start(spec, model, options)));
}

}  // namespace skiff::cli
