#include "tools/digits/write_png.h"

#include <string_view>

namespace skiff::digits {
namespace {

using File = std::vector<std::uint8_t>;

void put_u32(File& out, std::uint32_t value) {  // PNG is big-endian
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// The CRC of PNG and zip, bit by bit.
std::uint32_t crc32(const std::uint8_t* bytes, std::size_t n) {
    std::uint32_t crc = 0xFFFFFFFFu;
    for (std::size_t i = 0; i < n; ++i) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

std::uint32_t adler32(const File& bytes) {
    std::uint32_t a = 1, b = 0;
    for (const std::uint8_t byte : bytes) {
        a = (a + byte) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

void put_chunk(File& out, std::string_view type, const File& data) {
    put_u32(out, static_cast<std::uint32_t>(data.size()));
    const std::size_t start = out.size();
    out.insert(out.end(), type.begin(), type.end());
    out.insert(out.end(), data.begin(), data.end());
    put_u32(out, crc32(out.data() + start, out.size() - start));
}

// A zlib stream with one stored block (at most 65,535 bytes, which a picture stays far below).
File stored_zlib(const File& raw) {
    const auto n = static_cast<std::uint16_t>(raw.size());
    const auto inverse = static_cast<std::uint16_t>(~n);
    File out = {0x78,
                0x01,
                0x01,
                static_cast<std::uint8_t>(n),
                static_cast<std::uint8_t>(n >> 8),
                static_cast<std::uint8_t>(inverse),
                static_cast<std::uint8_t>(inverse >> 8)};
    out.insert(out.end(), raw.begin(), raw.end());
    put_u32(out, adler32(raw));
    return out;
}

}  // namespace

std::vector<std::uint8_t> write_png(const Picture& picture) {
    File rows;
    for (int y = 0; y < side; ++y) {
        rows.push_back(0);  // filter of the row: none
        rows.insert(rows.end(), picture.begin() + y * side, picture.begin() + (y + 1) * side);
    }
    File header;
    put_u32(header, side);
    put_u32(header, side);
    header.insert(header.end(),
                  {8, 0, 0, 0, 0});  // 8 bits, gray, deflate, plain filters, not interlaced
    File out = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    put_chunk(out, "IHDR", header);
    put_chunk(out, "IDAT", stored_zlib(rows));
    put_chunk(out, "IEND", {});
    return out;
}

}  // namespace skiff::digits
