#include "device/store_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "base/files.h"

namespace skiff::device {

namespace {

Error system_error(const std::string& path, const char* doing) {
    const int reason = errno;
    const bool full = reason == ENOSPC || reason == EDQUOT;
    const Code code = reason == ENOENT ? Code::not_found
                      : full           ? Code::not_enough_space
                                       : Code::unavailable;
    return error(code, path + ": " + doing + " failed: " + std::strerror(reason));
}

// A flock that lives with the object.
class LockedFile {
 public:
    static Result<std::shared_ptr<const LockedFile>> open(const std::string& path, int operation) {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return system_error(path, "opening");
        std::shared_ptr<const LockedFile> file(new LockedFile(fd));
        while (::flock(fd, operation) != 0) {
            if (errno == EINTR) continue;
            if (errno == EWOULDBLOCK) return retryable(Code::unavailable, path + ": is in use");
            return system_error(path, "locking");
        }
        struct stat mine, there;
        if (::fstat(fd, &mine) != 0 || ::stat(path.c_str(), &there) != 0 ||
            mine.st_ino != there.st_ino || mine.st_dev != there.st_dev)
            return error(Code::not_found, path + ": was collected meanwhile");
        return file;
    }
    ~LockedFile() { ::close(fd_); }
    LockedFile(const LockedFile&) = delete;
    LockedFile& operator=(const LockedFile&) = delete;

 private:
    explicit LockedFile(int fd) : fd_(fd) {}
    const int fd_;
};

bool same_file(const std::string& a, const std::string& b) {
    struct stat first, second;
    return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
           first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

constexpr const char* lock_name = "/.lock";  // no published file is called so

// Without its lock file nobody can have leased it: a crash left it. The lock goes last.
Status remove_unless_leased(const std::string& folder) {
    const auto lock = LockedFile::open(folder + lock_name, LOCK_EX | LOCK_NB);
    if (!lock.ok() && lock.error().code == Code::unavailable) return {};
    for (const std::string& name : TRY(list_folder(folder)))
        if ("/" + name != lock_name) TRY(remove_file(folder + "/" + name));
    TRY(remove_file(folder + lock_name));
    // (Somebody may be making it anew this moment.)
    if (::rmdir(folder.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
        return system_error(folder, "removing");
    return {};
}

}  // namespace

std::string StoreFiles::blob(const std::string& sha256) const {
    return folder_ + "/blobs/sha256/" + sha256;
}

std::string StoreFiles::version_folder(const std::string& model,
                                       const InstalledVersion& version) const {
    return folder_ + "/versions/" + model + "/" + std::to_string(version.number) + "-" +
           version.sha256.substr(0, 12);
}

std::string StoreFiles::path(const std::string& model, const InstalledVersion& version,
                             std::size_t file) const {
    return version_folder(model, version) + "/" + version.files[file].name;
}

Status StoreFiles::make_folder(const std::string& model, const InstalledVersion& version) const {
    const std::string folder = version_folder(model, version), lock = folder + lock_name;
    TRY(make_folders(folder));
    const int fd = ::open(lock.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return system_error(lock, "making");
    ::close(fd);
    return {};
}

Status StoreFiles::link(const std::string& model, const InstalledVersion& version) const {
    const std::string folder = version_folder(model, version);
    TRY(make_folder(model, version));
    for (std::size_t i = 0; i < version.files.size(); ++i) {
        const std::string from = blob(version.files[i].sha256), to = path(model, version, i);
        if (same_file(from, to)) continue;
        // What was there is another copy, or rotten: the bytes that were just checked replace it.
        const std::string temporary = to + ".new";
        TRY(remove_file(temporary));
        if (::link(from.c_str(), temporary.c_str()) != 0) return system_error(from, "linking");
        if (::rename(temporary.c_str(), to.c_str()) != 0) return system_error(to, "renaming");
    }
    TRY(sync_folder(folder));
    TRY(sync_folder(folder_ + "/versions/" + model));
    return sync_folder(folder_ + "/versions");
}

Result<std::shared_ptr<const void>> StoreFiles::lease(const std::string& model,
                                                      const InstalledVersion& version) const {
    // Collection holds its lock for a moment only: waiting is short.
    std::shared_ptr<const void> held =
        TRY(LockedFile::open(version_folder(model, version) + lock_name, LOCK_SH));
    for (std::size_t i = 0; i < version.files.size(); ++i)
        if (!file_exists(path(model, version, i)))
            return error(Code::not_found, path(model, version, i) + ": is not there");
    return held;
}

Status StoreFiles::collect(Store& store, const std::vector<std::string>& wanted) const {
    TRY(collect_folders(store));
    return collect_blobs(store, wanted);
}

Status StoreFiles::collect_folders(Store& store) const {
    std::set<std::string> needed;
    for (const auto& [model, version] : TRY(store.installed()))
        needed.insert(version_folder(model, version));
    for (const std::string& model : TRY(list_folder(folder_ + "/versions"))) {
        const std::string folder = folder_ + "/versions/" + model;
        for (const std::string& version : TRY(list_folder(folder)))
            if (!needed.contains(folder + "/" + version))
                TRY(remove_unless_leased(folder + "/" + version));
        (void)::rmdir(folder.c_str());  // when nothing is left in it
    }
    return {};
}

Status StoreFiles::collect_blobs(Store& store, const std::vector<std::string>& wanted) const {
    std::set<std::string> needed(wanted.begin(), wanted.end());
    for (const auto& [model, version] : TRY(store.installed()))
        for (const InstalledFile& file : version.files) needed.insert(file.sha256);
    const std::string blobs = folder_ + "/blobs/sha256";
    for (const std::string& name : TRY(list_folder(blobs)))
        if (!needed.contains(name.substr(0, name.find('.'))))
            TRY(remove_file(blobs + "/" + name));  // a leased file keeps its link in its folder
    return {};
}

Result<std::uint64_t> StoreFiles::bytes_used() const {
    std::uint64_t total = 0;
    const std::string blobs = folder_ + "/blobs/sha256";
    for (const std::string& name : TRY(list_folder(blobs)))
        if (const auto size = file_size(blobs + "/" + name); size.ok()) total += *size;
    return total;
}

}  // namespace skiff::device
