#include "tasks/orientation.h"

#include <cstring>
#include <optional>

namespace skiff::tasks {
namespace {

// Where the pixel that belongs to column x, row y of the upright image is stored: swapped first,
// then flipped.
struct Mapping {
    bool swap, flip_x, flip_y;
};
constexpr Mapping mappings[] = {
    {false, false, false}, {false, true, false}, {false, true, true}, {false, false, true},
    {true, false, false},  {true, false, true},  {true, true, true},  {true, true, false},
};

// Reads the TIFF structure inside EXIF, in either byte order.
class TiffReader {
 public:
    explicit TiffReader(Bytes bytes) : bytes_(bytes) {
        if (bytes.size() >= 2) big_endian_ = bytes[0] == 'M';
    }
    std::optional<std::uint32_t> number(std::size_t at, std::size_t width) const {
        if (at > bytes_.size() || bytes_.size() - at < width) return std::nullopt;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < width; ++i)
            value = value << 8 | bytes_[at + (big_endian_ ? i : width - 1 - i)];
        return value;
    }

 private:
    Bytes bytes_;
    bool big_endian_ = false;
};

}  // namespace

Pixels oriented(Pixels pixels, Orientation orientation) {
    if (orientation == Orientation::upright) return pixels;
    const Mapping m = mappings[static_cast<int>(orientation) - 1];
    Pixels out{m.swap ? pixels.height : pixels.width, m.swap ? pixels.width : pixels.height, {}};
    out.rgb.resize(pixels.rgb.size());
    std::uint8_t* target = out.rgb.data();
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x) {
            const int u = m.swap ? y : x, v = m.swap ? x : y;
            const std::size_t column =
                static_cast<std::size_t>(m.flip_x ? pixels.width - 1 - u : u);
            const std::size_t row = static_cast<std::size_t>(m.flip_y ? pixels.height - 1 - v : v);
            const std::size_t from = row * static_cast<std::size_t>(pixels.width) + column;
            std::memcpy(target, &pixels.rgb[3 * from], 3);
            target += 3;
        }
    return out;
}

Orientation exif_orientation(Bytes app1) {
    constexpr std::size_t header = 6;  // "Exif" and two zeros
    if (app1.size() < header || std::memcmp(app1.data(), "Exif\0\0", header) != 0)
        return Orientation::upright;
    constexpr std::size_t entry_bytes = 12;
    constexpr std::uint32_t orientation_tag = 0x0112;
    const TiffReader tiff(app1.subspan(header));
    const auto directory = tiff.number(4, 4);
    if (!directory) return Orientation::upright;
    const std::uint32_t entries = tiff.number(*directory, 2).value_or(0);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const std::size_t entry = *directory + 2 + i * entry_bytes;
        if (tiff.number(entry, 2) != orientation_tag) continue;
        const std::uint32_t value = tiff.number(entry + 8, 2).value_or(0);  // a SHORT stands first
        if (value >= 1 && value <= 8) return static_cast<Orientation>(value);
    }
    return Orientation::upright;
}

}  // namespace skiff::tasks
