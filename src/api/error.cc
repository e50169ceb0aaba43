#include "api/error.h"

#include <algorithm>
#include <cstring>

namespace skiff::api {

int32_t fail(const Error& e, skiff_error* out) {
    if (out) {
        out->code = static_cast<int32_t>(e.code);
        out->retry = e.retry;
        std::size_t n = std::min(e.message.size(), sizeof out->message - 1);
        // Do not cut inside a UTF-8 letter.
        if (n < e.message.size())
            while (n > 0 && (static_cast<unsigned char>(e.message[n]) & 0xC0) == 0x80) --n;
        std::memcpy(out->message, e.message.data(), n);
        out->message[n] = 0;
    }
    return static_cast<int32_t>(e.code);
}

bool read_versioned(const void* from, void* to, std::size_t known_size) {
    std::size_t size = 0;
    std::memcpy(&size, from, sizeof size);
    if (size < sizeof size) return false;
    std::memset(to, 0, known_size);
    std::memcpy(to, from, std::min(size, known_size));
    return true;
}

}  // namespace skiff::api
