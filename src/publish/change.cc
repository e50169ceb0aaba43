#include "publish/change.h"

#include <algorithm>
#include <thread>

#include "base/random.h"
#include "publish/audit.h"
#include "publish/project.h"
#include "trust/date_time.h"
#include "trust/layout.h"

namespace skiff::publish {

namespace {

constexpr std::chrono::milliseconds first_pause{25}, longest_pause{800};
constexpr std::int64_t day_s = 86400;
constexpr std::int64_t warn_before_s = 60 * day_s;

std::string key_of(const std::string& role) {
    if (role == "root" || role == "targets") return "keys/" + role + ".json";
    return role.starts_with("models") ? "keys/models.json" : "keys/online.json";
}

std::string day_text(std::int64_t unix_s) {
    return trust::date_time_text(unix_s).substr(0, 10);
}

// The repository says which key is missing; here it is known which file that is.
Error missing_key(const Error& e) {
    if (e.code != Code::unauthenticated) return e;
    const std::string role = e.message.substr(0, e.message.find(".json"));
    return error(Code::failed_precondition, e.message.substr(0, e.message.rfind(" (")) +
                                                " (bring " + key_of(role) +
                                                " back to this machine)");
}

// The answer may be lost on its way, and the change be made: what is there tells. All of it: two
// timestamps of one second may be equal.
bool was_taken_unheard(Home& home, const Error& e, const Publication& publication) {
    const bool unheard = e.retry && (e.code == Code::no_network || e.code == Code::data_loss ||
                                     e.code == Code::deadline_exceeded);
    return unheard && std::ranges::all_of(publication.files, [&](const MetadataFile& file) {
               const auto there = home.read(file.path);
               return there.ok() && *there == file.bytes;
           });
}

Result<Changed> try_once(const Publisher& publisher, const Edit& edit) {
    if (publisher.twin) TRY(bring_to_one_state(publisher, *publisher.twin));
    StagedTree tree(publisher.home);
    trust::Repository repository = TRY(open_home(publisher, tree));
    const std::vector<AuditNote> notes = TRY(edit(repository, tree));
    for (const AuditNote& note : notes) TRY(check_plain_text(note.why, "--why"));
    auto signed_again = repository.resign_if_needed(publisher.signers, publisher.now_s);
    if (!signed_again.ok()) return missing_key(signed_again.error());
    Changed changed;
    changed.resigned = signed_again->roles;
    for (const auto& [role, expires_s] : signed_again->keys_absent)
        changed.not_signed.push_back(role + ".json, until " + day_text(expires_s) + ", needs " +
                                     key_of(role));
    changed.warnings = expiry_warnings(repository, publisher.now_s);
    Publication publication{0, tree.take_files(), notes};
    if (publication.files.empty()) {
        changed.version = TRY(publisher.home.version());
        return changed;
    }
    const auto timestamp =
        std::ranges::find(publication.files, "metadata/timestamp.json", &MetadataFile::path);
    CHECK(timestamp != publication.files.end());
    changed.version = TRY(trust::parse_timestamp(timestamp->bytes, "timestamp.json")).version;
    publication.base = changed.version - 1;
    if (publication.audit.empty()) {
        std::string roles;
        for (const std::string& role : changed.resigned) roles += (roles.empty() ? "" : " ") + role;
        publication.audit.push_back({"sign", roles, ""});
    }
    const Status taken = publisher.home.take(publication);
    if (!taken.ok() && !was_taken_unheard(publisher.home, taken.error(), publication))
        return taken.error();
    return changed;
}

// By chance, so that those who collided do not collide again.
std::chrono::milliseconds pause_after(int lost) {
    const auto longest = std::min(first_pause * (1 << std::min(lost, 10)), longest_pause);
    const auto bytes = random_bytes(2);
    return longest * (bytes[0] * 256 + bytes[1]) / 65536;
}

}  // namespace

Result<trust::Repository> open_home(const Publisher& publisher, StagedTree& tree) {
    TRY(check_home_belongs(publisher.home, publisher.root, publisher.project));
    auto repository = trust::Repository::open(tree);
    if (!repository.ok()) return with_context(repository.take_error(), publisher.home.describe());
    return repository;
}

Result<Changed> change(const Publisher& publisher, const Edit& edit) {
    const std::shared_ptr<void> turn = publisher.home.turn();
    const auto deadline = std::chrono::steady_clock::now() + publisher.patience;
    for (int lost = 1;; ++lost) {
        auto changed = try_once(publisher, edit);
        if (changed.ok() || changed.error().code != Code::aborted) return changed;
        const auto pause = pause_after(lost);
        if (std::chrono::steady_clock::now() + pause > deadline)
            return retryable(Code::aborted, publisher.home.describe() +
                                                ": others published each time while this change "
                                                "was made (try again when they are done)");
        std::this_thread::sleep_for(pause);
    }
}

Result<Changed> sign_what_is_due(const Publisher& publisher) {
    return change(publisher, [](trust::Repository&, StagedTree&) -> Result<std::vector<AuditNote>> {
        return std::vector<AuditNote>();
    });
}

std::vector<std::string> expiry_warnings(const trust::Repository& repository, std::int64_t now_s) {
    std::vector<std::string> lines;
    for (const auto& [role, expires_s] : repository.expiring(now_s, warn_before_s)) {
        const std::int64_t life_s = trust::lifetime_s(role), left_s = expires_s - now_s;
        if (life_s < 2 * warn_before_s && left_s * 3 >= life_s) continue;
        const bool over = left_s <= 0;
        lines.push_back(role + ".json " + (over ? "expired " : "expires ") + day_text(expires_s) +
                        (over ? ": devices take nothing new" : "") + " (run: skiff sign, with " +
                        key_of(role) + ")");
    }
    return lines;
}

namespace {

class DryHome final : public Home {
 public:
    explicit DryHome(Home& home) : home_(home) {}
    std::string describe() const override { return home_.describe(); }
    Result<std::int64_t> version() override { return home_.version(); }
    Result<std::string> read(const std::string& path) override { return home_.read(path); }
    Result<bool> exists(const std::string& path) override { return home_.exists(path); }
    Status put_target(const std::string& path, Bytes bytes) override {
        return check_target_file(path, bytes);
    }
    Status take(const Publication&) override { return {}; }

 private:
    Home& home_;
};

}  // namespace

std::unique_ptr<Home> dry_home(Home& home) {
    return std::make_unique<DryHome>(home);
}

}  // namespace skiff::publish
