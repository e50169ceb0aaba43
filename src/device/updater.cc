#include "device/updater.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/log.h"
#include "decide/rollout.h"
#include "device/conditions.h"
#include "device/experiment.h"
#include "device/trial.h"
#include "device/trial_mark.h"

namespace skiff::device {

namespace {

using telemetry::UpdateOutcome;
using State = Progress::State;

constexpr int deadly_trials = 3;  // a version whose trial killed the process so often is bad
constexpr auto ask_again_every = std::chrono::seconds(2);  // whether a download may go on

UpdateOutcome outcome_of(const Error& e) {
    switch (e.code) {
        case Code::hash_mismatch:
            return UpdateOutcome::hash_mismatch;
        case Code::not_enough_space:
            return UpdateOutcome::no_space;
        default:
            return UpdateOutcome::network;
    }
}

class Update {
 public:
    Update(Core& core, const UpdateRequest& request, ProgressSink sink)
        : core_(core),
          request_(request),
          sink_(sink),
          attributes_(core.attributes()),
          context_(choice_context(core, *attributes_, request.model, request.io_signature,
                                  request.has_bundled)),
          meter_(core) {}

    Status run() {
        state_ = TRY(core_.store->read(request_.model));
        choice_ = choose(state_, context_);
        switch (choice_.wanted) {
            case Choice::Wanted::missing:
                return fetch();
            case Choice::Wanted::installed:
                return settle();
            case Choice::Wanted::unusable:
                if (state_.update) TRY(core_.store->clear_update(request_.model));
                TRY(tidy());
                if (is_bad()) return error(Code::incompatible, choice_.why);
                return {};
            case Choice::Wanted::nothing:
                if (state_.update) TRY(core_.store->clear_update(request_.model));
                return tidy();
        }
        return {};
    }

 private:
    bool is_bad() const {
        const auto at = state_.catalog.versions.find(choice_.wanted_number);
        return at != state_.catalog.versions.end() &&
               state_.bad.contains(at->second.main_for(device_class()).sha256());
    }
    std::string device_class() const { return text_attribute(*attributes_, "device_class"); }
    std::string name() const { return version_name(request_.model, choice_.wanted_number); }

    Status tell(State state, std::string why = {}) {
        progress_.state = state;
        progress_.why = std::move(why);
        Status went_on = sink_(progress_);
        if (!went_on.ok()) stopped_ = true;
        return went_on;
    }
    // Persisted only when it is news.
    Status remember(State state, const std::string& why = {}) {
        const UpdateRow row{choice_.wanted_number, main_->sha256(), state, why};
        if (state_.update == row) return {};
        TRY(core_.store->set_update(request_.model, row));
        state_.update = row;
        return {};
    }
    Status enter(State state, const std::string& why = {}) {
        TRY(remember(state, why));
        return tell(state, why.empty() ? "" : name() + " " + why);
    }

    telemetry::Cell& cell() {
        return core_.recorder->cell(
            {request_.model, choice_.wanted_number, choice_.experiment, choice_.variant});
    }

    // The wanted version is here: switched to without a byte from anywhere.
    Status settle() {
        if (state_.active != choice_.wanted_number || state_.update)
            TRY(core_.store->switch_to(request_.model, choice_.wanted_number));
        TRY(weigh_eligibility());
        TRY(tidy());
        return tell(State::active, choice_.why);
    }

    // A device counts in an experiment from the moment its own conditions would have let it run
    // the other arm: those that are quick to update would otherwise be compared with all.
    Status weigh_eligibility() {
        if (choice_.experiment.empty() || state_.eligible.contains(choice_.experiment)) return {};
        std::uint64_t bytes = 0;
        for (const std::uint32_t number :
             experiment_versions(state_.ruleset->json(), request_.model, choice_.experiment)) {
            if (obstacle(state_, context_, number)) return {};
            if (!state_.installed.contains(number))
                bytes += bytes_of(state_.catalog.versions.at(number));
        }
        host::Host host = core_.host();
        if (bytes > 0 &&
            !permission(request_.conditions, host, bytes, meter_.used_this_month()).allowed)
            return {};
        return core_.store->mark_eligible(request_.model, choice_.experiment);
    }

