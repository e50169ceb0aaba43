#include "publish/publish_version.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "publish/audit.h"
#include "publish/model_edits.h"
#include "publish/registry.h"
#include "runtime/runtime_level.h"
#include "trust/layout.h"

namespace skiff::publish {

namespace {

struct SideFile {
    std::string name;  // as the app knows it
    std::string bytes;
};

std::string base_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

// "3.2", "3.2.0-beta.1": what decide::padded_version() orders as people expect.
bool is_version(std::string_view text) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const std::size_t dash = text.find('-');
    const std::string_view numbers = text.substr(0, dash);
    for (std::size_t at = 0; at <= numbers.size();) {
        const std::size_t dot = std::min(numbers.find('.', at), numbers.size());
        if (dot == at || !std::all_of(numbers.begin() + at, numbers.begin() + dot, digit))
            return false;
        at = dot + 1;
    }
    return dash == text.npos || trust::is_plain_name(text.substr(dash + 1));
}

class PublishJob {
 public:
    PublishJob(const Publisher& publisher, const NewVersion& wanted, OnStep on_step)
        : publisher_(publisher), wanted_(wanted), on_step_(on_step) {}

    Result<Published> run() {
        TRY(decide::check_model_name(wanted_.model));
        TRY(check_plain_text(wanted_.why, "--why"));
        for (const auto& [key, value] : wanted_.tags)
            TRY(check_plain_text(key + "=" + value, "--tag"));
        TRY(read_files());
        TRY(check_gates());
        published_.changed =
            TRY(change(publisher_, [this](trust::Repository& repository, StagedTree& tree) {
                return add(repository, tree);
            }));
        step("done");
        published_.sha256 = sha256_hex(as_bytes(main_.bytes));
        main_.bytes.clear();
        published_.main = std::move(main_);
        return std::move(published_);
    }

 private:
    void step(const std::string& what) {
        const int total = 3 + static_cast<int>(wanted_.builds.size());
        on_step_(std::min(done_++, total), total, what);
    }

    Status read_files() {
        CandidateChecks checks;
        for (const std::string& text : wanted_.require)
            checks.requirements.push_back(TRY(parse_requirement(text)));
        step("checking " + base_name(wanted_.file));
        main_ = TRY(read_candidate(wanted_.file, checks));
        for (const auto& [device_class, file] : wanted_.builds) {
            if (!trust::is_plain_name(device_class))
                return error(Code::invalid_argument,
                             "\"" + device_class +
                                 "\" is no device class: use A-Z, a-z, 0-9, '-', "
                                 "'_' and '.'");
            step("checking " + base_name(file));
            Candidate build = TRY(read_candidate(file, checks));
            if (build.is_tflite && main_.is_tflite && build.io_signature != main_.io_signature)
                return error(Code::incompatible,
                             file + " has other inputs or outputs than " + wanted_.file +
                                 " (a build computes the same as the main file)");
            if (main_.is_tflite && !build.is_tflite && !wanted_.new_signature)
                return error(Code::incompatible,
                             file + " is opaque: nobody can see whether it computes the same as " +
                                 wanted_.file +
                                 " (publish with --new-signature if apps know what they get)");
            builds_.emplace(device_class, std::move(build));
        }
        for (const std::string& path : wanted_.with) {
            if (!trust::is_plain_name(base_name(path)))
                return error(Code::invalid_argument,
                             "\"" + path +
                                 "\": a file's name may have A-Z, a-z, 0-9, '-', '_', '.' (and "
                                 "begins with a letter, a digit or '_')");
            std::string bytes = TRY(read_file(path));
            with_.push_back({base_name(path), std::move(bytes)});
        }
        return {};
    }

    Status check_gates() {
        if (!wanted_.min_app.empty() && !is_version(wanted_.min_app))
            return error(Code::invalid_argument,
                         "--min-app " + wanted_.min_app + ": write a version like 3.2.0");
        min_runtime_ = wanted_.min_runtime.value_or(main_.is_tflite ? runtime::runtime_level : 0);
        if (!main_.is_tflite || min_runtime_ == runtime::runtime_level) return {};
        return error(Code::incompatible,
                     wanted_.file + " was checked against runtime " +
                         std::to_string(runtime::runtime_level) +
                         ", the only one that this skiff knows: --min-runtime " +
                         std::to_string(min_runtime_) + " cannot be promised");
    }

    Result<std::vector<AuditNote>> add(trust::Repository& repository, StagedTree& tree) {
        step("sending " + base_name(wanted_.file));
        ModelState model;
        model.name = wanted_.model;
        const auto known = publish::model_names(repository);
        if (std::ranges::find(known, wanted_.model) != known.end())
            model = TRY(read_model(repository, tree, wanted_.model));
        TRY(check_signature(model));
        const std::uint32_t number = published_.version = model.next_version;
        const decide::VersionRecord record = TRY(put_files(repository, tree, number));
        const std::string path = decide::main_target(wanted_.model, number, main_.extension);
        TRY(put(repository, tree, path, main_.bytes, decide::write_version_record(record)));
        TRY(count_on(repository, number));
        find_same_bytes(model);
        VersionState& added = model.versions[number];
        added.record = record;
        added.path = path;
        for (const std::string& alias : wanted_.aliases)
            TRY(set_alias(repository, tree, model, alias, number));
        if (number == 1 && !model.default_version)
            TRY(set_alias(repository, tree, model, "champion", number));
        published_.is_default = model.default_version == number;
        published_.has_default = model.default_version.has_value();
        return std::vector<AuditNote>{
            {"publish", wanted_.model + ":" + std::to_string(number), wanted_.why}};
    }

