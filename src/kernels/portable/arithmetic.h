// What ADD, SUB and MUL share: checks, plain float and integer arithmetic with a fused activation.
#pragma once

#include <type_traits>

#include "kernels/portable/activation.h"
#include "kernels/portable/broadcast.h"

namespace skiff::kernels {

// The official library's accelerated element-wise operators stop at this rank; beyond it, it uses
// its built-in arithmetic.
constexpr int max_accelerated_rank = 6;

// Checks two inputs and an output of one element type, sets the output shape, and allows the output
// in the place of an input of that shape.
Result<Broadcast> prepare_arithmetic(PrepareContext& context);

// The bounds that a fused activation sets to plain integers.
template <typename T>
struct PlainBounds {
    T lo = std::numeric_limits<T>::min(), hi = std::numeric_limits<T>::max();

    PlainBounds() = default;
    explicit PlainBounds(FloatRange range) {
        if (std::isfinite(range.lo)) lo = static_cast<T>(range.lo);
        if (std::isfinite(range.hi)) hi = static_cast<T>(range.hi);
    }
};

// float32, int32 and int64: clamp(f(a, b)). Integers are given to f unsigned, so they wrap.
template <typename T, typename F>
void run_plain_of(const Broadcast& plan, InvokeContext& context, FloatRange range, const F& f) {
    const T *a = context.input(0)->as<T>(), *b = context.input(1)->as<T>();
    T* output = context.output().as<T>();
    if constexpr (std::is_same_v<T, float>) {
        apply_broadcast(plan, context.pool, a, b, output,
                        [=](T x, T y) { return clamp_float(f(x, y), range.lo, range.hi); });
    } else {
        using Wrapping = std::make_unsigned_t<T>;
        const PlainBounds<T> bounds(range);
        apply_broadcast(plan, context.pool, a, b, output, [=](T x, T y) {
            const T value = static_cast<T>(f(static_cast<Wrapping>(x), static_cast<Wrapping>(y)));
            return std::clamp(value, bounds.lo, bounds.hi);
        });
    }
}

// The same for the output's element type; false, and nothing done, when it is another than those
// three.
template <typename F>
bool run_plain(const Broadcast& plan, InvokeContext& context, FloatRange range, const F& f) {
    switch (context.output().dtype) {
        case DType::float32:
            run_plain_of<float>(plan, context, range, f);
            return true;
        case DType::int32:
            run_plain_of<std::int32_t>(plan, context, range, f);
            return true;
        case DType::int64:
            run_plain_of<std::int64_t>(plan, context, range, f);
            return true;
        default:
            return false;
    }
}

// int8 or uint8: rule(a, b) on stored values gives the stored result, within the type's range.
template <typename Rule>
void run_stored(const Broadcast& plan, InvokeContext& context, const Rule& rule) {
    const auto run = [&]<typename T>(T*) {
        apply_broadcast(plan, context.pool, context.input(0)->as<T>(), context.input(1)->as<T>(),
                        context.output().as<T>(), [rule](T a, T b) {
                            return static_cast<T>(rule(std::int32_t{a}, std::int32_t{b}));
                        });
    };
    if (context.output().dtype == DType::int8)
        run(static_cast<std::int8_t*>(nullptr));
    else
        run(static_cast<std::uint8_t*>(nullptr));
}

}  // namespace skiff::kernels