    std::uint64_t bytes_of(const PublishedVersion& version) const {
        std::uint64_t bytes = version.main_for(device_class()).target.length;
        for (const PublishedFile& file : version.files) bytes += file.target.length;
        return bytes;
    }

    Status fetch() {
        version_ = state_.catalog.versions.at(choice_.wanted_number);
        main_ = &version_->main_for(device_class());
        parts_ = {main_};
        for (const PublishedFile& file : version_->files) parts_.push_back(&file);
        if (Status ready = begin(); !ready.ok()) return ready;
        Status fetched = download();
        if (fetched.ok()) fetched = verify();
        if (!fetched.ok()) return fetch_failed(fetched.take_error());
        return try_and_activate();
    }

    // Of the bytes that are not here yet.
    std::uint64_t missing_bytes() {
        std::uint64_t missing = 0;
        for (const PublishedFile* part : parts_) {
            const std::string blob = core_.files.blob(part->sha256());
            if (file_exists(blob)) continue;
            const auto begun = file_size(blob + ".part");
            missing +=
                part->target.length - (begun.ok() ? std::min(*begun, part->target.length) : 0);
        }
        return missing;
    }

    Status begin() {
        progress_.total_bytes = bytes_of(*version_);
        const std::uint64_t missing = missing_bytes();
        progress_.bytes = progress_.total_bytes - missing;
        if (missing == 0) return {};
        if (core_.options.urls.empty() || !core_.mirrors.has_http())
            return error(Code::failed_precondition,
                         "this client has no urls and HTTP to fetch " + name() + " with");
        TRY(ask(missing));
        TRY(tidy());
        const std::uint64_t used = TRY(core_.files.bytes_used());
        if (used + missing > core_.options.store_quota_bytes)
            return fetch_failed(error(Code::not_enough_space,
                                      "it needs " + std::to_string(missing) + " bytes, and " +
                                          std::to_string(used) + " of the store's quota of " +
                                          std::to_string(core_.options.store_quota_bytes) +
                                          " are in use"));
        return enter(State::downloading);
    }

    Status ask(std::uint64_t missing) {
        host::Host host = core_.host();
        const Permission may =
            permission(request_.conditions, host, missing, meter_.used_this_month());
        if (may.allowed) return {};
        TRY(enter(State::waiting, may.why));
        return retryable(Code::conditions_unmet,
                         name() + (may.why.starts_with("waits") ? " " : ": ") + may.why);
    }

    Status download() {
        std::uint64_t before = 0;
        for (const PublishedFile* part : parts_) {
            const std::string blob = core_.files.blob(part->sha256());
            // What an earlier attempt left whole is taken if it still is what it was.
            if (file_exists(blob) &&
                !trust::check_file(blob, part->target.length, part->target.hashes).ok())
                TRY(remove_file(blob));
            if (!file_exists(blob))
                TRY(download_target(
                    core_.mirrors, part->target, blob,
                    [&](const DownloadProgress& so_far) { return on_bytes(before, so_far); }));
            before += part->target.length;
        }
        return {};
    }

    Status on_bytes(std::uint64_t before, const DownloadProgress& so_far) {
        if (core_.stops) return error(Code::cancelled, "the client is going");
        progress_.bytes = before + so_far.bytes;
        progress_.bytes_per_s = so_far.bytes_per_s;
        TRY(tell(State::downloading));
        const auto now = std::chrono::steady_clock::now();
        if (now - asked_at_ < ask_again_every) return {};
        asked_at_ = now;
        TRY(meter_.account());
        return ask(progress_.total_bytes - progress_.bytes);
    }

    // From the disk once more: what is tried and kept is what was signed.
    Status verify() {
        progress_.bytes = progress_.total_bytes;
        TRY(enter(State::verifying));
        for (const PublishedFile* part : parts_) {
            const std::string blob = core_.files.blob(part->sha256());
            Status good = trust::check_file(blob, part->target.length, part->target.hashes);
            if (good.ok()) continue;
            TRY(remove_file(blob));
            return good;
        }
        return {};
    }

    Status fetch_failed(Error e) {
        if (stopped_ || e.code == Code::cancelled || e.code == Code::conditions_unmet) return e;
        cell().update(outcome_of(e));
        Status kept = enter(State::waiting, "could not be fetched: " + e.message);
        if (!kept.ok()) log(LogLevel::warning, kept.error().message);
        return with_context(std::move(e), name() + " could not be fetched");
    }

