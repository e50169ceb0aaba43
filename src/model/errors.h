// Error lines of this room: what is wrong, where in the model, and what to do.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::model {

// A name from a file, fit for one line: in quotes, control bytes as \x0a, cut after 80 bytes.
std::string quoted(std::string_view name);

// Places are made only when an error is.
struct Place {
    int subgraph = -1;  // -1: the whole model
    const char* kind = nullptr;
    int index = 0;
    std::string_view name = {};

    std::string text() const;  // "subgraph 0, tensor 5 'conv/weights'"
};
inline Place tensor_place(int subgraph, int tensor, std::string_view name) {
    return {subgraph, "tensor", tensor, name};
}
inline Place operator_place(int subgraph, int op, std::string_view name) {
    return {subgraph, "operator", op, name};
}

// The file contradicts itself: Code::invalid_argument, and the advice to get it anew.
Error broken(const Place& place, std::string_view what);
// The file may be right, but this reader stops here: Code::unimplemented. `what` says what to do.
Error beyond(const Place& place, std::string_view what);

}  // namespace skiff::model
