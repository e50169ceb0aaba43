// The classic TfLite* C ABI, declared here with what this file needs of it. Every status is an int,
// 0 = ok.
#include <cstdarg>
#include <cstdio>

#include "runtime/engines/dynamic_library.h"
#include "runtime/engines/engines.h"
#include "runtime/engines/library_tensors.h"

namespace skiff::runtime {
namespace {

struct TfLiteApi {
    using ErrorReporter = void (*)(void* user_data, const char* format, va_list arguments);

    const char* (*version)();
    void* (*create_model)(const void* data, std::size_t size);
    void (*delete_model)(void* model);
    void* (*create_options)();
    void (*delete_options)(void* options);
    void (*set_threads)(void* options, std::int32_t threads);
    void (*set_error_reporter)(void* options, ErrorReporter reporter, void* user_data);
    void* (*create_interpreter)(const void* model, const void* options);
    void (*delete_interpreter)(void* interpreter);
    std::int32_t (*input_count)(const void* interpreter);
    std::int32_t (*output_count)(const void* interpreter);
    void* (*input_tensor)(const void* interpreter, std::int32_t index);
    const void* (*output_tensor)(const void* interpreter, std::int32_t index);
    int (*resize_input)(void* interpreter, std::int32_t index, const int* dims, std::int32_t n);
    int (*allocate_tensors)(void* interpreter);
    int (*invoke)(void* interpreter);
    int (*reset_variables)(void* interpreter);
    std::int32_t (*tensor_rank)(const void* tensor);
    std::int32_t (*tensor_dim)(const void* tensor, std::int32_t index);
    std::size_t (*tensor_bytes)(const void* tensor);
    void* (*tensor_data)(const void* tensor);

    static Result<TfLiteApi> bind(const DynamicLibrary& library) {
        TfLiteApi api{};
        TRY(library.bind("TfLiteModelCreate", api.create_model));
        TRY(library.bind("TfLiteModelDelete", api.delete_model));
        TRY(library.bind("TfLiteVersion", api.version));
        TRY(library.bind("TfLiteInterpreterOptionsCreate", api.create_options));
        TRY(library.bind("TfLiteInterpreterOptionsDelete", api.delete_options));
        TRY(library.bind("TfLiteInterpreterOptionsSetNumThreads", api.set_threads));
        TRY(library.bind("TfLiteInterpreterOptionsSetErrorReporter", api.set_error_reporter));
        TRY(library.bind("TfLiteInterpreterCreate", api.create_interpreter));
        TRY(library.bind("TfLiteInterpreterDelete", api.delete_interpreter));
        TRY(library.bind("TfLiteInterpreterGetInputTensorCount", api.input_count));
        TRY(library.bind("TfLiteInterpreterGetOutputTensorCount", api.output_count));
        TRY(library.bind("TfLiteInterpreterGetInputTensor", api.input_tensor));
        TRY(library.bind("TfLiteInterpreterGetOutputTensor", api.output_tensor));
        TRY(library.bind("TfLiteInterpreterResizeInputTensor", api.resize_input));
        TRY(library.bind("TfLiteInterpreterAllocateTensors", api.allocate_tensors));
        TRY(library.bind("TfLiteInterpreterInvoke", api.invoke));
        TRY(library.bind("TfLiteInterpreterResetVariableTensors", api.reset_variables));
        TRY(library.bind("TfLiteTensorNumDims", api.tensor_rank));
        TRY(library.bind("TfLiteTensorDim", api.tensor_dim));
        TRY(library.bind("TfLiteTensorByteSize", api.tensor_bytes));
        TRY(library.bind("TfLiteTensorData", api.tensor_data));
        return api;
    }
};

class TfLiteEngine final : public Engine {
 public:
    TfLiteEngine(TfLiteApi api, std::shared_ptr<const model::Model> model)
        : api_(api), model_(std::move(model)), name_(std::string("tflite ") + api_.version()) {}

    ~TfLiteEngine() override {
        if (interpreter_) api_.delete_interpreter(interpreter_);
        if (options_) api_.delete_options(options_);
        if (handle_) api_.delete_model(handle_);
    }

    Status init(const EngineOptions& options) {
        interface_ = TRY(select_interface(*model_, options.signature));
        if (interface_.subgraph != &model_->main())
            return error(Code::unimplemented,
                         name_ + "'s C interface has no signatures beyond the main subgraph");
        input_position_ = TRY(positions_of(interface_.inputs, model_->main().inputs, name_));
        output_position_ = TRY(positions_of(interface_.outputs, model_->main().outputs, name_));
        handle_ = api_.create_model(model_->bytes().data(), model_->bytes().size());
        if (handle_ == nullptr) return failure(Code::invalid_argument, "refuses the model");
        options_ = api_.create_options();
        api_.set_threads(options_, options.threads);
        api_.set_error_reporter(options_, &TfLiteEngine::report, this);
        interpreter_ = api_.create_interpreter(handle_, options_);
        if (interpreter_ == nullptr) return failure(Code::unimplemented, "refuses the model");
        if (static_cast<std::size_t>(api_.input_count(interpreter_)) != input_count() ||
            static_cast<std::size_t>(api_.output_count(interpreter_)) != output_count())
            return failure(Code::internal, "counts other inputs and outputs than the file has");
        return {};
    }

