#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/files.h"
#include "runtime/buffer.h"
#include "runtime/engines/engines.h"
#include "runtime/engines/library_tensors.h"
#include "runtime/engines/litert_api.h"
#include "runtime/engines/litert_model.h"

namespace skiff::runtime {
namespace {

// C++ exceptions come out of the C functions for some models (2.3.0: where it looks for a name that
// is not there).
template <typename... Parameters, typename... Arguments>
int guarded(int (*function)(Parameters...), Arguments... arguments) {
    try {
        return function(arguments...);
    } catch (const std::exception&) {
        return litert_exception;
    }
}

class LiteRtEngine final : public Engine {
 public:
    LiteRtEngine(LiteRtApi api, std::shared_ptr<const model::Model> model, std::string name)
        : api_(api), model_(std::move(model)), name_(std::move(name)) {}

    ~LiteRtEngine() override {
        drop_buffers();
        if (compiled_) api_.destroy_compiled(compiled_);
        if (options_) api_.destroy_options(options_);
        if (handle_) api_.destroy_model(handle_);
        if (environment_) api_.destroy_environment(environment_);
    }

    Status init(const EngineOptions& options);

    std::string_view name() const override { return name_; }
    std::size_t input_count() const override { return inputs_.size(); }
    std::size_t output_count() const override { return outputs_.size(); }
    TensorInfo input_info(std::size_t i) const override { return describe(inputs_[i]); }
    TensorInfo output_info(std::size_t i) const override { return describe(outputs_[i]); }

    Status resize_input(std::size_t i, const Shape& shape) override;
    Status prepare() override;
    MutableBytes input(std::size_t i) override { return inputs_[i].bytes(); }
    Bytes output(std::size_t i) const override { return outputs_[i].bytes(); }
    Status invoke() override;
    Status reset_state() override;

 private:
    // An input or output, in the order of the interface; `position` is its place in LiteRT's
    // signature.
    struct Slot {
        const InterfaceTensor* tensor;
        std::size_t position;
        std::int32_t element = 0;
        Shape shape;
        std::optional<Shape> resized;
        void* buffer = nullptr;
        std::uint8_t* data = nullptr;
        std::size_t size = 0;  // of the contents; the buffer may be larger
        MutableBytes bytes() const { return {data, size}; }
    };

    Status set_options(int threads);
    Status compile();
    Status find_signature(std::string_view wanted);
    Result<std::vector<std::int32_t>> offered(void* signature, bool outputs,
                                              std::vector<LiteRtTensorType>& types);
    Status refresh_shapes(bool update_allocation);
    Result<std::vector<Shape>> output_shapes(bool update_allocation);
    Status check_output_shapes();
    Status make_buffer(Slot& slot, bool is_output);
    void drop_buffers();
    TensorInfo describe(const Slot& slot) const;
    Error failure(Code code, std::string_view what, int status);
    Error value_dependent_shape() const;

