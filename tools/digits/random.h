// Random numbers and elementary functions that give the same bits on every machine.
//
// The C library's exp and sin may differ in the last bit between versions and CPUs (fused
// multiply-add or not), and the models made here must come out byte for byte the same. So: plain
// arithmetic only, which IEEE 754 fixes.
#pragma once

#include <cmath>
#include <cstdint>

namespace skiff::digits {

inline constexpr double pi = 3.14159265358979323846;

// exp by range reduction and its Taylor series; relative error below 1e-13 for |x| < 700.
inline double portable_exp(double x) {
    const double halvings = std::floor(x * 1.4426950408889634 + 0.5);
    const double rest = x - halvings * 0.6931471805599453;
    double term = 1, sum = 1;
    for (int n = 1; n <= 14; ++n) {
        term *= rest / n;
        sum += term;
    }
    return std::ldexp(sum, static_cast<int>(halvings));
}

// sin by reduction to [-pi, pi] and its Taylor series; absolute error below 1e-9 for small |x|.
inline double portable_sin(double x) {
    x -= 2 * pi * std::floor(x / (2 * pi) + 0.5);
    double term = x, sum = x;
    for (int n = 1; n <= 10; ++n) {
        term *= -x * x / ((2 * n) * (2 * n + 1));
        sum += term;
    }
    return sum;
}
inline double portable_cos(double x) {
    return portable_sin(x + pi / 2);
}

// splitmix64: one word of state, passes the usual statistical tests, and any seed will do.
class Random {
 public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    int below(int n) { return static_cast<int>((next() >> 33) % static_cast<std::uint64_t>(n)); }
    double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    bool chance(double probability) { return uniform() < probability; }
    // Nearly normal, mean 0, deviation 1: the sum of twelve uniform numbers needs no logarithm.
    double normal() {
        double sum = -6;
        for (int i = 0; i < 12; ++i) sum += uniform();
        return sum;
    }

 private:
    std::uint64_t state_;
};

}  // namespace skiff::digits
