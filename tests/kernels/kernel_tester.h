// Runs one kernel as the interpreter would, without a model: creates it, prepares it, allocates
// outputs and scratch between guard bytes, invokes it. Inputs that are not constant have no data in
// prepare unless the kernel asks for them.
//
//     KernelTester t(Opcode::conv_2d, Conv2dParams{...});
//     t.input(Shape{1, 4, 4, 3}, pixels, quantization(0.5f, 3));
//     t.constant(Shape{8, 3, 3, 3}, weights, quantization(scales, zero_points));
//     t.no_input();
//     t.output(DType::int8, quantization(0.25f, -7));
//     ASSERT_TRUE(t.run());
//     t.values<std::int8_t>()
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <type_traits>
#include <vector>

#include "kernels/kernel.h"

namespace skiff::kernels::testing {

template <typename T>
constexpr DType dtype_of() {
    if constexpr (std::is_same_v<T, float>)
        return DType::float32;
    else if constexpr (std::is_same_v<T, std::int8_t>)
        return DType::int8;
    else if constexpr (std::is_same_v<T, std::uint8_t>)
        return DType::uint8;
    else if constexpr (std::is_same_v<T, std::int16_t>)
        return DType::int16;
    else if constexpr (std::is_same_v<T, std::int32_t>)
        return DType::int32;
    else if constexpr (std::is_same_v<T, std::int64_t>)
        return DType::int64;
    else if constexpr (std::is_same_v<T, std::uint16_t>)
        return DType::float16;  // its bits
    else
        static_assert(sizeof(T) == 0, "no DType");
}

// Owns what TensorQuantization points to.
struct OwnedQuantization {
    std::vector<float> scales;
    std::vector<std::int64_t> zero_points;
    int axis = 0;
};
inline OwnedQuantization quantization(float scale, std::int64_t zero_point) {
    return {{scale}, {zero_point}, 0};
}
inline OwnedQuantization quantization(std::vector<float> scales, int axis = 0) {
    const std::size_t n = scales.size();
    return {std::move(scales), std::vector<std::int64_t>(n, 0), axis};
}

// `bytes` bytes, 64-byte aligned, with 64 guard bytes before and after.
class GuardedBuffer {
 public:
    explicit GuardedBuffer(std::size_t bytes, int fill = 0xA5)
        : bytes_(bytes), storage_(bytes + 4 * guard, 0x5A) {
        const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
        offset_ = guard + (guard - address % guard) % guard;
        std::fill_n(data(), bytes, static_cast<std::uint8_t>(fill));
    }
    std::uint8_t* data() { return storage_.data() + offset_; }
    std::size_t size() const { return bytes_; }
    bool guards_intact() const {
        for (std::size_t i = 0; i < storage_.size(); ++i)
            if ((i < offset_ || i >= offset_ + bytes_) && storage_[i] != 0x5A) return false;
        return true;
    }

 private:
    static constexpr std::size_t guard = 64;
    std::size_t bytes_, offset_ = 0;
    std::vector<std::uint8_t> storage_;
};

class KernelTester {
 public:
    KernelTester(Opcode opcode, const Params& params) {
        const Registration* found = find_kernel(static_cast<std::int32_t>(opcode));
        if (found != nullptr) kernel_ = found->create(params);
        EXPECT_NE(kernel_, nullptr) << "no kernel for opcode " << static_cast<int>(opcode);
    }