    LiteRtApi api_;
    // Either's bytes are read in place by the library.
    std::shared_ptr<const model::Model> model_;
    std::vector<std::uint8_t> changed_;
    std::string name_;
    Interface interface_;
    void* environment_ = nullptr;
    void* handle_ = nullptr;
    void* options_ = nullptr;
    void* compiled_ = nullptr;
    std::size_t signature_ = 0;
    std::vector<Slot> inputs_, outputs_;
    std::vector<void*> input_buffers_, output_buffers_;  // in the order of LiteRT's signature
    bool prepared_ = false;
    bool shapes_checked_ = false;  // after the first invocation since prepare()
};

Status LiteRtEngine::init(const EngineOptions& options) {
    interface_ = TRY(select_interface(*model_, options.signature));
    if (int status = api_.create_environment(0, nullptr, &environment_))
        return failure(Code::internal, "cannot start", status);
    if (has_variables(*model_))
        return error(Code::unimplemented,
                     name_ + "'s C interface takes no models that keep state in variable tensors");
    changed_ = without_variable_inputs(*model_);
    const Bytes bytes = changed_.empty() ? model_->bytes() : Bytes(changed_);
    if (int status = guarded(api_.create_model, environment_, bytes.data(), bytes.size(), &handle_))
        return failure(Code::invalid_argument, "refuses the model", status);
    TRY(find_signature(options.signature));
    TRY(set_options(options.threads));
    TRY(compile());
    return refresh_shapes(false);
}

Status LiteRtEngine::set_options(int threads) {
    if (int status = api_.create_options(&options_))
        return failure(Code::internal, "cannot create options", status);
    constexpr int cpu = 1;
    if (int status = api_.set_accelerators(options_, cpu))
        return failure(Code::internal, "cannot choose the CPU", status);
    // Named groups of options, as TOML text. The errors are kept in a buffer, for messages that say
    // why.
    const std::pair<const char*, std::string> groups[] = {
        {"xnnpack", "num_threads = " + std::to_string(threads) + "\n"},
        {"runtime_options_string", "error_reporter_mode = 2\n"},
    };
    for (const auto& [group, text] : groups) {
        void* opaque = nullptr;
        int status = api_.create_opaque(group, strdup(text.c_str()), &std::free, &opaque);
        if (status == 0) status = api_.add_opaque(options_, opaque);
        if (status != 0) return failure(Code::internal, "refuses options", status);
    }
    return {};
}

Status LiteRtEngine::compile() {
    if (compiled_) api_.destroy_compiled(compiled_);
    compiled_ = nullptr;
    if (int status = guarded(api_.create_compiled, environment_, handle_, options_, &compiled_))
        return failure(Code::unimplemented, "cannot compile the model", status);
    return {};
}

// Tensor indices of LiteRT's signature, in its order, and their types.
Result<std::vector<std::int32_t>> LiteRtEngine::offered(void* signature, bool outputs,
                                                        std::vector<LiteRtTensorType>& types) {
    std::vector<std::int32_t> tensors;
    std::size_t count = 0;
    int status = (outputs ? api_.output_count : api_.input_count)(signature, &count);
    for (std::size_t i = 0; i < count && status == 0; ++i) {
        void* tensor = nullptr;
        std::uint32_t index = 0;
        LiteRtTensorType type{};
        status = (outputs ? api_.output_tensor : api_.input_tensor)(signature, i, &tensor);
        if (status == 0) status = api_.tensor_index(tensor, &index);
        if (status == 0) status = api_.tensor_type(tensor, &type);
        tensors.push_back(static_cast<std::int32_t>(index));
        types.push_back(type);
    }
    if (status != 0) return failure(Code::internal, "cannot describe the model", status);
    return tensors;
}

// LiteRT runs signatures only. A model without any gets one made up from its main subgraph.
Status LiteRtEngine::find_signature(std::string_view wanted) {
    if (wanted.empty())
        for (const model::Signature& candidate : model_->signatures())
            if (candidate.subgraph == 0) {
                wanted = candidate.key;
                break;
            }
    if (wanted.empty() && !model_->signatures().empty())
        return error(Code::unimplemented,
                     name_ +
                         " only runs signatures, and none is the main subgraph's (name one with "
                         "--signature)");
    std::size_t count = 0;
    void* signature = nullptr;
    int status = api_.signature_count(handle_, &count);
    for (signature_ = 0; signature_ < count && status == 0; ++signature_) {
        const char* key = nullptr;
        status = api_.get_signature(handle_, signature_, &signature);
        if (status == 0) status = api_.signature_key(signature, &key);
        if (status == 0 && (wanted.empty() || wanted == key)) break;
    }
    if (status != 0 || signature_ == count)
        return failure(Code::internal, "does not list the signature", status);

    for (const bool outputs : {false, true}) {
        const auto& tensors = outputs ? interface_.outputs : interface_.inputs;
        std::vector<LiteRtTensorType> types;
        const auto offers = TRY(offered(signature, outputs, types));
        const auto positions = TRY(positions_of(tensors, offers, name_));
        auto& slots = outputs ? outputs_ : inputs_;
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            Slot slot{};
            slot.tensor = &tensors[i];
            slot.position = positions[i];
            slot.element = types[positions[i]].element;
            slot.shape = types[positions[i]].layout.shape();
            slots.push_back(slot);
        }
        (outputs ? output_buffers_ : input_buffers_).resize(offers.size());
    }
    return {};
}

Status LiteRtEngine::refresh_shapes(bool update_allocation) {
    for (Slot& slot : inputs_) {
        LiteRtLayout layout;
        if (int status = api_.input_layout(compiled_, signature_, slot.position, &layout))
            return failure(Code::internal, "does not say an input's shape", status);
        slot.shape = layout.shape();
    }
    const auto shapes = TRY(output_shapes(update_allocation));
    for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i].shape = shapes[i];
    return {};
}

