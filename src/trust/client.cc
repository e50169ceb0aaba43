#include "trust/client.h"

#include <algorithm>

#include "base/files.h"
#include "base/hex.h"
#include "base/sha256.h"

namespace skiff::trust {

Client::Client(Fetcher& metadata, Store& store, Options options)
    : metadata_(metadata), store_(store), options_(std::move(options)) {}

Client::~Client() = default;

Status Client::load_root() {
    auto stored = store_.read("root.json");
    if (stored.ok()) return trusted_.load_root(*stored);
    if (stored.error().code != Code::not_found) return stored.take_error();
    if (options_.pinned_root.empty())
        return error(Code::not_found, "no trusted root.json (a client starts from a pinned root)");
    TRY(trusted_.load_root(options_.pinned_root));
    return store_.write("root.json", options_.pinned_root);
}

// Everything is read again each time: another process may have gone further since. A stored file
// that does not verify is as good as none: keys were rotated, or the disk failed.
Status Client::load() {
    refreshed_ = false;
    trusted_ = TrustedSet(std::max(options_.clock(), options_.earliest_time_s));
    TRY(load_root());
    timestamp_bytes_.clear();
    timestamp_etag_.clear();
    const auto timestamp = store_.read("timestamp.json");
    if (timestamp.ok() && trusted_.restore_timestamp(*timestamp).ok()) {
        timestamp_bytes_ = *timestamp;
        // "<sha256 of the timestamp.json it came with> <etag>": a tag never outlives its file.
        const auto tag = store_.read("timestamp.etag");
        const std::string prefix = sha256_hex(as_bytes(timestamp_bytes_)) + " ";
        if (tag.ok() && tag->starts_with(prefix)) timestamp_etag_ = tag->substr(prefix.size());
    }
    const auto snapshot = store_.read("snapshot.json");
    if (snapshot.ok()) (void)trusted_.restore_snapshot(*snapshot);
    return {};
}

Result<bool> Client::refresh(RefreshMode mode) {
    TRY(load());
    const std::int64_t snapshot_before = trusted_.snapshot() ? trusted_.snapshot()->version : 0;
    TRY(update_timestamp(mode));
    TRY(update_snapshot());
    TRY(load_top_targets(Source::repository));
    refreshed_ = true;
    return trusted_.snapshot()->version != snapshot_before;
}

Result<Fetched> Client::fetch(const std::string& name, std::optional<std::int64_t> version,
                              std::uint64_t max_bytes) {
    const std::string path =
        (version ? std::to_string(*version) + "." : std::string()) + quote(name) + ".json";
    Fetched reply = TRY(metadata_.get(path, max_bytes, ""));
    if (reply.bytes.size() > max_bytes)
        return error(Code::resource_exhausted,
                     path + " is larger than " + std::to_string(max_bytes) + " bytes");
    if (reply.kind == Fetched::Kind::not_modified)
        return error(Code::unavailable, path + ": the server answered 304 to a plain request");
    return reply;
}

Status Client::update_root_chain() {
    for (int i = 0; i < max_new_roots; ++i) {
        const Fetched reply = TRY(fetch("root", trusted_.root().version + 1, max_root_bytes));
        if (reply.kind == Fetched::Kind::not_found) break;
        const Root before = trusted_.root();
        TRY(trusted_.update_root(reply.bytes));
        // Forgotten before the new root is stored: whatever moment the power fails, an old root
        // with forgotten files only fetches them again, while a new root with the old files could
        // stay stuck behind a stolen key's versions.
        if (online_keys_rotated(before, trusted_.root())) {
            trusted_.forget_timestamp_and_snapshot();
            timestamp_bytes_.clear();
            timestamp_etag_.clear();
            TRY(store_.remove("timestamp.json"));
            TRY(store_.remove("snapshot.json"));
        }
        TRY(store_.write("root.json", reply.bytes));
    }
    return trusted_.root_is_fresh();
}

Result<Fetched> Client::fetch_timestamp() {
    const std::string etag = trusted_.timestamp() ? timestamp_etag_ : std::string();
    Fetched reply = TRY(metadata_.get("timestamp.json", max_timestamp_bytes, etag));
    if (reply.bytes.size() > max_timestamp_bytes)
        return error(Code::resource_exhausted, "timestamp.json is larger than " +
                                                   std::to_string(max_timestamp_bytes) + " bytes");
    if (reply.kind == Fetched::Kind::not_found)
        return retryable(
            Code::unavailable,
            "there is no timestamp.json: nothing is published there yet, or the URL is "
            "another thing's");
    if (reply.kind == Fetched::Kind::not_modified && etag.empty())
        return error(Code::unavailable,
                     "timestamp.json: the server answered 304 to a plain request");
    return reply;
}

Status Client::update_timestamp(RefreshMode mode) {
    if (mode == RefreshMode::full) {
        TRY(update_root_chain());
        return accept_timestamp(TRY(fetch_timestamp()));
    }
    const Fetched reply = TRY(fetch_timestamp());
    const bool same = reply.kind == Fetched::Kind::not_modified ||
                      (trusted_.timestamp() && reply.bytes == timestamp_bytes_);
    if (same && trusted_.root_is_fresh().ok()) return accept_timestamp(reply);
    TRY(update_root_chain());
    if (reply.kind == Fetched::Kind::not_modified && !trusted_.timestamp())
        return accept_timestamp(TRY(fetch_timestamp()));
    auto accepted = accept_timestamp(reply);
    // The keys may have been rotated between the two requests.
    if (!accepted.ok() && accepted.error().code == Code::bad_signature)
        return accept_timestamp(TRY(fetch_timestamp()));
    return accepted;
}

Status Client::accept_timestamp(const Fetched& reply) {
    if (reply.kind == Fetched::Kind::file) {
        if (TRY(trusted_.update_timestamp(reply.bytes))) {
            TRY(store_.write("timestamp.json", reply.bytes));
            timestamp_bytes_ = reply.bytes;
            timestamp_etag_.clear();
        }
        // Equal versions keep the trusted bytes, and only those bytes' own tag may be asked about
        // again.
        if (reply.bytes == timestamp_bytes_ && reply.etag != timestamp_etag_) {
            timestamp_etag_ = reply.etag;
            TRY(store_.write("timestamp.etag",
                             sha256_hex(as_bytes(timestamp_bytes_)) + " " + reply.etag));
        }
    }
    return trusted_.timestamp_is_fresh();
}

Status Client::update_snapshot() {
    if (trusted_.snapshot()) {
        const auto stored = store_.read("snapshot.json");
        if (stored.ok() && trusted_.snapshot_is_current(*stored)) return {};
    }
    const FileMeta& meta = trusted_.timestamp()->snapshot;
    const Fetched reply =
        TRY(fetch("snapshot",
                  trusted_.root().consistent_snapshot ? std::optional(meta.version) : std::nullopt,
                  meta.length.value_or(max_snapshot_bytes)));
    if (reply.kind == Fetched::Kind::not_found)
        return retryable(Code::unavailable, "the repository lacks the snapshot.json it names");
    TRY(trusted_.update_snapshot(reply.bytes));
    return store_.write("snapshot.json", reply.bytes);
}

Result<Client::Role> Client::load_top_targets(Source source) {
    return load_role("targets", trusted_.root().keys, trusted_.root().roles.at("targets"), source);
}

Result<Client::Role> Client::load_role(const std::string& name, const Keys& keys,
                                       const RoleKeys& role, Source source) {
    const std::string file = quote(name) + ".json";
    const auto stored = store_.read(file);
    if (source == Source::store) {
        if (!stored.ok()) return stored.error();
        return trusted_.recheck_targets(*stored, name, keys, role);
    }
    // A stored role counts only under the keys of whoever delegates to it now, not of whoever did
    // when it was stored.
    if (stored.ok()) {
        auto checked = trusted_.check_targets(*stored, name, keys, role);
        if (checked.ok()) return checked;
    }
    const FileMeta meta = TRY(trusted_.meta_of(name));
    const Fetched reply = TRY(fetch(
        name, trusted_.root().consistent_snapshot ? std::optional(meta.version) : std::nullopt,
        meta.length.value_or(max_targets_bytes)));
    if (reply.kind == Fetched::Kind::not_found)
        return retryable(Code::unavailable, "the repository lacks the " + file + " it names");
    auto checked = TRY(trusted_.check_targets(reply.bytes, name, keys, role));
    TRY(store_.write(file, reply.bytes));
    return checked;
}

std::optional<Staleness> Client::staleness() const {
    if (refreshed_) return std::nullopt;
    return trusted_.refused() ? trusted_.refused() : trusted_.staleness();
}

std::int64_t Client::signed_at_s() const {
    return trusted_.timestamp() ? trusted_.timestamp()->signed_at_s : 0;
}

Status Client::download(const TargetInfo& target, Fetcher& targets, const std::string& file) {
    if (check_file(file, target.length, target.hashes).ok()) return {};
    const Fetched reply = TRY(targets.get(target.url_path, target.length, ""));
    if (reply.kind != Fetched::Kind::file)
        return retryable(Code::unavailable, "the repository lacks the file of " + target.path);
    FileCheck check(target.length, target.hashes);
    check.update(as_bytes(reply.bytes));
    TRY(check.finish(target.path));
    return write_file_durably(file, as_bytes(reply.bytes));
}

}  // namespace skiff::trust
