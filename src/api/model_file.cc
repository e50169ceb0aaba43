// Files and traces: what an app needs that runs models elsewhere.
#include "api/client.h"
#include "api/error.h"
#include "api/values.h"

struct skiff_model_file {
    std::shared_ptr<skiff::device::Client> client;
    skiff::device::ModelFile file;
};

struct skiff_trace {
    std::shared_ptr<skiff::device::Client> client;
    skiff::device::Trace trace;
};

int32_t skiff_model_open_file(skiff_model* model, skiff_model_file** file, skiff_error* error) {
    auto found = model->model->file();
    if (!found.ok()) return skiff::api::fail(found.error(), error);
    *file = new skiff_model_file{model->client, std::move(found).value()};
    return SKIFF_OK;
}

void skiff_model_file_destroy(skiff_model_file* file) {
    delete file;
}

const char* skiff_model_file_path(const skiff_model_file* file) {
    return file->file.path.c_str();
}

void skiff_model_file_version(const skiff_model_file* file, skiff_model_version* version) {
    *version = skiff::api::to_c(file->file.version);
}

const char* skiff_model_file_path_of(const skiff_model_file* file, const char* name) {
    for (const auto& [known, path] : file->file.files)
        if (name && known == name) return path.c_str();
    return nullptr;
}

skiff_trace* skiff_model_trace(skiff_model* model) {
    return new skiff_trace{model->client, model->model->trace()};
}

void skiff_trace_success(skiff_trace* trace) {
    trace->trace.success();
}

void skiff_trace_failure(skiff_trace* trace, int32_t code) {
    trace->trace.failure(static_cast<skiff::Code>(code));
}

uint64_t skiff_trace_inference_id(const skiff_trace* trace) {
    return trace->trace.inference_id();
}

void skiff_trace_destroy(skiff_trace* trace) {
    delete trace;
}
