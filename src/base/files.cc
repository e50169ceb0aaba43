#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace skiff {

namespace {

Error system_error(const std::string& path, const char* doing) {
    const int reason = errno;
    Code code = Code::unavailable;
    if (reason == ENOENT || reason == ENOTDIR) code = Code::not_found;
    if (reason == EACCES || reason == EPERM || reason == EROFS) code = Code::permission_denied;
    if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) code = Code::not_enough_space;
    return error(code, path + ": " + doing + " failed: " + std::strerror(reason));
}

class Descriptor {
 public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }

 private:
    int fd_;
};

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, const std::string& path, Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(path, "writing");
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t at_most) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return system_error(path, "opening");
    std::string text;
    char buffer[1 << 16];
    for (;;) {
        const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(path, "reading");
        if (n == 0) return text;
        if (text.size() + static_cast<std::size_t>(n) > at_most)
            return error(Code::resource_exhausted,
                         path + ": is larger than " + std::to_string(at_most) + " bytes");
        text.append(buffer, static_cast<std::size_t>(n));
    }
}

Status write_file_durably(const std::string& path, Bytes bytes, int mode) {
    static std::atomic<unsigned> counter{0};
    const std::string temporary =
        path + ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
    const auto write = [&]() -> Status {
        Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
        if (!file.valid()) return system_error(path, "creating");
        TRY(write_all(file.get(), path, bytes));
        if (::fsync(file.get()) != 0) return system_error(path, "syncing");
        if (::close(file.release()) != 0) return system_error(path, "closing");
        if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error(path, "renaming");
        return sync_folder(parent_of(path));
    };
    Status written = write();
    if (!written.ok()) ::unlink(temporary.c_str());
    return written;
}

Status write_file(const std::string& path, Bytes bytes) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.valid()) return system_error(path, "creating");
    TRY(write_all(file.get(), path, bytes));
    if (::close(file.release()) != 0) return system_error(path, "closing");
    return {};
}

Status make_folders(const std::string& path) {
    for (std::size_t end = 1; end <= path.size(); ++end) {
        if (end != path.size() && path[end] != '/') continue;
        const std::string part = path.substr(0, end);
        if (::mkdir(part.c_str(), 0755) == 0 || errno == EEXIST || errno == EISDIR) continue;
        if (struct stat info; ::stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
        return system_error(part, "making the folder");
    }
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return system_error(path, "making the folder");
    if (!S_ISDIR(info.st_mode))
        return error(Code::already_exists, path + ": is a file, not a folder");
    return {};
}

Status sync_folder(const std::string& path) {
    Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.valid()) return system_error(path, "opening the folder");
    // Some filesystems cannot sync a folder; they say EINVAL and there is nothing more to do.
    if (::fsync(folder.get()) != 0 && errno != EINVAL)
        return system_error(path, "syncing the folder");
    return {};
}

Status remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(path, "removing");
    return {};
}

bool file_exists(const std::string& path) {
    struct stat info;
    return ::stat(path.c_str(), &info) == 0;
}

Result<std::uint64_t> file_size(const std::string& path) {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return system_error(path, "looking at");
    return static_cast<std::uint64_t>(info.st_size);
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
    std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (!folder) return system_error(path, "listing");
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(folder.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<std::unique_ptr<GrowingFile>> GrowingFile::open(std::string path) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (!file.valid()) return system_error(path, "opening");
    struct stat info;
    if (::fstat(file.get(), &info) != 0) return system_error(path, "looking at");
    return std::unique_ptr<GrowingFile>(
        new GrowingFile(std::move(path), file.release(), static_cast<std::uint64_t>(info.st_size)));
}

GrowingFile::~GrowingFile() {
    if (fd_ >= 0) ::close(fd_);
}

Status GrowingFile::append(Bytes bytes) {
    Status written = write_all(fd_, path_, bytes);
    if (written.ok()) {
        size_ += bytes.size();
    } else if (struct stat info; ::fstat(fd_, &info) == 0) {
        size_ = static_cast<std::uint64_t>(info.st_size);  // a part of them may be there
    }
    return written;
}

Status GrowingFile::truncate() {
    if (::ftruncate(fd_, 0) != 0) return system_error(path_, "emptying");
    size_ = 0;
    return {};
}

Status GrowingFile::finish_as(const std::string& path) {
    if (::fsync(fd_) != 0) return system_error(path_, "syncing");
    if (::close(std::exchange(fd_, -1)) != 0) return system_error(path_, "closing");
    if (::rename(path_.c_str(), path.c_str()) != 0) return system_error(path, "renaming");
    return sync_folder(parent_of(path));
}

Result<std::unique_ptr<MappedFile>> MappedFile::open(const std::string& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return system_error(path, "opening");
    struct stat info;
    if (::fstat(file.get(), &info) != 0) return system_error(path, "looking at");
    if (!S_ISREG(info.st_mode)) return error(Code::invalid_argument, path + ": is not a file");
    const auto size = static_cast<std::size_t>(info.st_size);
    if (size == 0) return std::unique_ptr<MappedFile>(new MappedFile({}));
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (at == MAP_FAILED) return system_error(path, "mapping");
    return std::unique_ptr<MappedFile>(
        new MappedFile(Bytes(static_cast<const std::uint8_t*>(at), size)));
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

Result<std::unique_ptr<FileLock>> FileLock::acquire(const std::string& path, bool wait) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!file.valid()) return system_error(path, "opening");
    while (::flock(file.get(), LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK)
            return retryable(Code::unavailable, path + ": is locked by another process");
        return system_error(path, "locking");
    }
    return std::unique_ptr<FileLock>(new FileLock(file.release()));
}

FileLock::~FileLock() {
    ::close(fd_);
}

}  // namespace skiff
