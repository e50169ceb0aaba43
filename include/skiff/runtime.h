// skiff/runtime.h: running models: where bytes come from, tensors, interpreters.
#pragma once

#include <memory>

#include <skiff/base.h>
#include <skiff/c_client.h>
#include <skiff/c_runtime.h>

namespace skiff {

namespace detail {

inline Error to_error(const skiff_error& e) {
    return Error{static_cast<Code>(e.code), e.message, e.retry != 0};
}
inline Status to_status(int32_t code, const skiff_error& e) {
    if (code != SKIFF_OK) return to_error(e);
    return {};
}

template <auto destroy>
struct Destroy {
    template <typename T>
    void operator()(T* handle) const {
        destroy(handle);
    }
};
template <typename T, auto destroy>
using Handle = std::unique_ptr<T, Destroy<destroy>>;

template <typename T>
constexpr DType dtype_of() {
    if constexpr (std::is_same_v<T, float>)
        return DType::float32;
    else if constexpr (std::is_same_v<T, double>)
        return DType::float64;
    else if constexpr (std::is_same_v<T, std::int8_t>)
        return DType::int8;
    else if constexpr (std::is_same_v<T, std::uint8_t>)
        return DType::uint8;
    else if constexpr (std::is_same_v<T, std::int16_t>)
        return DType::int16;
    else if constexpr (std::is_same_v<T, std::uint16_t>)
        return DType::uint16;
    else if constexpr (std::is_same_v<T, std::int32_t>)
        return DType::int32;
    else if constexpr (std::is_same_v<T, std::uint32_t>)
        return DType::uint32;
    else if constexpr (std::is_same_v<T, std::int64_t>)
        return DType::int64;
    else if constexpr (std::is_same_v<T, std::uint64_t>)
        return DType::uint64;
    else {
        static_assert(std::is_same_v<T, bool>, "no tensor has this element type");
        return DType::boolean;
    }
}

}  // namespace detail

// -- where bytes come from
// --------------------------------------------------------------------------------------------

// A view: it owns neither the file nor the memory. A model in the program itself: CMake's
// skiff_embed_model(app digits.tflite) makes skiff::embedded::digits().
struct LocalModel {
    static LocalModel file(std::string path) { return {std::move(path), {}, false}; }
    static LocalModel memory(Bytes keep_alive_yourself) { return {{}, keep_alive_yourself, false}; }
    // manifest.json with the model and dict.txt beside it, as AutoML Vision Edge exported them.
    static LocalModel automl_manifest(std::string path) { return {std::move(path), {}, true}; }
    std::string path;
    Bytes bytes;
    bool is_manifest = false;
};

// A version of a delivered model. Number 0: the bundled one.
struct Version {
    std::string model;
    std::uint32_t number = 0;
    std::string sha256;
    std::string to_string() const {  // "digits:3", "digits (bundled)"
        return number == 0 ? model + " (bundled)" : model + ":" + std::to_string(number);
    }
    friend bool operator==(const Version& a, const Version& b) {
        return a.number == b.number && a.model == b.model && a.sha256 == b.sha256;
    }
};

// A model that was read and checked; copies share it.
class LoadedModel {
 public:
    // Errors: not_found; invalid_argument, with where the file is damaged.
    static Result<LoadedModel> load(const LocalModel& from) {
        skiff_loaded_model* model = nullptr;
        skiff_error e;
        int32_t code = SKIFF_OK;
        if (from.path.empty())
            code = skiff_load_memory(from.bytes.data(), from.bytes.size(), &model, &e);
        else if (from.is_manifest)
            code = skiff_load_manifest(from.path.c_str(), &model, &e);
        else
            code = skiff_load_file(from.path.c_str(), &model, &e);
        if (code != SKIFF_OK) return detail::to_error(e);
        return LoadedModel(model);
    }
    skiff_loaded_model* handle() const { return model_.get(); }

 private:
    explicit LoadedModel(skiff_loaded_model* model) : model_(model, skiff_loaded_model_destroy) {}
    std::shared_ptr<skiff_loaded_model> model_;
};

// -- interpreter
// ------------------------------------------------------------------------------------------------------

// A view of an input or output; valid as long as skiff/c.h says for the call that gave it.
struct Tensor {
    std::string_view name;
    DType dtype = DType::float32;
    Shape shape;
    Quantization quantization;  // scale 0: none
    MutableBytes bytes;

