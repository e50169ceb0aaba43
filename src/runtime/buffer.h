// Memory that tensors lie in: aligned, counted, and refused with an error instead of a crash.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"

namespace skiff::runtime {

inline constexpr std::size_t memory_alignment = 64;

constexpr std::size_t round_up_to_alignment(std::size_t bytes) {
    return (bytes + memory_alignment - 1) / memory_alignment * memory_alignment;
}

// Bytes of a tensor. Errors: Code::unimplemented for types without a fixed size or of less than a
// byte, Code::resource_exhausted when no machine could hold it (the product overflows, or is above
// 2^42).
Result<std::size_t> tensor_bytes(DType dtype, const Shape& shape);

// Owns `bytes` of memory at a multiple of memory_alignment. Contents are not set.
class Buffer {
 public:
    Buffer() = default;
    // Errors: Code::resource_exhausted, also when the machine's whole memory is smaller: asking the
    // system for more than that may succeed, and kill the process later.
    static Result<Buffer> allocate(std::size_t bytes);

    std::uint8_t* data() const { return memory_.get(); }
    std::size_t size() const { return size_; }

 private:
    struct Free {
        void operator()(std::uint8_t* memory) const;
    };
    std::unique_ptr<std::uint8_t, Free> memory_;
    std::size_t size_ = 0;
};

}  // namespace skiff::runtime
