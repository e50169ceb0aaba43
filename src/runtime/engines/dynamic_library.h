// A shared library opened by path, for engines that are somebody else's. Once opened it stays until
// the process ends: the official libraries leave threads and thread-locals behind that must not
// outlive their code.
#pragma once

#include <string>

#include "base/result.h"

namespace skiff::runtime {

class DynamicLibrary {
 public:
    // Code::not_found when there is no such file, Code::invalid_argument when it cannot be loaded;
    // both name the path.
    static Result<DynamicLibrary> open(const std::string& path);

    const std::string& path() const { return path_; }
    // Null when the library has no such function.
    void* find(const char* symbol) const;

    // Points `function` at the library's function of that name. Code::invalid_argument: it has
    // none.
    template <typename F>
    Status bind(const char* symbol, F*& function) const {
        void* address = find(symbol);
        if (address == nullptr) return missing(symbol);
        function = reinterpret_cast<F*>(address);
        return {};
    }

 private:
    DynamicLibrary(std::string path, void* handle) : path_(std::move(path)), handle_(handle) {}
    Error missing(const char* symbol) const;

    std::string path_;
    void* handle_;
};

}  // namespace skiff::runtime
