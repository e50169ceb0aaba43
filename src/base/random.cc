#include "base/random.h"

#include <openssl/rand.h>

#include "base/hex.h"

namespace skiff {

std::vector<std::uint8_t> random_bytes(std::size_t n) {
    std::vector<std::uint8_t> bytes(n);
    CHECK(RAND_bytes(bytes.data(), static_cast<int>(n)) == 1);
    return bytes;
}

std::string random_hex(std::size_t bytes) {
    return to_hex(random_bytes(bytes));
}

std::string random_uuid() {
    std::vector<std::uint8_t> b = random_bytes(16);
    b[6] = static_cast<std::uint8_t>((b[6] & 0x0f) | 0x40);
    b[8] = static_cast<std::uint8_t>((b[8] & 0x3f) | 0x80);
    const std::string hex = to_hex(b);
    std::string text;
    for (std::size_t i = 0; i < hex.size(); ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
        text += hex[i];
    }
    return text;
}

}  // namespace skiff