// In our order.
Result<std::vector<Shape>> LiteRtEngine::output_shapes(bool update_allocation) {
    std::vector<Shape> shapes;
    if (outputs_.empty()) return shapes;
    std::vector<LiteRtLayout> layouts(output_buffers_.size());
    if (int status = guarded(api_.output_layouts, compiled_, signature_, layouts.size(),
                             layouts.data(), update_allocation))
        return failure(Code::unimplemented, "cannot prepare the model", status);
    for (const Slot& slot : outputs_) shapes.push_back(layouts[slot.position].shape());
    return shapes;
}

Status LiteRtEngine::resize_input(std::size_t i, const Shape& shape) {
    inputs_[i].resized = shape;
    inputs_[i].shape = shape;
    prepared_ = false;
    return {};
}

Status LiteRtEngine::make_buffer(Slot& slot, bool is_output) {
    void* requirements = nullptr;
    int status = (is_output ? api_.output_needs : api_.input_needs)(compiled_, signature_,
                                                                    slot.position, &requirements);
    LiteRtTensorType type{};
    type.element = slot.element;
    type.layout.bits = static_cast<std::uint32_t>(slot.shape.rank());
    for (int d = 0; d < slot.shape.rank(); ++d) type.layout.dims[d] = slot.shape[d];
    if (status == 0) status = api_.create_buffer(environment_, &type, requirements, &slot.buffer);
    void* data = nullptr;
    // The memory of a host buffer stays where it is; the lock only matters for other kinds.
    if (status == 0) status = api_.lock(slot.buffer, &data, is_output ? 0 : 1);
    if (status == 0) status = api_.unlock(slot.buffer);
    if (status != 0)
        return failure(Code::unimplemented,
                       std::string("cannot make a buffer for ") +
                           (is_output ? "output " : "input ") + describe(slot).name,
                       status);
    slot.data = static_cast<std::uint8_t*>(data);
    slot.size = describe(slot).bytes;
    (is_output ? output_buffers_ : input_buffers_)[slot.position] = slot.buffer;
    return {};
}

void LiteRtEngine::drop_buffers() {
    for (auto* slots : {&inputs_, &outputs_})
        for (Slot& slot : *slots) {
            if (slot.buffer) api_.destroy_buffer(slot.buffer);
            slot.buffer = nullptr;
            slot.data = nullptr;
            slot.size = 0;
        }
}

Status LiteRtEngine::prepare() {
    for (const auto* slots : {&inputs_, &outputs_})
        for (const Slot& slot : *slots)
            if (describe(slot).dtype == DType::string)
                return error(Code::unimplemented, name_ + ": string tensors are not supported");
    drop_buffers();
    for (Slot& slot : inputs_) {
        if (!slot.resized) continue;
        const Shape& shape = *slot.resized;
        if (int status = api_.resize_input(compiled_, signature_, slot.position, shape.begin(),
                                           static_cast<std::size_t>(shape.rank())))
            return failure(Code::invalid_argument,
                           "refuses the shape " + shape.to_string() + " for an input", status);
    }
    TRY(refresh_shapes(true));
    for (Slot& slot : inputs_) TRY(make_buffer(slot, false));
    for (Slot& slot : outputs_) TRY(make_buffer(slot, true));
    prepared_ = true;
    shapes_checked_ = false;
    return {};
}

