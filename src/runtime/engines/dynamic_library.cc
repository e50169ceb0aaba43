#include "runtime/engines/dynamic_library.h"

#include <dlfcn.h>

#include "base/files.h"

namespace skiff::runtime {

Result<DynamicLibrary> DynamicLibrary::open(const std::string& path) {
    if (!file_exists(path))
        return error(Code::not_found, "no library at " + path +
                                          " (scripts/oracle fetches the official ones; or give the "
                                          "path as litert:PATH or tflite:PATH)");
    // dlopen looks a name without a slash up in the system's folders; a path is meant.
    const std::string with_slash = path.find('/') == std::string::npos ? "./" + path : path;
    void* handle = dlopen(with_slash.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) {
        const char* reason = dlerror();
        return error(Code::invalid_argument, path + " is not a library this system can load (" +
                                                 (reason ? reason : "no reason given") + ")");
    }
    return DynamicLibrary(path, handle);
}

void* DynamicLibrary::find(const char* symbol) const {
    return dlsym(handle_, symbol);
}

Error DynamicLibrary::missing(const char* symbol) const {
    return error(Code::invalid_argument,
                 path_ + " has no function " + symbol +
                     " (litert: needs libLiteRt.so, tflite: needs libtensorflowlite_c.so)");
}

}  // namespace skiff::runtime