    Result<Trial> try_once() {
        TRY(remember(State::trying));
        const TrialMark mark(core_.store->folder(), main_->sha256());
        TRY(tell(State::trying));
        return try_version(core_.files.blob(main_->sha256()), *version_, *main_);
    }

    Status try_and_activate() {
        const std::string& folder = core_.store->folder();
        if (TrialMark::deaths(folder, main_->sha256()) >= deadly_trials) {
            TrialMark::forget(folder, main_->sha256());
            return refuse("ended the process three times when it was tried",
                          UpdateOutcome::load_failed);
        }
        const Trial trial = TRY(try_once());
        if (!trial.good && trial.for_now)
            return fetch_failed(retryable(Code::unavailable, trial.reason));
        if (!trial.good) return refuse(trial.reason, trial.failed_as);
        InstalledVersion version{choice_.wanted_number, main_->sha256(), trial.is_tflite,
                                 trial.io_signature};
        for (const PublishedFile* part : parts_)
            version.files.push_back({part->name, part->sha256()});
        version.bytes = progress_.total_bytes;
        TRY(core_.files.link(request_.model, version));
        TRY(core_.store->activate(request_.model, version));
        cell().update(UpdateOutcome::installed);
        if (!choice_.experiment.empty())
            TRY(core_.store->mark_eligible(request_.model, choice_.experiment));
        state_ = TRY(core_.store->read(request_.model));
        choice_ = choose(state_, context_);
        // Another interface than the app's is found out only now when the record said none.
        if (choice_.wanted == Choice::Wanted::unusable)
            return error(Code::incompatible, choice_.why);
        TRY(tidy());
        return tell(State::active, choice_.why);
    }

    Status refuse(const std::string& reason, UpdateOutcome outcome) {
        TRY(core_.store->mark_bad(request_.model, main_->sha256(), reason));
        cell().update(outcome);
        state_ = TRY(core_.store->read(request_.model));
        choice_ = choose(state_, context_);
        TRY(tidy());
        return error(Code::incompatible, choice_.why);
    }

    // Versions that are neither wanted, active nor the one before go; then files that nobody needs.
    Status tidy() {
        for (const auto& [number, version] : state_.installed)
            if (number != choice_.wanted_number && number != state_.active &&
                number != state_.previous)
                TRY(core_.store->uninstall(request_.model, number));
        std::vector<std::string> wanted;
        for (const PublishedFile* part : parts_) wanted.push_back(part->sha256());
        for (const std::string& model : TRY(core_.store->models()))
            if (model != request_.model) add_begun(model, wanted);
        return core_.files.collect(*core_.store, wanted);
    }

    // What updates of other models have fetched so far.
    void add_begun(const std::string& model, std::vector<std::string>& wanted) {
        const auto other = core_.store->read(model);
        if (!other.ok() || !other->update) return;
        wanted.push_back(other->update->sha256);
        const auto version = other->catalog.versions.find(other->update->number);
        if (version == other->catalog.versions.end()) return;
        for (const PublishedFile& file : version->second.files) wanted.push_back(file.sha256());
    }

    Core& core_;
    const UpdateRequest& request_;
    ProgressSink sink_;
    const std::shared_ptr<const Json> attributes_;
    const ChoiceContext context_;
    Meter meter_;
    ModelState state_;
    Choice choice_;
    Progress progress_;
    bool stopped_ = false;                     // by the sink
    std::optional<PublishedVersion> version_;  // to be fetched; the next two point into it
    const PublishedFile* main_ = nullptr;
    std::vector<const PublishedFile*> parts_;  // the main one first
    std::chrono::steady_clock::time_point asked_at_ = std::chrono::steady_clock::now();
};

}  // namespace

ChoiceContext choice_context(const Core& core, const Json& attributes, const std::string& model,
                             const std::string& io_signature, bool has_bundled) {
    return {.model = model,
            .attributes = &attributes,
            .io_signature = io_signature,
            .has_bundled = has_bundled,
            .now_s = core.now_s(),
            .store_failure = core.store->failure() ? core.store->failure()->message : ""};
}

Status update(Core& core, const UpdateRequest& request, ProgressSink sink) {
    return Update(core, request, sink).run();
}

}  // namespace skiff::device
