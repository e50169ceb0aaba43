#include "server/project.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "server/audit.h"

namespace skiff::server {

namespace {

constexpr const char* timestamp_path = "metadata/timestamp.json";
constexpr std::int64_t for_ever_s = std::int64_t{200} * 365 * 86400;

// Targets with a version record are versions; their custom object says of what.
void add_sizes(const trust::Targets& role, Published& published) {
    for (const auto& [path, target] : role.targets) {
        if (target.custom.empty()) continue;
        const auto custom = parse_json(target.custom, path);
        if (!custom.ok()) continue;
        const auto model = json_string(*custom, "model", path);
        const auto version = json_int(*custom, "version", path);
        if (model.ok() && version.ok()) published.sizes[{*model, *version}] = target.length;
    }
}

Result<Published> read_published(trust::Tree& tree) {
    const trust::Repository repository = TRY(trust::Repository::open(tree));
    Published published;
    const auto timestamp =
        TRY(trust::parse_timestamp(TRY(tree.read(timestamp_path)), "timestamp.json"));
    published.version = timestamp.version;
    published.timestamp_expires_s = timestamp.expires_s;
    const auto expiring = repository.expiring(0, for_ever_s);
    if (!expiring.empty()) published.first_to_expire = expiring.front();
    for (const std::string& role : repository.role_names())
        if (role.starts_with("models.")) add_sizes(TRY(repository.targets_role(role)), published);
    return published;
}

}  // namespace

Project::Project(std::string name, std::string folder, Ledger& ledger)
    : name_(std::move(name)),
      folder_(std::move(folder)),
      ledger_(ledger),
      home_(publish::folder_home(folder_ + "/tree", "", "")) {}

Result<std::int64_t> Project::version() {
    // home_ is one thread's at a time, that of who publishes.
    return publish::folder_home(tree(), "", "")->version();
}

Result<std::shared_ptr<const Published>> Project::published() {
    const std::lock_guard lock(cache_mutex_);
    trust::FolderTree tree(this->tree());
    std::string timestamp = TRY(tree.read(timestamp_path));
    if (!cached_ || timestamp != cached_timestamp_) {
        cached_ = std::make_shared<const Published>(TRY(read_published(tree)));
        cached_timestamp_ = std::move(timestamp);
    }
    return cached_;
}

// A publication must be invisible until its timestamp is there: what is written after it may only
// be roots, which readers look for by number.
Status Project::check_order(const publish::Publication& publication) const {
    bool visible = false;
    for (const publish::MetadataFile& file : publication.files) {
        if (visible && !file.path.ends_with(".root.json"))
            return error(Code::invalid_argument,
                         file.path + " comes after timestamp.json (send the timestamp last)");
        visible |= file.path == timestamp_path;
    }
    return {};
}

Status Project::publish(const publish::Publication& publication, const std::string& who,
                        std::int64_t now_s) {
    const std::lock_guard lock(publishing_);
    TRY(check_order(publication));
    TRY(publish::verify_publication(*home_, publication));
    TRY(settle_locked());
    Intent intent{name_, {}, who, now_s, publication.audit};
    for (const publish::MetadataFile& file : publication.files)
        if (file.path == timestamp_path) intent.timestamp_sha256 = sha256_hex(as_bytes(file.bytes));
    const std::int64_t id = TRY(write_intent(ledger_, intent));
    Status taken = home_->take(publication);
    if (!taken.ok()) {
        (void)settle_locked();  // else the next publication or start does it
        return taken;
    }
    // The files are there, so it is published, whatever the ledger says: settle() catches up.
    (void)end_intent(ledger_, id, true);
    return {};
}

Status Project::settle() {
    const std::lock_guard lock(publishing_);
    return settle_locked();
}

Status Project::settle_locked() {
    const auto timestamp = home_->read(timestamp_path);
    const std::string hash = timestamp.ok() ? sha256_hex(as_bytes(*timestamp)) : "";
    return end_left_intents(ledger_, name_, hash);
}

Result<Project::Upkeep> Project::resign(std::int64_t now_s) {
    Upkeep upkeep;
    const std::string key_file = folder_ + "/online.json";
    upkeep.has_key = file_exists(key_file);
    if (!upkeep.has_key) return upkeep;
    const auto key = TRY(trust::FileSigner::load(key_file));
    const std::lock_guard lock(publishing_);
    TRY(settle_locked());  // a new timestamp would hide whether an intent became true
    trust::FolderTree tree(this->tree());
    if (!tree.exists(timestamp_path)) return upkeep;
    const auto files = TRY(FileLock::acquire(this->tree() + "/metadata/.lock", true));
    trust::Repository repository = TRY(trust::Repository::open(tree));
    trust::Resigned done = TRY(repository.resign_if_needed({key.get()}, now_s));
    upkeep.signed_again = std::move(done.roles);
    return upkeep;
}

}  // namespace skiff::server
