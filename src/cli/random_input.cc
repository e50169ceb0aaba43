#include "cli/random_input.h"

#include <cmath>
#include <cstring>
#include <string>

namespace skiff::cli {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

double unit(std::uint64_t u) {
    return static_cast<double>(u >> 11) * 0x1p-53 * 2 - 1;
}

// Nearest even, for |value| <= 1: no infinities to care for.
std::uint16_t to_half(float value) {
    const double magnitude = std::fabs(static_cast<double>(value));
    int exponent = 0;
    std::frexp(magnitude, &exponent);
    exponent = magnitude == 0 ? -13 : std::max(exponent, -13);
    const double ulp = std::ldexp(1.0, exponent - 11);
    auto bits = static_cast<std::uint32_t>(std::nearbyint(magnitude / ulp));
    bits += static_cast<std::uint32_t>(exponent + 13) << 10;  // a carry moves into the exponent
    return static_cast<std::uint16_t>(bits | (std::signbit(value) ? 0x8000u : 0u));
}

template <typename T, typename Draw>
void fill(std::vector<std::uint8_t>& out, std::uint64_t seed, const Draw& draw) {
    for (std::size_t at = 0; at + sizeof(T) <= out.size(); at += sizeof(T)) {
        const T value = static_cast<T>(draw(splitmix64(seed)));
        std::memcpy(out.data() + at, &value, sizeof value);
    }
}

}  // namespace

Result<std::vector<std::uint8_t>> random_values(DType dtype, std::size_t bytes, std::uint64_t seed,
                                                std::uint64_t int_mod) {
    std::vector<std::uint8_t> out(bytes);
    const auto small = [&](std::uint64_t u) { return (u >> 33) % int_mod; };
    switch (dtype) {
        case DType::float32:
        case DType::complex64:
            fill<float>(out, seed, unit);
            break;
        case DType::float64:
            fill<double>(out, seed, unit);
            break;
        case DType::float16:
            fill<std::uint16_t>(
                out, seed, [](std::uint64_t u) { return to_half(static_cast<float>(unit(u))); });
            break;
        case DType::int8:
        case DType::uint8:
            fill<std::uint8_t>(out, seed, [](std::uint64_t u) { return u >> 56; });
            break;
        case DType::int16:
        case DType::uint16:
            fill<std::uint16_t>(out, seed, [](std::uint64_t u) { return u >> 48; });
            break;
        case DType::boolean:
            fill<std::uint8_t>(out, seed, [](std::uint64_t u) { return u >> 63; });
            break;
        case DType::int32:
        case DType::uint32:
            fill<std::uint32_t>(out, seed, small);
            break;
        case DType::int64:
        case DType::uint64:
            fill<std::uint64_t>(out, seed, small);
            break;
        default:
            return error(Code::unimplemented,
                         "no random inputs of type " + std::string(dtype_name(dtype)));
    }
    return out;
}

std::uint64_t input_seed(std::uint64_t seed, std::size_t step, std::size_t input) {
    return seed + (static_cast<std::uint64_t>(step) << 32) +
           (static_cast<std::uint64_t>(input) << 16);
}

}  // namespace skiff::cli
