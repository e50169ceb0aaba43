// The few types that every Skiff interface speaks: errors, results, shapes, element types, bytes.
//
// Header-only, no dependency beyond the standard library. All types are plain values: copy them
// freely, use them from any thread. Nothing here throws, except that std::string may when memory
// runs out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace skiff {

// 0 to 16 are the canonical codes with the numbers Firebase uses; 17, 101 and 102 are Firebase
// ML's; the rest are ours.
enum class Code : int {
    ok = 0,
    cancelled = 1,
    unknown = 2,
    invalid_argument = 3,
    deadline_exceeded = 4,
    not_found = 5,
    already_exists = 6,
    permission_denied = 7,
    resource_exhausted = 8,
    failed_precondition = 9,
    aborted = 10,
    out_of_range = 11,
    unimplemented = 12,
    internal = 13,
    unavailable = 14,
    data_loss = 15,
    unauthenticated = 16,
    no_network = 17,
    not_enough_space = 101,
    hash_mismatch = 102,
    bad_signature = 103,
    incompatible = 104,
    revoked = 105,
    conditions_unmet = 106,
};

// What went wrong and what to do about it, in one line. `retry`: the same call may succeed later.
struct Error {
    Code code = Code::unknown;
    std::string message;
    bool retry = false;
};

// Either a T or an Error. Check ok() (or operator bool) before value(); value() of an error is a
// programmer's mistake and aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
    Result(T value) : ok_(true) { new (&storage_.value) T(std::move(value)); }
    Result(Error error) : ok_(false) { new (&storage_.error) Error(std::move(error)); }
    Result(Result&& other) noexcept : ok_(other.ok_) { take(other); }
    Result(const Result& other) : ok_(other.ok_) {
        if (ok_)
            new (&storage_.value) T(other.storage_.value);
        else
            new (&storage_.error) Error(other.storage_.error);
    }
    Result& operator=(Result other) noexcept {
        destroy();
        ok_ = other.ok_;
        take(other);
        return *this;
    }
    ~Result() { destroy(); }

    bool ok() const { return ok_; }
    explicit operator bool() const { return ok_; }
    T& value() & { return *(check(ok_), &storage_.value); }
    const T& value() const& { return *(check(ok_), &storage_.value); }
    T&& value() && { return std::move(*(check(ok_), &storage_.value)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    const Error& error() const { return *(check(!ok_), &storage_.error); }
    Error&& take_error() { return std::move(*(check(!ok_), &storage_.error)); }

 private:
    static void check(bool condition) {
        if (!condition) __builtin_trap();
    }
    void take(Result& other) {
        if (ok_)
            new (&storage_.value) T(std::move(other.storage_.value));
        else
            new (&storage_.error) Error(std::move(other.storage_.error));
    }
    void destroy() {
        if (ok_)
            storage_.value.~T();
        else
            storage_.error.~Error();
    }
    union Storage {
        Storage() {}
        ~Storage() {}
        T value;
        Error error;
    } storage_;
    bool ok_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), ok_(false) {}
    bool ok() const { return ok_; }
    explicit operator bool() const { return ok_; }
    const Error& error() const { return error_; }
    Error&& take_error() { return std::move(error_); }
    void value() const {
        if (!ok_) __builtin_trap();
    }

 private:
    Error error_{Code::ok, {}, false};
    bool ok_ = true;
};

using Status = Result<void>;

// `auto x = SKIFF_TRY(f());` returns f's error from the calling function, or yields its value. (GNU
// statement expression: g++ and clang.)
#define SKIFF_TRY(expression)                                             \
    (__extension__({                                                      \
        auto skiff_try_result = (expression);                             \
        if (!skiff_try_result.ok()) return skiff_try_result.take_error(); \
        std::move(skiff_try_result).value();                              \
    }))

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

// Element types, with the numbers of the .tflite format.
enum class DType : std::uint8_t {
    float32 = 0,
    float16 = 1,
    int32 = 2,
    uint8 = 3,
    int64 = 4,
    string = 5,
    boolean = 6,
    int16 = 7,
    complex64 = 8,
    int8 = 9,
    float64 = 10,
    complex128 = 11,
    uint64 = 12,
    resource = 13,
    variant = 14,
    uint32 = 15,
    uint16 = 16,
    int4 = 17,
    bfloat16 = 18,
    int2 = 19,
    uint4 = 20,
    float8_e4m3fn = 21,
    float8_e5m2 = 22,
};

// "float32", "int8", ...; "dtype 99" has no name and gives "unknown".
constexpr std::string_view dtype_name(DType type) {
    constexpr std::string_view names[] = {
        "float32",  "float16",  "int32",     "uint8",         "int64",      "string",
        "bool",     "int16",    "complex64", "int8",          "float64",    "complex128",
        "uint64",   "resource", "variant",   "uint32",        "uint16",     "int4",
        "bfloat16", "int2",     "uint4",     "float8_e4m3fn", "float8_e5m2"};
    const auto index = static_cast<std::size_t>(type);
    return index < std::size(names) ? names[index] : "unknown";
}

// Bits of one element; 0 for types without a fixed size (string, resource, variant).
constexpr int dtype_bits(DType type) {
    constexpr unsigned char bits[] = {32, 16, 32, 8,  64, 0, 8,  16, 64, 8, 64, 128,
                                      64, 0,  0,  32, 16, 4, 16, 2,  4,  8, 8};
    const auto index = static_cast<std::size_t>(type);
    return index < std::size(bits) ? bits[index] : 0;
}

// Dimensions of a tensor, outermost first. At most 8; a scalar has rank 0 and one element.
class Shape {
 public:
    static constexpr int max_rank = 8;
    Shape() = default;
    Shape(std::initializer_list<std::int32_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
    // Dimensions beyond max_rank are a programmer's mistake: callers that read foreign data check
    // first.
    explicit Shape(std::span<const std::int32_t> dims) : rank_(static_cast<int>(dims.size())) {
        if (dims.size() > max_rank) __builtin_trap();
        for (int i = 0; i < rank_; ++i) dims_[i] = dims[static_cast<std::size_t>(i)];
    }
    int rank() const { return rank_; }
    std::int32_t operator[](int i) const { return dims_[i]; }
    std::int32_t& operator[](int i) { return dims_[i]; }
    const std::int32_t* begin() const { return dims_; }
    const std::int32_t* end() const { return dims_ + rank_; }
    void push_back(std::int32_t dim) {
        if (rank_ >= max_rank) __builtin_trap();
        dims_[rank_++] = dim;
    }
    // Number of elements; dimensions are taken as they are (a loaded model's product is known not
    // to overflow).
    std::int64_t elements() const {
        std::int64_t n = 1;
        for (int i = 0; i < rank_; ++i) n *= dims_[i];
        return n;
    }
    friend bool operator==(const Shape& a, const Shape& b) {
        if (a.rank_ != b.rank_) return false;
        for (int i = 0; i < a.rank_; ++i)
            if (a.dims_[i] != b.dims_[i]) return false;
        return true;
    }
    std::string to_string() const {  // "[1,224,224,3]"
        std::string text = "[";
        for (int i = 0; i < rank_; ++i) {
            if (i > 0) text += ',';
            text += std::to_string(dims_[i]);
        }
        return text + "]";
    }

 private:
    std::int32_t dims_[max_rank] = {};
    int rank_ = 0;
};

// Affine quantization: real = scale * (stored - zero_point). scale 0: not quantized. (Per-channel
// weights carry more; they are not part of a model's interface.)
struct Quantization {
    float scale = 0;
    std::int32_t zero_point = 0;
};

}  // namespace skiff
