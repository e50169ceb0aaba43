#include <chrono>
#include <ctime>
#include <thread>

#include "base/files.h"
#include "base/hex.h"
#include "publish/audit.h"
#include "publish/home.h"
#include "publish/left_files.h"
#include "trust/date_time.h"
#include "trust/metadata.h"

namespace skiff::publish {

namespace {

constexpr const char* timestamp_path = "metadata/timestamp.json";

// Nobody's path leads out of the folder.
Status check_path(const std::string& path) {
    const bool inside = path.starts_with("metadata/") || path.starts_with("targets/");
    if (inside && path.find("/.") == path.npos && path.find('\0') == path.npos) return {};
    return error(Code::invalid_argument, "\"" + path + "\" is no path of a repository");
}

class FolderHome final : public Home {
 public:
    FolderHome(std::string folder, std::string audit_file, std::string who)
        : folder_(std::move(folder)),
          audit_file_(std::move(audit_file)),
          who_(std::move(who)),
          tree_(folder_) {}

    std::string describe() const override { return folder_; }

    Result<std::int64_t> version() override {
        const auto bytes = tree_.read(timestamp_path);
        if (!bytes.ok() && bytes.error().code == Code::not_found) return std::int64_t{0};
        if (!bytes.ok()) return bytes.error();
        return TRY(trust::parse_timestamp(*bytes, folder_ + "/" + timestamp_path)).version;
    }

    Result<std::string> read(const std::string& path) override {
        TRY(check_path(path));
        return tree_.read(path);
    }

    Result<bool> exists(const std::string& path) override {
        TRY(check_path(path));
        return tree_.exists(path);
    }

    Status put_target(const std::string& path, Bytes bytes) override {
        TRY(check_target_file(path, bytes));
        if (tree_.exists(path)) return {};  // written whole or not at all
        remove_left_files(folder_ + "/" + path.substr(0, path.rfind('/')));
        return tree_.write(path, bytes);
    }

    // Somebody who stopped half way, or holds it for long, is not waited for.
    std::shared_ptr<void> turn() override {
        for (int waited = 0; waited < 100; ++waited) {
            auto lock = FileLock::acquire(folder_ + "/metadata/.turn", false);
            if (lock.ok()) return std::shared_ptr<FileLock>(std::move(lock).value());
            if (lock.error().code != Code::unavailable) return nullptr;  // no folder yet, say
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return nullptr;
    }

    Status take(const Publication& publication) override {
        for (const MetadataFile& file : publication.files) TRY(check_path(file.path));
        TRY(make_folders(folder_ + "/metadata"));
        const auto lock = TRY(FileLock::acquire(folder_ + "/metadata/.lock", true));
        const std::int64_t now = TRY(version());
        if (now != publication.base)
            return retryable(Code::aborted, folder_ +
                                                ": somebody else published meanwhile "
                                                "(read it again and repeat the change)");
        remove_left_files(folder_ + "/metadata");
        std::vector<std::string> made;
        Status written = write(publication, made);
        if (!written.ok())
            for (const std::string& path : made) (void)remove_file(folder_ + "/" + path);
        return written;
    }

 private:
    // `made`: what was not there before, as long as no reader can have seen it.
    Status write(const Publication& publication, std::vector<std::string>& made) {
        for (const MetadataFile& file : publication.files) {
            if (file.path == timestamp_path) {
                TRY(switch_over(publication, file));
                made.clear();
                continue;
            }
            if (!tree_.exists(file.path)) made.push_back(file.path);
            TRY(tree_.write(file.path, as_bytes(file.bytes)));
        }
        return {};
    }

    // The audit first: a line too much says less wrong than a change that nobody answers for.
    Status switch_over(const Publication& publication, const MetadataFile& timestamp) {
        if (audit_file_.empty() || publication.audit.empty())
            return tree_.write(timestamp.path, as_bytes(timestamp.bytes));
        const auto next = TRY(trust::parse_timestamp(timestamp.bytes, timestamp_path));
        std::vector<AuditEntry> entries;
        for (const AuditNote& note : publication.audit)
            entries.push_back(
                {trust::date_time_text(std::time(nullptr)), who_, next.version, note});
        const std::uint64_t size = TRY(append_audit(audit_file_, entries));
        Status written = tree_.write(timestamp.path, as_bytes(timestamp.bytes));
        if (!written.ok()) (void)take_back_audit(audit_file_, size);
        return written;
    }

    const std::string folder_, audit_file_, who_;
    trust::FolderTree tree_;
};

}  // namespace

std::unique_ptr<Home> folder_home(const std::string& folder, const std::string& audit_file,
                                  const std::string& who) {
    return std::make_unique<FolderHome>(folder, audit_file, who);
}

}  // namespace skiff::publish
