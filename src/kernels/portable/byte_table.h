// A function from one stored byte (int8, uint8) to another, as a table of 256: computed once in
// prepare, so that its arithmetic may be as slow as it likes.
#pragma once

#include <array>
#include <cstdint>

#include <skiff/base.h>

namespace skiff::kernels {

class ByteTable {
 public:
    // stored_of: the stored input value (-128..127 or 0..255) to the stored output value, which
    // must fit its type.
    template <typename F>
    void fill(DType input, const F& stored_of) {
        for (int bits = 0; bits < 256; ++bits) {
            const std::int32_t value = input == DType::int8 ? static_cast<std::int8_t>(bits) : bits;
            entries_[static_cast<std::size_t>(bits)] = static_cast<std::uint8_t>(stored_of(value));
        }
    }

    std::uint8_t operator()(std::uint8_t bits) const { return entries_[bits]; }

 private:
    std::array<std::uint8_t, 256> entries_{};
};

}  // namespace skiff::kernels
