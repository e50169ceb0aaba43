#include "api/interpreter.h"

#include "api/error.h"
#include "api/loaded_model.h"
#include "api/values.h"
#include "runtime/interpreter.h"

using skiff::Code;
using skiff::Error;
using skiff::Shape;
using skiff::api::fail;
using skiff::api::finish;
using skiff::runtime::Interpreter;
using skiff::runtime::InterpreterOptions;
using skiff::runtime::TensorInfo;

namespace {

Error bad_index(const char* kind, std::size_t index, std::size_t count) {
    if (index > INT32_MAX)
        return skiff::error(Code::invalid_argument,
                            std::string("the model has no ") + kind + " of that name");
    return skiff::error(Code::invalid_argument, std::string(kind) + " " + std::to_string(index) +
                                                    " does not exist: the model has " +
                                                    std::to_string(count));
}

skiff_tensor view(const TensorInfo& info, const std::string& name, const std::uint8_t* data,
                  std::size_t bytes) {
    skiff_tensor t{};
    t.name = name.c_str();
    t.dtype = static_cast<int32_t>(info.dtype);
    t.rank = info.shape.rank();
    for (int i = 0; i < t.rank; ++i) t.dims[i] = info.shape[i];
    t.scale = info.quantization.scale;
    t.zero_point = info.quantization.zero_point;
    t.data = const_cast<std::uint8_t*>(data);
    t.bytes = bytes;
    return t;
}

skiff::Status plan(skiff_interpreter* interpreter) {
    if (interpreter->planned) return {};
    TRY(interpreter->engine->prepare());
    interpreter->planned = true;
    return {};
}

int32_t index_of(const std::vector<std::string>& names, const char* name) {
    for (std::size_t i = 0; name && i < names.size(); ++i)
        if (names[i] == name) return static_cast<int32_t>(i);
    return -1;
}

std::unique_ptr<skiff_interpreter> handle_of(std::unique_ptr<skiff::runtime::Engine> engine) {
    auto handle = std::make_unique<skiff_interpreter>();
    for (std::size_t i = 0; i < engine->input_count(); ++i)
        handle->input_names.push_back(engine->input_info(i).name);
    for (std::size_t i = 0; i < engine->output_count(); ++i)
        handle->output_names.push_back(engine->output_info(i).name);
    handle->engine = std::move(engine);
    return handle;
}

}  // namespace

namespace skiff::api {

skiff_interpreter* lend(std::unique_ptr<device::BorrowedEngine> engine,
                        std::shared_ptr<const void> keep) {
    const device::BorrowedEngine* borrowed = engine.get();
    auto handle = handle_of(std::move(engine));
    handle->borrowed = borrowed;
    handle->keep = std::move(keep);
    handle->planned = true;  // as it comes
    return handle.release();
}

}  // namespace skiff::api

int32_t skiff_interpreter_create(skiff_loaded_model* model,
                                 const skiff_interpreter_options* options,
                                 skiff_interpreter** interpreter, skiff_error* error) {
    skiff_interpreter_options o{};
    if (!model || !interpreter || (options && !skiff::api::read_versioned(options, &o, sizeof o)))
        return fail(
            skiff::error(
                Code::invalid_argument,
                "skiff_interpreter_create: give a model, options whose size is set or NULL, and a "
                "place for the interpreter"),
            error);
    if (o.threads < 0 || o.threads > skiff::api::max_threads)
        return fail(skiff::error(Code::invalid_argument, "threads must be between 0 and 256"),
                    error);
    InterpreterOptions chosen;
    chosen.threads = o.threads == 0 ? 1 : o.threads;
    chosen.allow_fp16 = o.allow_fp16 != 0;
    if (o.signature) chosen.signature = o.signature;
    auto made = Interpreter::create(model->model, chosen);
    if (!made.ok()) return fail(made.error(), error);
    *interpreter = handle_of(std::move(made).value()).release();
    return SKIFF_OK;
}

void skiff_interpreter_destroy(skiff_interpreter* interpreter) {
    delete interpreter;
}

size_t skiff_interpreter_input_count(const skiff_interpreter* interpreter) {
    return interpreter->input_names.size();
}
size_t skiff_interpreter_output_count(const skiff_interpreter* interpreter) {
    return interpreter->output_names.size();
}
int32_t skiff_interpreter_input_index(const skiff_interpreter* interpreter, const char* name) {
    return index_of(interpreter->input_names, name);
}
int32_t skiff_interpreter_output_index(const skiff_interpreter* interpreter, const char* name) {
    return index_of(interpreter->output_names, name);
}

int32_t skiff_interpreter_input(skiff_interpreter* interpreter, size_t index, skiff_tensor* tensor,
                                skiff_error* error) {
    if (index >= interpreter->input_names.size())
        return fail(bad_index("input", index, interpreter->input_names.size()), error);
    if (skiff::Status planned = plan(interpreter); !planned.ok())
        return fail(planned.error(), error);
    const skiff::MutableBytes bytes = interpreter->engine->input(index);
    *tensor = view(interpreter->engine->input_info(index), interpreter->input_names[index],
                   bytes.data(), bytes.size());
    return SKIFF_OK;
}

int32_t skiff_interpreter_output(skiff_interpreter* interpreter, size_t index, skiff_tensor* tensor,
                                 skiff_error* error) {
    if (index >= interpreter->output_names.size())
        return fail(bad_index("output", index, interpreter->output_names.size()), error);
    if (skiff::Status planned = plan(interpreter); !planned.ok())
        return fail(planned.error(), error);
    const skiff::Bytes bytes = interpreter->engine->output(index);
    *tensor = view(interpreter->engine->output_info(index), interpreter->output_names[index],
                   bytes.data(), bytes.size());
    return SKIFF_OK;
}

int32_t skiff_interpreter_resize_input(skiff_interpreter* interpreter, size_t index,
                                       const int32_t* dims, int32_t rank, skiff_error* error) {
    if (index >= interpreter->input_names.size())
        return fail(bad_index("input", index, interpreter->input_names.size()), error);
    if (rank < 0 || rank > SKIFF_MAX_RANK || (rank > 0 && !dims))
        return fail(skiff::error(Code::invalid_argument, "a shape has 0 to 8 dimensions"), error);
    const Shape shape(std::span<const int32_t>(dims, static_cast<std::size_t>(rank)));
    interpreter->planned = false;
    return finish(interpreter->engine->resize_input(index, shape), error);
}

int32_t skiff_interpreter_invoke(skiff_interpreter* interpreter, skiff_error* error) {
    if (skiff::Status planned = plan(interpreter); !planned.ok())
        return fail(planned.error(), error);
    return finish(interpreter->engine->invoke(), error);
}

int32_t skiff_interpreter_reset_state(skiff_interpreter* interpreter, skiff_error* error) {
    if (skiff::Status planned = plan(interpreter); !planned.ok())
        return fail(planned.error(), error);
    return finish(interpreter->engine->reset_state(), error);
}

void skiff_interpreter_cancel(skiff_interpreter* interpreter) {
    interpreter->engine->cancel();
}

int32_t skiff_interpreter_stale(const skiff_interpreter* interpreter) {
    return interpreter->borrowed && interpreter->borrowed->stale();
}

void skiff_interpreter_version(const skiff_interpreter* interpreter, skiff_model_version* version) {
    *version = interpreter->borrowed ? skiff::api::to_c(interpreter->borrowed->version())
                                     : skiff_model_version{};
}

uint64_t skiff_interpreter_inference_id(const skiff_interpreter* interpreter) {
    return interpreter->borrowed ? interpreter->borrowed->inference_id() : 0;
}
