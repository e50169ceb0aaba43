#include "api/error.h"

#include <algorithm>
#include <cstring>

namespace skiff::api {

void copy_text(std::string_view text, std::span<char> to) {
    std::size_t n = std::min(text.size(), to.size() - 1);
    if (n < text.size())
        while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) --n;
    std::memcpy(to.data(), text.data(), n);
    to[n] = 0;
}

int32_t fail(const Error& e, skiff_error* out) {
    if (out) {
        out->code = static_cast<int32_t>(e.code);
        out->retry = e.retry;
        copy_text(e.message, out->message);
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

void write_versioned(const void* from, void* to, std::size_t known_size) {
    std::size_t size = 0;
    std::memcpy(&size, to, sizeof size);
    if (size <= sizeof size) return;
    std::memcpy(static_cast<char*>(to) + sizeof size, static_cast<const char*>(from) + sizeof size,
                std::min(size, known_size) - sizeof size);
}

}  // namespace skiff::api
