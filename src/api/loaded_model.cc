#include "api/loaded_model.h"

#include "api/error.h"
#include "base/files.h"
#include "device/bundled.h"
#include "model/metadata.h"

using skiff::Code;
using skiff::Result;
using skiff::api::fail;

namespace {

int32_t give(Result<std::shared_ptr<const skiff::model::Model>> loaded, skiff_loaded_model** out,
             skiff_error* error) {
    if (!loaded.ok()) return fail(loaded.error(), error);
    *out = new skiff_loaded_model{std::move(loaded).value()};
    return SKIFF_OK;
}

constexpr std::size_t max_label_file_bytes = 16u << 20;

Result<std::unique_ptr<skiff_loaded_model>> read_manifest(const char* path) {
    const auto bundled = TRY(skiff::device::Bundled::open({.path = path, .is_manifest = true}));
    if (!bundled->model())
        return skiff::error(Code::invalid_argument,
                            std::string(path) + ": its model file is no .tflite");
    auto loaded = std::make_unique<skiff_loaded_model>();
    loaded->model = bundled->model();
    if (!bundled->files().empty())
        loaded->labels = skiff::model::parse_labels(
            TRY(skiff::read_file(bundled->files().front().second, max_label_file_bytes)));
    return loaded;
}

}  // namespace

uint32_t skiff_abi_version(void) {
    return SKIFF_ABI_VERSION;
}
const char* skiff_version(void) {
    return SKIFF_VERSION;
}

int32_t skiff_load_file(const char* path, skiff_loaded_model** model, skiff_error* error) {
    if (!path || !model)
        return fail(skiff::error(Code::invalid_argument,
                                 "skiff_load_file: give a path and a place for the model"),
                    error);
    return give(skiff::model::Model::load_file(path), model, error);
}

int32_t skiff_load_memory(const void* data, size_t bytes, skiff_loaded_model** model,
                          skiff_error* error) {
    if ((!data && bytes) || !model)
        return fail(skiff::error(Code::invalid_argument,
                                 "skiff_load_memory: give bytes and a place for the model"),
                    error);
    return give(skiff::model::Model::load_memory({static_cast<const uint8_t*>(data), bytes}), model,
                error);
}

int32_t skiff_load_manifest(const char* path, skiff_loaded_model** model, skiff_error* error) {
    if (!path || !model)
        return fail(skiff::error(Code::invalid_argument,
                                 "skiff_load_manifest: give a path and a place for the model"),
                    error);
    auto loaded = read_manifest(path);
    if (!loaded.ok()) return fail(loaded.error(), error);
    *model = std::move(loaded).value().release();
    return SKIFF_OK;
}

void skiff_loaded_model_destroy(skiff_loaded_model* model) {
    delete model;
}
