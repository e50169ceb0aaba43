#include "api/client.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/error.h"
#include "api/host.h"
#include "api/values.h"
#include "base/files.h"

using skiff::Code;
using skiff::Result;
using skiff::Status;
using skiff::api::fail;
using skiff::api::finish;
using skiff::api::text_or_empty;
using skiff::api::User;

namespace {

constexpr std::size_t max_root_bytes = 512'000;  // docs/formats/trust.md, limits

Result<std::string> read_root(const skiff_client_options& o) {
    if (o.root_path) return skiff::read_file(o.root_path, max_root_bytes);
    return std::string(static_cast<const char*>(o.root), o.root ? o.root_bytes : 0);
}

void set_callbacks(skiff::device::ClientOptions& options, const skiff_client_options& o,
                   const User& user) {
    if (o.execute)
        options.executor = [execute = o.execute, user](std::function<void()> task) {
            execute(
                user.get(),
                [](void* argument) {
                    const std::unique_ptr<std::function<void()>> mine(
                        static_cast<std::function<void()>*>(argument));
                    (*mine)();
                },
                new std::function<void()>(std::move(task)));
        };
    if (o.on_exposure)
        options.on_exposure = [call = o.on_exposure,
                               user](const skiff::device::Assignment& assignment) {
            const skiff_assignment a = skiff::api::to_c(assignment);
            call(user.get(), &a);
        };
}

// Takes hold of both users at once, so that they are released however this ends.
Status create(const skiff_client_options& o, skiff_client** created) {
    const User user = skiff::api::take_user(o.user, o.release);
    skiff::device::ClientOptions options;
    options.host = TRY(skiff::api::make_host(o.host));
    if (!created)
        return skiff::error(Code::invalid_argument,
                            "skiff_client_create: give a place for the client");
    if (!o.urls && o.url_count > 0)
        return skiff::error(Code::invalid_argument, "skiff_client_options: urls is NULL");
    for (size_t i = 0; i < o.url_count; ++i) options.urls.push_back(text_or_empty(o.urls[i]));
    options.root = TRY(read_root(o));
    options.data_dir = text_or_empty(o.data_dir);
    options.report_url = text_or_empty(o.report_url);
    options.report_token = text_or_empty(o.report_token);
    if (o.check_every_s != 0)
        options.check_every = std::chrono::seconds(std::max<int64_t>(o.check_every_s, 0));
    if (o.store_quota_bytes != 0) options.store_quota_bytes = o.store_quota_bytes;
    options.attributes = text_or_empty(o.attributes);
    set_callbacks(options, o, user);
    auto made = TRY(skiff::device::Client::create(std::move(options)));
    *created = new skiff_client{std::move(made)};
    return {};
}

}  // namespace

int32_t skiff_client_create(const skiff_client_options* options, skiff_client** client,
                            skiff_error* error) {
    skiff_client_options o{};
    if (!options || !skiff::api::read_versioned(options, &o, sizeof o))
        return fail(skiff::error(Code::invalid_argument,
                                 "skiff_client_create: give options whose size is set"),
                    error);
    const Status created = create(o, client);
    return created.ok() ? SKIFF_OK : fail(created.error(), error);
}

void skiff_client_destroy(skiff_client* client) {
    delete client;
}

int32_t skiff_client_set_attributes(skiff_client* client, const char* json, skiff_error* error) {
    const auto parsed = skiff::parse_json(text_or_empty(json), "attributes");
    if (!parsed.ok()) return fail(parsed.error(), error);
    if (!parsed->is_object())
        return fail(
            skiff::error(Code::invalid_argument, "attributes are a JSON object, {\"name\": value}"),
            error);
    client->client->set_attributes(*parsed);
    return SKIFF_OK;
}

void skiff_client_set_user_id(skiff_client* client, const char* user_id) {
    client->client->set_user_id(text_or_empty(user_id));
}

int32_t skiff_client_sync(skiff_client* client, int64_t at_most_ms, skiff_error* error) {
    return finish(client->client->sync(skiff::api::at_most(at_most_ms)), error);
}

int32_t skiff_client_is_model_downloaded(skiff_client* client, const char* name) {
    return client->client->is_model_downloaded(text_or_empty(name));
}

int32_t skiff_client_download(skiff_client* client, const char* name, int32_t type,
                              const skiff_download_conditions* conditions,
                              skiff_download** download, skiff_error* error) {
    const auto wanted = skiff::api::read_conditions(conditions, {});
    if (!wanted.ok()) return fail(wanted.error(), error);
    const auto kind = skiff::api::read_download_type(type);
    if (!kind.ok()) return fail(kind.error(), error);
    *download = new skiff_download{client->client,
                                   client->client->download(text_or_empty(name), *kind, *wanted)};
    return SKIFF_OK;
}

int32_t skiff_client_delete_downloaded_model(skiff_client* client, const char* name,
                                             skiff_error* error) {
    return finish(client->client->delete_downloaded_model(text_or_empty(name)), error);
}

size_t skiff_client_downloaded_models(skiff_client* client, skiff_model_version* versions,
                                      size_t capacity) {
    const auto found = client->client->downloaded_models();
    for (size_t i = 0; i < std::min(capacity, found.size()); ++i)
        versions[i] = skiff::api::to_c(found[i]);
    return found.size();
}
