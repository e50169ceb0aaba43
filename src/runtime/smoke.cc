#include "runtime/smoke.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/hex.h"
#include "base/sha256.h"

namespace skiff::runtime {

namespace {

// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the inputs of a seed must never change, so the
// generator is written out.
class SplitMix64 {
 public:
    explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }

 private:
    std::uint64_t state_;
};

// Floats in [-1, 1); 8 and 16 bit integers over their range; wider ones, which are often indices, 0
// or 1.
void fill(const TensorInfo& info, MutableBytes bytes, SplitMix64& random) {
    if (info.dtype == DType::float32) {
        for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
            const float x = static_cast<float>(random.next() >> 40) / 8388608.f - 1.f;
            std::memcpy(bytes.data() + i, &x, 4);
        }
        return;
    }
    const auto width = static_cast<std::size_t>(dtype_bits(info.dtype)) / 8;
    if (width <= 2 && info.dtype != DType::boolean) {
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next() >> 56);
        return;
    }
    std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
    for (std::size_t i = 0; i < bytes.size(); i += width)
        bytes[i] = static_cast<std::uint8_t>(random.next() >> 63);
}

bool is_finite(Bytes bytes) {
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
        float x;
        std::memcpy(&x, bytes.data() + i, 4);
        if (!std::isfinite(x)) return false;
    }
    return true;
}

}  // namespace

Result<std::string> smoke_digest(Engine& engine, std::uint64_t seed) {
    TRY(engine.prepare());
    SplitMix64 random(seed);
    for (std::size_t i = 0; i < engine.input_count(); ++i)
        fill(engine.input_info(i), engine.input(i), random);
    TRY(engine.invoke());
    Sha256 hash;
    for (std::size_t i = 0; i < engine.output_count(); ++i) {
        const TensorInfo info = engine.output_info(i);
        const Bytes bytes = engine.output(i);
        hash.update(as_bytes(std::string(dtype_name(info.dtype)) + info.shape.to_string() + ";"));
        if (info.dtype != DType::float32)
            hash.update(bytes);
        else if (!is_finite(bytes))
            return error(Code::data_loss,
                         "output " + std::to_string(i) + ", " + info.name +
                             ", is not finite on the smoke test's inputs: the model is damaged");
    }
    return to_hex(hash.finish());
}

}  // namespace skiff::runtime
