// skiff/skiff.h: the C++ interface, inline over skiff/c.h.
//
// Nothing throws. Threads: LoadedModel: any thread. Interpreter, ImageLabeler: one thread at a
// time, any number per model (weights are shared). No environment variable is read.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <skiff/base.h>
#include <skiff/c.h>

namespace skiff {

namespace detail {

inline Error to_error(const skiff_error& e) {
    return Error{static_cast<Code>(e.code), e.message, e.retry != 0};
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

// A view: it owns neither the file nor the memory.
struct LocalModel {
    static LocalModel file(std::string path) { return LocalModel{std::move(path), {}}; }
    static LocalModel memory(Bytes keep_alive_yourself) {
        return LocalModel{{}, keep_alive_yourself};
    }
    std::string path;
    Bytes bytes;
};

// A model that was read and checked; copies share it.
class LoadedModel {
 public:
    // Errors: not_found; invalid_argument, with where the file is damaged.
    static Result<LoadedModel> load(const LocalModel& from) {
        skiff_loaded_model* model = nullptr;
        skiff_error e;
        const int32_t code =
            from.path.empty() ? skiff_load_memory(from.bytes.data(), from.bytes.size(), &model, &e)
                              : skiff_load_file(from.path.c_str(), &model, &e);
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
        return status(skiff_interpreter_resize_input(handle_.get(), static_cast<std::size_t>(i),
                                                     shape.begin(), shape.rank(), &e),
                      e);
    }
    Status invoke() {
        skiff_error e;
        return status(skiff_interpreter_invoke(handle_.get(), &e), e);
    }
    Status reset_state() {
        skiff_error e;
        return status(skiff_interpreter_reset_state(handle_.get(), &e), e);
    }
    void cancel() { skiff_interpreter_cancel(handle_.get()); }  // the one member for other threads

 private:
    using Getter = int32_t (*)(skiff_interpreter*, std::size_t, skiff_tensor*, skiff_error*);
    explicit Interpreter(skiff_interpreter* handle) : handle_(handle) {}
    static Status status(int32_t code, const skiff_error& e) {
        if (code != SKIFF_OK) return detail::to_error(e);
        return {};
    }
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

// -- tasks
// ------------------------------------------------------------------------------------------------------------

struct Image {
    Bytes bytes;
    int width = 0, height = 0,
        stride = 0;  // stride 0: rows without gaps; all three ignored when encoded
    enum Format { encoded, rgb, rgba, gray, nv12, nv21, yuyv } format = encoded;
    int rotation = 0;  // degrees clockwise that make it upright
};
struct LabelerOptions {
    std::optional<float> confidence_threshold = {};  // else the metadata's, else 0
    int max_result_count = 10;
    std::string labels = {};  // one a line; empty: the metadata's
    struct Normalization {
        float mean = 0, std = 1;
    };
    std::optional<Normalization> normalization = {};  // for a float model whose metadata has none
    int threads = 1;
};
struct ImageLabel {
    int index = 0;
    float confidence = 0;
    std::string text, display_name;
};

class ImageLabeler {
 public:
    // Errors: invalid_argument when the model is no image classifier, with what is missing.
    static Result<ImageLabeler> create(const LoadedModel& model,
                                       const LabelerOptions& options = {}) {
        skiff_labeler_options o{};
        o.size = sizeof o;
        o.confidence_threshold = options.confidence_threshold.value_or(-1.f);
        o.max_result_count = options.max_result_count;
        o.threads = options.threads;
        o.labels = options.labels.empty() ? nullptr : options.labels.c_str();
        o.normalize = options.normalization.has_value();
        o.mean = options.normalization.value_or(LabelerOptions::Normalization{}).mean;
        o.std = options.normalization.value_or(LabelerOptions::Normalization{}).std;
        skiff_labeler* made = nullptr;
        skiff_error e;
        if (skiff_labeler_create(model.handle(), &o, &made, &e) != SKIFF_OK)
            return detail::to_error(e);
        return ImageLabeler(made);
    }
    static Result<ImageLabeler> create(const LocalModel& model,
                                       const LabelerOptions& options = {}) {
        return create(SKIFF_TRY(LoadedModel::load(model)), options);
    }

    Result<std::vector<ImageLabel>> process(const Image& image) {
        skiff_image i{};
        i.size = sizeof i;
        i.data = image.bytes.data();
        i.bytes = image.bytes.size();
        i.format = image.format;
        i.width = image.width;
        i.height = image.height;
        i.stride = image.stride;
        i.rotation = image.rotation;
        std::size_t count = 0;
        skiff_error e;
        if (skiff_labeler_process(handle_.get(), &i, buffer_.data(), buffer_.size(), &count, &e) !=
            SKIFF_OK)
            return detail::to_error(e);
        std::vector<ImageLabel> labels;
        for (std::size_t k = 0; k < count; ++k)
            labels.push_back({buffer_[k].index, buffer_[k].confidence, buffer_[k].text,
                              buffer_[k].display_name});
        return labels;
    }

 private:
    explicit ImageLabeler(skiff_labeler* handle)
        : handle_(handle), buffer_(skiff_labeler_max_results(handle)) {}
    detail::Handle<skiff_labeler, skiff_labeler_destroy> handle_;
    std::vector<skiff_label> buffer_;
};

}  // namespace skiff