    // An activation: its values are known at invoke.
    template <typename T>
    void input(const Shape& shape, const std::vector<T>& values, OwnedQuantization q = {}) {
        add_input(shape, dtype_of<T>(), values.data(), values.size() * sizeof(T), std::move(q),
                  false);
    }
    // Values known at prepare.
    template <typename T>
    void constant(const Shape& shape, const std::vector<T>& values, OwnedQuantization q = {}) {
        add_input(shape, dtype_of<T>(), values.data(), values.size() * sizeof(T), std::move(q),
                  true);
    }
    // A constant whose elements are not bytes of a C++ type (int4: two per byte, low half first).
    void constant_bytes(const Shape& shape, DType dtype, const std::vector<std::uint8_t>& bytes,
                        OwnedQuantization q = {}) {
        add_input(shape, dtype, bytes.data(), bytes.size(), std::move(q), true);
    }
    // Input `i` once more, the same tensor.
    void repeat_input(std::size_t i) {
        data_of_.push_back(data_of_[i]);
        inputs_.push_back(inputs_[i]);
    }
    // An optional input that the model leaves out.
    void no_input() { inputs_.push_back(nullptr); }

    void output(DType dtype, OwnedQuantization q = {}) {
        outputs_.push_back(&add_tensor(dtype, {}, std::move(q)));
    }

    // Replaces an input that is not constant, as a resize and new values would. Prepare again
    // afterwards.
    template <typename T>
    void replace_input(std::size_t i, const Shape& shape, const std::vector<T>& values) {
        Tensor& tensor = *const_cast<Tensor*>(inputs_[i]);
        tensor.shape = shape;
        data_of_[i] = make_data(values.data(), values.size() * sizeof(T));
    }

    Status prepare() {
        for (std::size_t i = 0; i < inputs_.size(); ++i) set_input_data(i, false);
        Status status = prepare_once();
        if (status.ok() && context_.shape_needs_data) {
            for (std::size_t i = 0; i < inputs_.size(); ++i) set_input_data(i, true);
            status = prepare_once();
        }
        return status;
    }

    // Runs what prepare() prepared. Adds test failures when guards or inputs were written.
    Status invoke(ThreadPool* pool = nullptr) {
        for (std::size_t i = 0; i < inputs_.size(); ++i) set_input_data(i, true);
        allocate_outputs();
        const Status status = invoke_once(pool);
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (inputs_[i] == nullptr) continue;
            const std::size_t bytes = copies_[i].size();
            EXPECT_TRUE(bytes == 0 || std::memcmp(inputs_[i]->data, copies_[i].data(), bytes) == 0)
                << "the kernel wrote to input " << i;
        }
        if (status.ok() && context_.in_place_input >= 0) check_in_place(pool);
        return status;
    }

    // Prepares and invokes. The message of the error, if any, is in the assertion's text.
    ::testing::AssertionResult run(ThreadPool* pool = nullptr) {
        Status status = prepare();
        if (status.ok()) status = invoke(pool);
        if (status.ok()) return ::testing::AssertionSuccess();
        return ::testing::AssertionFailure() << status.error().message;
    }

    // True when prepare fails with this code and a message of one line.
    ::testing::AssertionResult refuses(Code code) {
        const Status status = prepare();
        if (status.ok()) return ::testing::AssertionFailure() << "prepare accepted it";
        const Error& e = status.error();
        if (e.code != code || e.message.empty() || e.message.find('\n') != std::string::npos)
            return ::testing::AssertionFailure() << static_cast<int>(e.code) << ": " << e.message;
        return ::testing::AssertionSuccess() << e.message;
    }

    const Shape& shape(std::size_t i = 0) const { return outputs_[i]->shape; }
    template <typename T>
    std::vector<T> values(std::size_t i = 0) const {
        const T* data = outputs_[i]->as<T>();
        return std::vector<T>(data, data + outputs_[i]->shape.elements());
    }
    const PrepareContext& context() const { return context_; }
    Tensor& input_tensor(std::size_t i) { return *const_cast<Tensor*>(inputs_[i]); }
    Tensor& output_tensor(std::size_t i = 0) { return *outputs_[i]; }