    // The elements as T: an empty span unless T is the tensor's own type.
    template <typename T>
    std::span<T> as() const {
        if (detail::dtype_of<T>() != dtype) return {};
        return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
    }
};

struct InterpreterOptions {
    int threads = 1;
    bool allow_fp16 = false;  // float models only; integers are always exact
    std::string signature = {};
};

// The app's own, or one borrowed from a Model: that one keeps to its version, is counted, and goes
// back when it is destroyed. One thread at a time, any number per model (weights are shared).
class Interpreter {
 public:
    // Errors: unimplemented, with the list of operators that this library does not have.
    static Result<Interpreter> create(const LoadedModel& model,
                                      const InterpreterOptions& options = {}) {
        skiff_interpreter_options o{};
        o.size = sizeof o;
        o.threads = options.threads;
        o.allow_fp16 = options.allow_fp16;
        o.signature = options.signature.empty() ? nullptr : options.signature.c_str();
        skiff_interpreter* made = nullptr;
        skiff_error e;
        if (skiff_interpreter_create(model.handle(), &o, &made, &e) != SKIFF_OK)
            return detail::to_error(e);
        return Interpreter(made);
    }
    static Result<Interpreter> create(const LocalModel& model,
                                      const InterpreterOptions& options = {}) {
        return create(SKIFF_TRY(LoadedModel::load(model)), options);
    }

    int input_count() const {
        return static_cast<int>(skiff_interpreter_input_count(handle_.get()));
    }
    int output_count() const {
        return static_cast<int>(skiff_interpreter_output_count(handle_.get()));
    }

    // Memory is planned for the shapes of now when it was not yet, so these can fail after a resize
    // that the model does not take. A name or index that is not there is invalid_argument.
    Result<Tensor> input(int i) { return get(skiff_interpreter_input, i); }
    Result<Tensor> output(int i) { return get(skiff_interpreter_output, i); }
    Result<Tensor> input(std::string_view name) {
        return input(skiff_interpreter_input_index(handle_.get(), std::string(name).c_str()));
    }
    Result<Tensor> output(std::string_view name) {
        return output(skiff_interpreter_output_index(handle_.get(), std::string(name).c_str()));
    }

    Status resize_input(int i, const Shape& shape) {
        skiff_error e;
        return detail::to_status(
            skiff_interpreter_resize_input(handle_.get(), static_cast<std::size_t>(i),
                                           shape.begin(), shape.rank(), &e),
            e);
    }
    Status invoke() {
        skiff_error e;
        return detail::to_status(skiff_interpreter_invoke(handle_.get(), &e), e);
    }
    Status reset_state() {
        skiff_error e;
        return detail::to_status(skiff_interpreter_reset_state(handle_.get(), &e), e);
    }
    void cancel() { skiff_interpreter_cancel(handle_.get()); }  // the one member for other threads

    // Of a borrowed one. A newer version is active: drop this one when your state allows.
    bool stale() const { return skiff_interpreter_stale(handle_.get()) != 0; }
    Version version() const {
        skiff_model_version v;
        skiff_interpreter_version(handle_.get(), &v);
        return Version{v.model, v.number, v.sha256};
    }
    // Of the newest invoke(), for Model::record_outcome.
    std::uint64_t inference_id() const { return skiff_interpreter_inference_id(handle_.get()); }

 private:
    friend class Model;
    using Getter = int32_t (*)(skiff_interpreter*, std::size_t, skiff_tensor*, skiff_error*);
    explicit Interpreter(skiff_interpreter* handle) : handle_(handle) {}
    Result<Tensor> get(Getter getter, int i) {
        skiff_tensor t;
        skiff_error e;
        if (getter(handle_.get(), static_cast<std::size_t>(i), &t, &e) != SKIFF_OK)
            return detail::to_error(e);
        return Tensor{
            t.name, static_cast<DType>(t.dtype),
            Shape(std::span<const std::int32_t>(t.dims, static_cast<std::size_t>(t.rank))),
            Quantization{t.scale, t.zero_point},
            MutableBytes(static_cast<std::uint8_t*>(t.data), t.bytes)};
    }
    detail::Handle<skiff_interpreter, skiff_interpreter_destroy> handle_;
};

}  // namespace skiff
