#include "runtime/buffer.h"

#include <unistd.h>

#include <new>

namespace skiff::runtime {
namespace {

constexpr std::size_t largest_tensor_bytes = std::size_t{1} << 42;

std::size_t machine_memory() {
    static const std::size_t bytes = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                                     static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return bytes;
}

}  // namespace

Result<std::size_t> tensor_bytes(DType dtype, const Shape& shape) {
    const int bits = dtype_bits(dtype);
    if (bits < 8)
        return error(Code::unimplemented,
                     "the element type " + std::string(dtype_name(dtype)) + " is not supported");
    std::size_t bytes = static_cast<std::size_t>(bits) / 8;
    for (std::int32_t dim : shape) {
        if (dim < 0)
            return error(Code::invalid_argument,
                         "the shape " + shape.to_string() + " has a negative dimension");
        if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(dim), &bytes) ||
            bytes > largest_tensor_bytes)
            return error(Code::resource_exhausted, "a tensor of the shape " + shape.to_string() +
                                                       " is too large for any memory");
    }
    return bytes;
}

Result<Buffer> Buffer::allocate(std::size_t bytes) {
    Buffer buffer;
    if (bytes == 0) return buffer;
    void* memory = nullptr;
    if (bytes <= machine_memory())
        memory = ::operator new(bytes, std::align_val_t(memory_alignment), std::nothrow);
    if (!memory)
        return error(Code::resource_exhausted, "this machine has no " + std::to_string(bytes) +
                                                   " bytes of memory to give; use smaller shapes");
    buffer.memory_.reset(static_cast<std::uint8_t*>(memory));
    buffer.size_ = bytes;
    return buffer;
}

void Buffer::Free::operator()(std::uint8_t* memory) const {
    ::operator delete(memory, std::align_val_t(memory_alignment));
}

}  // namespace skiff::runtime