Status LiteRtEngine::invoke() {
    if (!prepared_) TRY(prepare());
    if (int status =
            guarded(api_.run, compiled_, signature_, input_buffers_.size(), input_buffers_.data(),
                    output_buffers_.size(), output_buffers_.data())) {
        Error e = failure(Code::internal, "invoke failed", status);
        // How the interpreter below says that an output's memory is not known before invoke.
        return e.message.find("allocation_type") == std::string::npos ? e : value_dependent_shape();
    }
    if (std::exchange(shapes_checked_, true)) return {};
    return check_output_shapes();
}

// Once per prepare(): outputs that turned out larger than what prepare() was told were written to
// buffers too small.
Status LiteRtEngine::check_output_shapes() {
    const auto shapes = TRY(output_shapes(false));
    for (std::size_t i = 0; i < outputs_.size(); ++i)
        if (!(outputs_[i].shape == shapes[i])) return value_dependent_shape();
    return {};
}

Error LiteRtEngine::value_dependent_shape() const {
    return error(Code::unimplemented,
                 name_ + "'s C interface cannot hand out an output whose shape depends on values");
}

// The ABI has no call for it: a fresh compiled model starts with fresh state. The buffers are the
// environment's, so their contents stay.
Status LiteRtEngine::reset_state() {
    if (!keeps_state(*model_)) return {};
    TRY(compile());
    if (!prepared_) return {};
    for (Slot& slot : inputs_)
        if (slot.resized)
            if (int status =
                    api_.resize_input(compiled_, signature_, slot.position, slot.resized->begin(),
                                      static_cast<std::size_t>(slot.resized->rank())))
                return failure(Code::internal, "refuses a shape it took before", status);
    return refresh_shapes(true);
}

TensorInfo LiteRtEngine::describe(const Slot& slot) const {
    TensorInfo info = tensor_info(interface_, *slot.tensor);
    info.shape = slot.shape;
    const auto bytes = tensor_bytes(info.dtype, slot.shape);
    info.bytes = bytes.ok() ? *bytes : 0;  // strings have no size of their own
    return info;
}

// The ABI cannot tell its version; scripts/oracle notes it beside the library.
std::string name_of(const std::string& library) {
    const auto version = read_file(library + ".version", 64);
    if (!version.ok()) return "litert";
    return "litert " + version->substr(0, version->find('\n'));
}

Error LiteRtEngine::failure(Code code, std::string_view what, int status) {
    std::string text = name_ + " " + std::string(what);
    char* messages = nullptr;
    if (compiled_ && api_.error_messages(compiled_, &messages) == 0 && messages) {
        const std::string_view all(messages);
        if (!all.empty()) text += ": " + std::string(all.substr(0, all.find('\n')));
        std::free(messages);
        api_.clear_errors(compiled_);
    }
    if (status != 0)
        text += std::string(" (") + litert_status_name(status) + ", status " +
                std::to_string(status) + ")";
    return error(code, std::move(text));
}

}  // namespace

Result<std::unique_ptr<Engine>> create_litert_engine(const std::string& library,
                                                     std::shared_ptr<const model::Model> model,
                                                     const EngineOptions& options) {
    const LiteRtApi api = TRY(LiteRtApi::bind(TRY(DynamicLibrary::open(library))));
    auto engine = std::make_unique<LiteRtEngine>(api, std::move(model), name_of(library));
    TRY(engine->init(options));
    return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace skiff::runtime
