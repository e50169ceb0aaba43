// What RESHAPE and SQUEEZE share: the bytes stay, only the shape changes.
#pragma once

#include <cstring>

#include "kernels/portable/elementwise.h"

namespace skiff::kernels {

// Checks that the first input and the output have the same type, of a fixed size. Allows the output
// in the input's place.
inline Status prepare_copy(PrepareContext& context) {
    TRY(check_same_dtype(*context.input(0), context.output()));
    if (dtype_bits(context.output().dtype) == 0) return no_kernel_for(context.output().dtype);
    allow_in_place(context, 0);
    return {};
}

inline void copy_bytes(InvokeContext& context) {
    const std::int64_t bytes = byte_size(*context.input(0));
    if (bytes > 0 && context.output().data != context.input(0)->data)
        std::memcpy(context.output().data, context.input(0)->data, static_cast<std::size_t>(bytes));
}

}  // namespace skiff::kernels
