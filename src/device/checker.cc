#include "device/checker.h"

#include <algorithm>

#include "base/files.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/sha256.h"
#include "decide/ruleset.h"
#include "decide/version_record.h"
#include "trust/client.h"
#include "trust/layout.h"

namespace skiff::device {

namespace {

// No clock is earlier than this library; moved with each release. (2026-11-22)
constexpr std::int64_t library_time_s = 1'795'305'600;
constexpr std::int64_t root_probe_s = 24 * 3600;
constexpr std::uint64_t max_ruleset_bytes = 1u << 20;

// Each pinned root has trust of its own: another project's can neither use nor harm it.
std::string pin_of(const Core& core) {
    return sha256_hex(as_bytes(core.options.root)).substr(0, 16);
}

class Check {
 public:
    explicit Check(Core& core)
        : core_(core),
          pin_(pin_of(core)),
          files_(core.options.data_dir + "/tuf/" + pin_),
          fetcher_(core.mirrors) {}

    Status run(const std::vector<std::string>& models) {
        TRY(make_folders(core_.options.data_dir + "/tuf/" + pin_));
        const std::int64_t floor_s = TRY(core_.store->number_fact("clock_floor_s"));
        trust::Client client(fetcher_, files_,
                             {.pinned_root = core_.options.root,
                              .clock = [this] { return core_.now_s(); },
                              .earliest_time_s = std::max(library_time_s, floor_s)});
        const Status refreshed =
            refresh(client, std::max({library_time_s, floor_s, core_.now_s()}));
        TRY(note("", refreshed));
        TRY(refreshed);
        TRY(save_times(client, floor_s));
        Status first;
        for (const std::string& model : models) {
            const Status read = check_model(client, model);
            TRY(note(model, read));
            if (read.ok()) continue;
            log(LogLevel::warning, "checking " + model + ": " + read.error().message);
            if (first.ok()) first = read;
        }
        return first;
    }

 private:
    // For `why`. What a full disk does not take is no news: the check says that itself.
    Status note(const std::string& model, const Status& checked) {
        if (checked.ok()) return core_.store->note_check(model, "");
        if (checked.error().code != Code::cancelled)
            (void)core_.store->note_check(model, checked.error().message);
        return {};
    }

    // A new root is asked for when anything changed, and daily.
    Status refresh(trust::Client& client, std::int64_t now_s) {
        const std::int64_t probed_s = TRY(core_.store->number_fact("root_probed_s"));
        const bool due = probed_s != 0 && now_s - probed_s >= root_probe_s;
        auto refreshed = client.refresh(due ? trust::RefreshMode::full : trust::RefreshMode::quick);
        if (!refreshed.ok()) return refreshed.take_error();
        if (due || probed_s == 0)
            return core_.store->set_fact("root_probed_s", std::to_string(now_s));
        return {};
    }

    Status save_times(const trust::Client& client, std::int64_t floor_s) {
        const trust::TrustedSet& trusted = client.trusted();
        const std::int64_t expire_s =
            std::min({trusted.root().expires_s, trusted.timestamp()->expires_s,
                      trusted.snapshot()->expires_s});
        Store& store = *core_.store;
        if (client.signed_at_s() > floor_s)
            TRY(store.set_fact("clock_floor_s", std::to_string(client.signed_at_s())));
        TRY(store.set_fact("rules_at_s", std::to_string(client.signed_at_s())));
        return store.set_fact("rules_expire_s", std::to_string(expire_s));
    }

    Status check_model(trust::Client& client, const std::string& model) {
        const ModelState before = TRY(core_.store->read(model));
        Published now;
        now.catalog_of = pin_ + ":" + std::to_string(client.trusted().snapshot()->version);
        if (before.catalog_of == now.catalog_of) return {};
        const std::vector<std::string> chain = {"models", trust::model_role(model)};
        auto role = client.role(chain);
        if (role.ok())
            now.catalog = read_catalog(*role, model);
        else if (role.error().code == Code::not_found)
            now.catalog.known = true;  // nothing is published under that name
        else
            return role.take_error();
        TRY(read_ruleset(client, model, before, now));
        return core_.store->save_published(model, now);
    }

    Status read_ruleset(trust::Client& client, const std::string& model, const ModelState& before,
                        Published& now) {
        auto target = client.find_target(decide::ruleset_target(model));
        if (!target.ok())
            return target.error().code == Code::not_found ? Status() : Status(target.error());
        const auto sha256 = target->hashes.find("sha256");
        if (sha256 == target->hashes.end() || sha256->second == before.ruleset_sha256) return {};
        if (target->length > max_ruleset_bytes)
            return error(Code::resource_exhausted,
                         target->path + " is larger than 1 MiB: no device reads it");
        const std::string file = core_.files.blob(sha256->second);
        TRY(download_target(core_.mirrors, *target, file, [this](const DownloadProgress&) {
            return core_.stops ? Status(error(Code::cancelled, "the client is going")) : Status();
        }));
        now.ruleset = TRY(read_file(file));
        TRY(remove_file(file));
        const auto parsed = decide::Ruleset::parse(now.ruleset, target->path);
        if (!parsed.ok()) return parsed.error();
        now.ruleset_sha256 = sha256->second;
        return {};
    }

    Core& core_;
    const std::string pin_;
    trust::FolderStore files_;
    MetadataFetcher fetcher_;
};

}  // namespace

Status check(Core& core, const std::vector<std::string>& models) {
    if (core.options.urls.empty())
        return error(Code::failed_precondition, "this client has no urls: nothing can be checked");
    if (!core.mirrors.has_http())
        return error(Code::no_network, "this build has no HTTP of its own: give one in the host");
    Meter meter(core);
    return Check(core).run(models);
}

}  // namespace skiff::device
