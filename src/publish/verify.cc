// The server's side of a publication: believes nothing.
#include <map>
#include <optional>
#include <set>

#include "publish/home.h"
#include "trust/layout.h"
#include "trust/repository.h"
#include "trust/signatures.h"

namespace skiff::publish {

namespace {

using trust::Snapshot;
using trust::Targets;
using trust::Timestamp;

constexpr const char* timestamp_path = "metadata/timestamp.json";

std::string path_of(const std::string& role, std::int64_t version) {
    return "metadata/" + std::to_string(version) + "." + trust::quote(role) + ".json";
}

// "models.digits" for "models.digits.json".
Result<std::string> role_of(const std::string& file) {
    constexpr std::string_view json = ".json";
    if (file.size() <= json.size() || !file.ends_with(json))
        return error(Code::invalid_argument, "snapshot.json lists \"" + file.substr(0, 100) +
                                                 "\", which is no role's file");
    return file.substr(0, file.size() - json.size());
}

// The home with the publication's files over it; nothing is written.
class Overlay final : public trust::Tree {
 public:
    Overlay(Home& home, const Publication& publication) : home_(home) {
        for (const MetadataFile& file : publication.files) files_.emplace(file.path, &file.bytes);
    }
    Result<std::string> read(const std::string& path) override {
        const auto at = files_.find(path);
        return at == files_.end() ? home_.read(path) : Result<std::string>(*at->second);
    }
    bool exists(const std::string& path) override {
        if (files_.contains(path)) return true;
        const auto there = home_.exists(path);
        return !there.ok() || *there;  // not known: the read that follows gives the reason
    }
    Status write(const std::string&, Bytes) override {
        return error(Code::internal, "a publication that is being verified was written to");
    }
    bool has(const std::string& path) const { return files_.contains(path); }
    std::size_t size() const { return files_.size(); }

 private:
    Home& home_;
    std::map<std::string, const std::string*> files_;
};

struct Heads {
    Timestamp timestamp;
    Snapshot snapshot;
};

Result<Heads> read_heads(trust::Tree& tree) {
    Heads heads;
    heads.timestamp = TRY(trust::parse_timestamp(TRY(tree.read(timestamp_path)), "timestamp.json"));
    const std::int64_t version = heads.timestamp.snapshot.version;
    heads.snapshot =
        TRY(trust::parse_snapshot(TRY(tree.read(path_of("snapshot", version))), "snapshot.json"));
    return heads;
}

class Verification {
 public:
    Verification(Home& home, const Publication& publication)
        : home_(home), publication_(publication), before_(home), after_(home, publication) {}

    Status run() {
        if (after_.size() != publication_.files.size())
            return error(Code::invalid_argument, "the publication has a file twice");
        if (!after_.has(timestamp_path))
            return error(Code::invalid_argument, "the publication has no timestamp.json");
        const std::int64_t version = TRY(home_.version());
        if (version != publication_.base)
            return retryable(Code::aborted, "somebody else published meanwhile: the version is " +
                                                std::to_string(version) +
                                                ", the publication was made on " +
                                                std::to_string(publication_.base));
        const trust::Repository repository = TRY(trust::Repository::open(after_));
        heads_ = TRY(read_heads(after_));
        root_ = TRY(trust::parse_root(repository.root_file(), "root.json"));
        TRY(check_under_newest_root());
        TRY(check_versions());
        TRY(check_every_file_is_named());
        for (const auto& [file, meta] : heads_.snapshot.meta) TRY(check_role(repository, file));
        return {};
    }

