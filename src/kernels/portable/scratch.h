// Pieces of a kernel's scratch memory, each aligned to 64 bytes.
#pragma once

#include <cstddef>

namespace skiff::kernels {

class ScratchLayout {
 public:
    // Returns the offset of a piece of `bytes`.
    std::size_t add(std::size_t bytes) {
        const std::size_t offset = total_;
        total_ += aligned(bytes);
        return offset;
    }
    std::size_t total() const { return total_; }
    static std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

 private:
    std::size_t total_ = 0;
};

}  // namespace skiff::kernels