    std::string_view name() const override { return name_; }
    std::size_t input_count() const override { return interface_.inputs.size(); }
    std::size_t output_count() const override { return interface_.outputs.size(); }
    TensorInfo input_info(std::size_t i) const override {
        return describe(input_tensor(i), interface_.inputs[i]);
    }
    TensorInfo output_info(std::size_t i) const override {
        return describe(output_tensor(i), interface_.outputs[i]);
    }

    Status resize_input(std::size_t i, const Shape& shape) override {
        prepared_ = false;
        if (api_.resize_input(interpreter_, static_cast<std::int32_t>(input_position_[i]),
                              shape.begin(), shape.rank()) != 0)
            return failure(Code::invalid_argument, "refuses the shape " + shape.to_string() +
                                                       " for input " + std::to_string(i));
        return {};
    }

    Status prepare() override {
        for (const InterfaceTensor& tensor : interface_.inputs)
            if (tensor_info(interface_, tensor).dtype == DType::string)
                return error(Code::unimplemented, name_ + ": string inputs are not supported");
        if (api_.allocate_tensors(interpreter_) != 0)
            return failure(Code::unimplemented, "cannot prepare the model");
        prepared_ = true;
        return {};
    }

    MutableBytes input(std::size_t i) override {
        const void* tensor = input_tensor(i);
        return {static_cast<std::uint8_t*>(api_.tensor_data(tensor)), api_.tensor_bytes(tensor)};
    }
    Bytes output(std::size_t i) const override {
        const void* tensor = output_tensor(i);
        return {static_cast<const std::uint8_t*>(api_.tensor_data(tensor)),
                api_.tensor_bytes(tensor)};
    }

    Status invoke() override {
        if (!prepared_) TRY(prepare());
        if (api_.invoke(interpreter_) != 0) return failure(Code::internal, "invoke failed");
        return {};
    }

    Status reset_state() override {
        if (!prepared_) TRY(prepare());
        if (api_.reset_variables(interpreter_) != 0)
            return failure(Code::internal, "cannot reset the state");
        return {};
    }

 private:
    static void report(void* user_data, const char* format, va_list arguments) {
        char line[512];
        std::vsnprintf(line, sizeof line, format, arguments);
        auto& message = static_cast<TfLiteEngine*>(user_data)->message_;
        // The first message of a failure names the cause; what follows only repeats it.
        if (message.empty()) message = line;
    }

    Error failure(Code code, std::string_view what) {
        std::string text = name_ + " " + std::string(what);
        if (!message_.empty()) text += ": " + message_.substr(0, message_.find('\n'));
        message_.clear();
        return error(code, std::move(text));
    }

    const void* input_tensor(std::size_t i) const {
        return api_.input_tensor(interpreter_, static_cast<std::int32_t>(input_position_[i]));
    }
    const void* output_tensor(std::size_t i) const {
        return api_.output_tensor(interpreter_, static_cast<std::int32_t>(output_position_[i]));
    }

    TensorInfo describe(const void* tensor, const InterfaceTensor& source) const {
        TensorInfo info = tensor_info(interface_, source);
        // A rank beyond ours cannot come from a model that our reader took.
        const std::int32_t rank = std::min(api_.tensor_rank(tensor), Shape::max_rank);
        for (std::int32_t d = 0; d < rank; ++d) info.shape.push_back(api_.tensor_dim(tensor, d));
        info.bytes = api_.tensor_bytes(tensor);
        return info;
    }

    TfLiteApi api_;
    std::shared_ptr<const model::Model> model_;  // its bytes are read in place by the library
    std::string name_;
    Interface interface_;
    std::vector<std::size_t> input_position_, output_position_;
    void* handle_ = nullptr;
    void* options_ = nullptr;
    void* interpreter_ = nullptr;
    bool prepared_ = false;
    std::string message_;
};

}  // namespace

Result<std::unique_ptr<Engine>> create_tflite_engine(const std::string& library,
                                                     std::shared_ptr<const model::Model> model,
                                                     const EngineOptions& options) {
    const TfLiteApi api = TRY(TfLiteApi::bind(TRY(DynamicLibrary::open(library))));
    auto engine = std::make_unique<TfLiteEngine>(api, std::move(model));
    TRY(engine->init(options));
    return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace skiff::runtime
