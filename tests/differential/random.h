// Numbers from a seed, the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace skiff::differential {

class Random {
 public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}

    std::uint64_t bits() {  // splitmix64
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    // In [lo, hi].
    int integer(int lo, int hi) {
        const auto n = static_cast<std::uint64_t>(std::int64_t{hi} - lo + 1);
        return static_cast<int>(lo + static_cast<std::int64_t>(bits() % n));
    }
    bool chance(int percent) { return integer(1, 100) <= percent; }
    // In [lo, hi).
    double real(double lo, double hi) {
        return lo + (hi - lo) * static_cast<double>(bits() >> 11) * 0x1p-53;
    }
    template <typename T>
    T one_of(std::initializer_list<T> choices) {
        return choices.begin()[integer(0, static_cast<int>(choices.size()) - 1)];
    }

 private:
    std::uint64_t state_;
};

}  // namespace skiff::differential
