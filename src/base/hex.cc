#include "base/hex.h"

#include <algorithm>
#include <array>

namespace skiff {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";
constexpr char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int base64_value(char c) {
    static const auto table = [] {
        std::array<signed char, 256> t{};
        t.fill(-1);
        for (int i = 0; i < 64; ++i)
            t[static_cast<unsigned char>(base64_digits[i])] = static_cast<signed char>(i);
        return t;
    }();
    return table[static_cast<unsigned char>(c)];
}

}  // namespace

std::string to_hex(Bytes bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (std::uint8_t b : bytes) {
        text += hex_digits[b >> 4];
        text += hex_digits[b & 15];
    }
    return text;
}

Result<std::vector<std::uint8_t>> from_hex(std::string_view text) {
    if (text.size() % 2) return error(Code::invalid_argument, "hex text has an odd length");
    std::vector<std::uint8_t> bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return error(Code::invalid_argument, "hex text has a letter beyond f");
        bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return bytes;
}

std::string to_base64(Bytes bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16;
        if (n > 1) group |= static_cast<std::uint32_t>(bytes[i + 1]) << 8;
        if (n > 2) group |= bytes[i + 2];
        text += base64_digits[group >> 18];
        text += base64_digits[group >> 12 & 63];
        text += n > 1 ? base64_digits[group >> 6 & 63] : '=';
        text += n > 2 ? base64_digits[group & 63] : '=';
    }
    return text;
}

Result<std::vector<std::uint8_t>> from_base64(std::string_view text) {
    const Error bad = error(Code::invalid_argument, "text is not base64");
    if (text.size() % 4) return bad;
    std::vector<std::uint8_t> bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const int pad =
            last ? (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=') : 0;
        std::uint32_t group = 0;
        for (int k = 0; k < 4; ++k) {
            const int value =
                k >= 4 - pad ? 0 : base64_value(text[i + static_cast<std::size_t>(k)]);
            if (value < 0) return bad;
            group = group << 6 | static_cast<std::uint32_t>(value);
        }
        if (group & ((1u << (8 * pad)) - 1)) return bad;  // bits that no byte has
        for (int k = 0; k < 3 - pad; ++k)
            bytes.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * k)));
    }
    return bytes;
}

}  // namespace skiff