 private:
    Tensor& add_tensor(DType dtype, const Shape& shape, OwnedQuantization q) {
        quantizations_.push_back(std::move(q));
        tensors_.push_back({});
        Tensor& tensor = tensors_.back();
        tensor.dtype = dtype;
        tensor.shape = shape;
        tensor.quantization = {quantizations_.back().scales, quantizations_.back().zero_points,
                               quantizations_.back().axis};
        return tensor;
    }
    void add_input(const Shape& shape, DType dtype, const void* data, std::size_t bytes,
                   OwnedQuantization q, bool constant) {
        Tensor& tensor = add_tensor(dtype, shape, std::move(q));
        tensor.constant = constant;
        data_of_.resize(inputs_.size() + 1);
        data_of_[inputs_.size()] = make_data(data, bytes);
        inputs_.push_back(&tensor);
    }
    static std::shared_ptr<GuardedBuffer> make_data(const void* data, std::size_t bytes) {
        auto buffer = std::make_shared<GuardedBuffer>(bytes);
        if (bytes > 0) std::memcpy(buffer->data(), data, bytes);
        return buffer;
    }
    void set_input_data(std::size_t i, bool all) {
        copies_.resize(inputs_.size());
        if (inputs_[i] == nullptr) return;
        Tensor& tensor = input_tensor(i);
        tensor.data = tensor.constant || all ? data_of_[i]->data() : nullptr;
        copies_[i].assign(data_of_[i]->data(), data_of_[i]->data() + data_of_[i]->size());
    }
    Status prepare_once() {
        context_ = {};
        context_.inputs = inputs_;
        context_.outputs = outputs_;
        return kernel_->prepare(context_);
    }
    void allocate_outputs() {
        output_data_.clear();
        for (Tensor* tensor : outputs_) {
            const auto bits = static_cast<std::size_t>(dtype_bits(tensor->dtype));
            const auto elements = static_cast<std::size_t>(tensor->shape.elements());
            output_data_.push_back(std::make_unique<GuardedBuffer>((elements * bits + 7) / 8));
            tensor->data = output_data_.back()->data();
        }
    }
    Status invoke_once(ThreadPool* pool) {
        GuardedBuffer scratch(context_.scratch_bytes, 0x77);
        InvokeContext context{inputs_, outputs_, scratch.data(), pool};
        Status status = kernel_->invoke(context);
        EXPECT_TRUE(scratch.guards_intact()) << "the kernel wrote beyond its scratch";
        for (const auto& data : output_data_)
            EXPECT_TRUE(data->guards_intact()) << "the kernel wrote beyond its output";
        return status;
    }
    // The same again with output 0 in the input's place must give the same values.
    void check_in_place(ThreadPool* pool) {
        Tensor& input = input_tensor(static_cast<std::size_t>(context_.in_place_input));
        Tensor& out = *outputs_[0];
        const std::size_t bytes = output_data_[0]->size();
        ASSERT_LE(bytes, data_of_[static_cast<std::size_t>(context_.in_place_input)]->size());
        std::uint8_t* const apart = out.data;
        GuardedBuffer shared(data_of_[static_cast<std::size_t>(context_.in_place_input)]->size());
        std::memcpy(shared.data(), input.data, shared.size());
        std::uint8_t* const original = input.data;
        input.data = out.data = shared.data();
        EXPECT_TRUE(invoke_once(pool).ok());
        EXPECT_EQ(std::memcmp(shared.data(), apart, bytes), 0) << "in place differs";
        EXPECT_TRUE(shared.guards_intact());
        input.data = original;
        out.data = apart;
    }

    std::unique_ptr<Kernel> kernel_;
    std::deque<Tensor> tensors_;
    std::deque<OwnedQuantization> quantizations_;
    std::vector<const Tensor*> inputs_;
    std::vector<Tensor*> outputs_;
    std::vector<std::shared_ptr<GuardedBuffer>> data_of_;
    std::vector<std::vector<std::uint8_t>> copies_;
    std::vector<std::unique_ptr<GuardedBuffer>> output_data_;
    PrepareContext context_;
};

}  // namespace skiff::kernels::testing