 private:
    // Repository::open also takes what the root before this one signed, which is a publication that
    // stopped half way.
    Status check_under_newest_root() {
        const auto check = [&](const trust::Envelope& file, const char* role) {
            return trust::check_signatures(file, root_.keys, root_.roles.at(role),
                                           std::string(role) + ".json");
        };
        TRY(check(heads_.timestamp, "timestamp"));
        TRY(check(heads_.snapshot, "snapshot"));
        const auto meta = heads_.snapshot.meta.find("targets.json");
        if (meta == heads_.snapshot.meta.end())
            return error(Code::invalid_argument, "snapshot.json does not list targets.json");
        const std::string bytes = TRY(after_.read(path_of("targets", meta->second.version)));
        return check(TRY(trust::parse_targets(bytes, "targets.json")), "targets");
    }

    // A home that was behind may skip versions; nothing ever goes back or away.
    Status check_versions() {
        if (heads_.timestamp.version <= publication_.base)
            return error(Code::invalid_argument,
                         "timestamp.json is version " + std::to_string(heads_.timestamp.version) +
                             ", it must be above " + std::to_string(publication_.base));
        if (publication_.base == 0) return {};
        const Heads before = TRY(read_heads(before_));
        if (heads_.snapshot.version < before.snapshot.version)
            return error(Code::invalid_argument, "snapshot.json goes back to an older version");
        for (const auto& [file, meta] : before.snapshot.meta) {
            const auto now = heads_.snapshot.meta.find(file);
            if (now == heads_.snapshot.meta.end())
                return error(Code::invalid_argument, "snapshot.json no longer lists " + file);
            if (now->second.version < meta.version)
                return error(Code::invalid_argument, file + " goes back to an older version");
            if (now->second.version == meta.version) kept_.insert(file);
        }
        if (heads_.snapshot.version == before.snapshot.version) kept_.insert("snapshot.json");
        return {};
    }

    Status check_every_file_is_named() {
        std::set<std::string> named = {timestamp_path};
        if (!kept_.contains("snapshot.json"))
            named.insert(path_of("snapshot", heads_.snapshot.version));
        for (const auto& [file, meta] : heads_.snapshot.meta)
            if (!kept_.contains(file)) named.insert(path_of(TRY(role_of(file)), meta.version));
        for (std::int64_t version = 1; version <= root_.version; ++version) {
            const std::string path = path_of("root", version);
            if (after_.has(path) && TRY(may_write_root(path))) named.insert(path);
        }
        for (const MetadataFile& file : publication_.files)
            if (!named.contains(file.path))
                return error(Code::invalid_argument,
                             file.path +
                                 " does not belong into this publication: it is there "
                                 "already, or snapshot.json does not name it");
        return {};
    }

    // One that a publication which was cut off has left may be written again: by whoever is first
    // when nothing was published yet, else as it is.
    Result<bool> may_write_root(const std::string& path) {
        if (publication_.base == 0 || !TRY(home_.exists(path))) return true;
        const std::string there = TRY(home_.read(path));
        return there == *after_.read(path);
    }

    Status check_role(const trust::Repository& repository, const std::string& file) {
        if (kept_.contains(file)) return {};
        const std::string role = TRY(role_of(file));
        const auto targets = repository.targets_role(role);
        if (!targets.ok())
            return error(Code::invalid_argument,
                         "snapshot.json lists " + file + ", to which nobody delegates");
        for (const auto& [path, meta] : targets->targets) {
            const auto chain = trust::roles_for_target(path);
            if (!chain.ok() || chain->back() != role)
                return error(Code::invalid_argument, file + " may not sign the target " + path);
            const auto hash = meta.hashes.find("sha256");
            if (hash == meta.hashes.end())
                return error(Code::invalid_argument, file + ": " + path + " has no sha256");
            if (!TRY(home_.exists(target_file(path, hash->second))))
                return error(Code::failed_precondition,
                             "the target " + path + " is not there (send it before the metadata)");
        }
        return {};
    }

    Home& home_;
    const Publication& publication_;
    StagedTree before_;
    Overlay after_;
    Heads heads_;
    trust::Root root_;
    std::set<std::string> kept_;  // files that stay as they are
};

}  // namespace

Status verify_publication(Home& home, const Publication& publication) {
    return Verification(home, publication).run();
}

}  // namespace skiff::publish
