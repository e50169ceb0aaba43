// Two homes of one project are brought to one state.
#include <algorithm>

#include "base/hex.h"
#include "publish/change.h"
#include "publish/project.h"
#include "trust/metadata.h"

namespace skiff::publish {

namespace {

std::string path_of(const std::string& role, std::int64_t version) {
    return "metadata/" + std::to_string(version) + "." + trust::quote(role) + ".json";
}

// What the lower one shows was once shown by the higher one, as far as that kept it. Timestamps and
// snapshots state versions only and may be equal by chance: the roles tell.
Status check_same_past(Home& higher, Home& lower) {
    const auto timestamp =
        TRY(trust::parse_timestamp(TRY(lower.read("metadata/timestamp.json")), "timestamp.json"));
    const auto snapshot = TRY(trust::parse_snapshot(
        TRY(lower.read(path_of("snapshot", timestamp.snapshot.version))), "snapshot.json"));
    for (const auto& [file, meta] : snapshot.meta) {
        const std::string path = path_of(file.substr(0, file.rfind(".json")), meta.version);
        const auto there = higher.read(path);
        if (!there.ok() && there.error().code == Code::not_found) continue;
        TRY(there);
        if (*there != TRY(lower.read(path)))
            return error(Code::failed_precondition,
                         higher.describe() + " and " + lower.describe() +
                             " were published to separately: " + file +
                             " is another in each (give up one of the two)");
    }
    return {};
}

class Copy {
 public:
    Copy(const Publisher& publisher, Home& from, Home& to)
        : publisher_(publisher), from_(from), to_(to) {}

    Status run(std::int64_t base) {
        // What is read below belongs to this one, if it is still the same at the end.
        const std::string timestamp = TRY(from_.read("metadata/timestamp.json"));
        StagedTree tree(from_);
        const Publisher reader{from_, publisher_.root, publisher_.project, {}, 0};
        const trust::Repository repository = TRY(open_home(reader, tree));
        const std::int64_t snapshot =
            TRY(trust::parse_timestamp(timestamp, "timestamp.json")).snapshot.version;
        publication_.base = base;
        for (std::int64_t version = 1; version <= repository.root().version; ++version)
            TRY(add(path_of("root", version)));
        TRY(add_targets(repository));
        TRY(add(path_of("snapshot", snapshot)));
        if (TRY(from_.read("metadata/timestamp.json")) != timestamp)
            return retryable(Code::aborted,
                             from_.describe() + ": somebody else published meanwhile");
        publication_.files.push_back({"metadata/timestamp.json", timestamp});
        publication_.audit.push_back({"copy", from_.describe(), ""});
        return to_.take(publication_);
    }

 private:
    Status add(const std::string& path) {
        if (TRY(to_.exists(path)) && TRY(to_.read(path)) == TRY(from_.read(path))) return {};
        std::string bytes = TRY(from_.read(path));
        publication_.files.push_back({path, std::move(bytes)});
        return {};
    }

    // From the leaves to targets.json, each with what it names.
    Status add_targets(const trust::Repository& repository) {
        std::vector<std::string> delegators;
        for (const std::string& role : repository.role_names()) {
            const auto targets = repository.targets_role(role);
            if (!targets.ok()) continue;  // root, snapshot, timestamp
            for (const auto& [path, meta] : targets->targets) TRY(put(path, meta));
            const std::string file = path_of(role, targets->version);
            if (targets->delegations.empty())
                TRY(add(file));
            else if (role != "targets")
                delegators.push_back(file);
        }
        for (const std::string& file : delegators) TRY(add(file));
        return add(path_of("targets", TRY(repository.targets_role("targets")).version));
    }

    Status put(const std::string& path, const trust::TargetMeta& meta) {
        const auto hash = meta.hashes.find("sha256");
        if (hash == meta.hashes.end())
            return error(Code::invalid_argument, path + " has no sha256");
        const std::string file = target_file(path, hash->second);
        if (TRY(to_.exists(file))) return {};
        return to_.put_target(file, as_bytes(TRY(from_.read(file))));
    }

    const Publisher& publisher_;
    Home& from_;
    Home& to_;
    Publication publication_;
};

}  // namespace

Status bring_to_one_state(const Publisher& publisher, Home& other) {
    Home& home = publisher.home;
    TRY(check_home_belongs(home, publisher.root, publisher.project));
    TRY(check_home_belongs(other, publisher.root, publisher.project));
    const std::int64_t mine = TRY(home.version()), others = TRY(other.version());
    if (mine == others && mine == 0) return {};
    Home &higher = mine < others ? other : home, &lower = mine < others ? home : other;
    const std::int64_t base = std::min(mine, others);
    if (base > 0) TRY(check_same_past(higher, lower));
    if (mine == others) return {};
    return Copy(publisher, higher, lower).run(base);
}

}  // namespace skiff::publish
