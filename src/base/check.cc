#include <cstdio>
#include <cstdlib>

#include "base/result.h"

namespace skiff {

void check_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "skiff: bug: %s is false at %s:%d\n", expression, file, line);
    std::abort();
}

}  // namespace skiff
