#include "api/client.h"
#include "api/error.h"
#include "api/interpreter.h"
#include "api/values.h"

using skiff::Code;
using skiff::Result;
using skiff::Status;
using skiff::api::fail;
using skiff::api::text_or_empty;

namespace skiff::api {

Result<std::optional<device::LocalModel>> read_local_model(const skiff_local_model* from) {
    if (!from) return std::optional<device::LocalModel>();
    skiff_local_model m{};
    if (!read_versioned(from, &m, sizeof m))
        return error(Code::invalid_argument, "set the size of skiff_local_model");
    device::LocalModel out;
    if (m.path)
        out.path = m.path;
    else
        out.bytes = {static_cast<const std::uint8_t*>(m.data), m.data ? m.bytes : 0};
    out.is_manifest = m.is_manifest != 0;
    return std::optional(std::move(out));
}

}  // namespace skiff::api

namespace {

// Takes hold of the user at once, so that it is released however this ends.
Status open(skiff_client* client, const char* name, const skiff_model_options& o,
            skiff_model** opened) {
    const skiff::api::User user = skiff::api::take_user(o.user, o.release);
    if (!client || !name || !opened)
        return skiff::error(Code::invalid_argument,
                            "skiff_client_model: give a client, a name and a place for the model");
    skiff::device::ModelOptions options;
    options.bundled = TRY(skiff::api::read_local_model(o.bundled));
    options.type = TRY(skiff::api::read_download_type(o.type));
    options.conditions = TRY(skiff::api::read_conditions(o.conditions, options.conditions));
    if (o.threads < 0 || o.threads > skiff::api::max_threads)
        return skiff::error(Code::invalid_argument, "threads must be between 0 and 256");
    options.load.threads = o.threads == 0 ? 1 : o.threads;
    options.load.allow_fp16 = o.allow_fp16 != 0;
    options.load.signature = text_or_empty(o.signature);
    options.io_signature = text_or_empty(o.io_signature);
    if (o.on_change)
        options.on_change = [call = o.on_change, user](const skiff::device::ModelStatus& now,
                                                       const skiff::device::ModelStatus& before) {
            const skiff_model_status n = skiff::api::to_c(now), b = skiff::api::to_c(before);
            call(user.get(), &n, &b);
        };
    const auto conditions = options.conditions;
    auto model = TRY(client->client->model(name, std::move(options)));
    *opened = new skiff_model{client->client, std::move(model), conditions};
    return {};
}

}  // namespace

int32_t skiff_client_model(skiff_client* client, const char* name,
                           const skiff_model_options* options, skiff_model** model,
                           skiff_error* error) {
    skiff_model_options o{};
    if (options && !skiff::api::read_versioned(options, &o, sizeof o))
        return fail(skiff::error(Code::invalid_argument,
                                 "skiff_client_model: give options whose size is set, or NULL"),
                    error);
    const Status opened = open(client, name, o, model);
    return opened.ok() ? SKIFF_OK : fail(opened.error(), error);
}

void skiff_model_destroy(skiff_model* model) {
    delete model;
}

int32_t skiff_model_interpreter(skiff_model* model, skiff_interpreter** interpreter,
                                skiff_error* error) {
    auto borrowed = model->model->interpreter();
    if (!borrowed.ok()) return fail(borrowed.error(), error);
    *interpreter = skiff::api::lend(std::move(borrowed).value(), model->client);
    return SKIFF_OK;
}

int32_t skiff_model_update(skiff_model* model, const skiff_download_conditions* conditions,
                           skiff_download** download, skiff_error* error) {
    const auto wanted = skiff::api::read_conditions(conditions, model->conditions);
    if (!wanted.ok()) return fail(wanted.error(), error);
    *download = new skiff_download{model->client, model->model->update(*wanted)};
    return SKIFF_OK;
}

void skiff_model_get_status(skiff_model* model, skiff_model_status* status) {
    const skiff_model_status now = skiff::api::to_c(model->model->status());
    skiff::api::write_versioned(&now, status, sizeof now);
}

void skiff_model_get_assignment(skiff_model* model, skiff_assignment* assignment) {
    const skiff_assignment now = skiff::api::to_c(model->model->assignment());
    skiff::api::write_versioned(&now, assignment, sizeof now);
}

void skiff_model_record_outcome(skiff_model* model, uint64_t inference_id, int32_t correct) {
    model->model->record_outcome(inference_id, correct != 0);
}

void skiff_model_record(skiff_model* model, const char* metric, double value) {
    model->model->record(text_or_empty(metric), value);
}

void skiff_model_record_confidence(skiff_model* model, float confidence) {
    model->model->record_confidence(confidence);
}