    // Apps that know the newest version, or the one that everyone has, must be able to use this
    // one. An opaque version in between does not make anybody forget the last signature.
    Status check_signature(const ModelState& model) const {
        if (wanted_.new_signature || model.versions.empty()) return {};
        TRY(check_against(model.versions.rbegin()->second));
        if (model.default_version)
            if (const auto at = model.versions.find(*model.default_version);
                at != model.versions.end())
                TRY(check_against(at->second));
        if (!main_.is_tflite) return {};
        const auto newest =
            std::find_if(model.versions.rbegin(), model.versions.rend(),
                         [](const auto& version) { return version.second.record.is_tflite; });
        return newest == model.versions.rend() ? Status() : check_against(newest->second);
    }

    Status check_against(const VersionState& before) const {
        const bool same_format = before.record.is_tflite == main_.is_tflite;
        if (same_format && before.record.io_signature == main_.io_signature) return {};
        const std::string name = wanted_.model + ":" + std::to_string(before.record.version);
        const std::string what = same_format       ? "has other inputs or outputs than " + name
                                 : main_.is_tflite ? "is a .tflite file, and " + name + " is not"
                                                   : "is opaque, and " + name + " is .tflite";
        return error(Code::incompatible, wanted_.file + " " + what +
                                             ": apps that use it would refuse it (publish with "
                                             "--new-signature if they know)");
    }

    Result<decide::VersionRecord> put_files(trust::Repository& repository, StagedTree& tree,
                                            std::uint32_t number) {
        decide::VersionRecord record;
        record.model = wanted_.model;
        record.version = number;
        record.is_tflite = main_.is_tflite;
        record.min_app = wanted_.min_app;
        record.min_runtime = min_runtime_;
        record.io_signature = main_.io_signature;
        record.smoke = main_.smoke;
        record.tags = wanted_.tags;
        std::set<std::string> paths = {decide::main_target(wanted_.model, number, main_.extension)};
        const auto take = [&](const std::string& path, const std::string& bytes) -> Status {
            if (!paths.insert(path).second)
                return error(Code::invalid_argument,
                             "two files would both be " + path + " (rename one)");
            return put(repository, tree, path, bytes, nullptr);
        };
        for (const SideFile& file : with_) {
            const std::string path = decide::file_target(wanted_.model, number, file.name);
            TRY(take(path, file.bytes));
            record.files.push_back({file.name, path});
        }
        for (const auto& [device_class, build] : builds_) {
            const std::string path =
                decide::build_target(wanted_.model, number, device_class, build.extension);
            TRY(take(path, build.bytes));
            record.builds[device_class] = path;
        }
        return record;
    }

    static Status put(trust::Repository& repository, StagedTree& tree, const std::string& path,
                      const std::string& bytes, const Json& custom) {
        const trust::TargetRecord record = TRY(trust::write_target(tree, path, as_bytes(bytes)));
        return repository.set_target(path, record, custom);
    }

    // The number is used up, also when the version is revoked one day.
    Status count_on(trust::Repository& repository, std::uint32_t number) const {
        const std::string role = trust::model_role(wanted_.model);
        const trust::Targets now = TRY(repository.targets_role(role));
        Json custom = Json::object();
        if (!now.custom.empty()) custom = TRY(parse_json(now.custom, role + ".json"));
        custom["next_version"] = number + 1;
        return repository.set_custom(role, custom);
    }

    void find_same_bytes(const ModelState& model) {
        published_.same_bytes_as.reset();
        published_.warnings.clear();
        const std::string sha256 = sha256_hex(as_bytes(main_.bytes));
        for (const auto& [number, version] : model.versions)
            if (version.sha256 == sha256) published_.same_bytes_as = number;
        for (const auto& [number, revoked] : model.revoked_sha256)
            if (revoked == sha256)
                published_.warnings.push_back("the same bytes as " + wanted_.model + ":" +
                                              std::to_string(number) +
                                              ", which was revoked: " + model.revoked.at(number));
    }

    const Publisher& publisher_;
    const NewVersion& wanted_;
    OnStep on_step_;
    int done_ = 0;
    int min_runtime_ = 0;
    Candidate main_;
    std::map<std::string, Candidate> builds_;
    std::vector<SideFile> with_;
    Published published_;
};

}  // namespace

Result<Published> publish_version(const Publisher& publisher, const NewVersion& version,
                                  OnStep on_step) {
    return PublishJob(publisher, version, on_step).run();
}

}  // namespace skiff::publish
