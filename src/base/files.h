// Files, whole and durable. Errors name the path and the system's reason; ENOSPC is
// Code::not_enough_space.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff {

Result<std::string> read_file(const std::string& path, std::size_t at_most = SIZE_MAX);
// Other readers see the old file or the new one, whole, also after a power cut: temporary beside
// it, fsync, rename, fsync of the folder.
Status write_file_durably(const std::string& path, Bytes bytes, int mode = 0644);
Status write_file(const std::string& path, Bytes bytes);  // plain, for outputs
Status make_folders(const std::string& path);             // parents too; fine if there
Status sync_folder(const std::string& path);
Status remove_file(const std::string& path);  // fine if absent
bool file_exists(const std::string& path);
Result<std::uint64_t> file_size(const std::string& path);
Result<std::vector<std::string>> list_folder(const std::string& path);  // names, sorted

// A file that arrives in pieces: it grows at its end, and what is there stays when the object goes.
// One thread.
class GrowingFile {
 public:
    static Result<std::unique_ptr<GrowingFile>> open(std::string path);  // made when absent
    ~GrowingFile();
    GrowingFile(const GrowingFile&) = delete;
    GrowingFile& operator=(const GrowingFile&) = delete;
    std::uint64_t size() const { return size_; }
    Status append(Bytes bytes);
    Status truncate();  // to nothing
    // Synced and under its new name, also after a power cut. Nothing can be appended any more.
    Status finish_as(const std::string& path);

 private:
    GrowingFile(std::string path, int fd, std::uint64_t size)
        : path_(std::move(path)), fd_(fd), size_(size) {}
    const std::string path_;
    int fd_;
    std::uint64_t size_;
};

// A read-only map of a whole file. An empty file maps to no bytes.
class MappedFile {
 public:
    static Result<std::unique_ptr<MappedFile>> open(const std::string& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    Bytes bytes() const { return bytes_; }

 private:
    explicit MappedFile(Bytes bytes) : bytes_(bytes) {}
    Bytes bytes_;
};

// An exclusive lock on a file, kept while the object lives; dies with the process.
class FileLock {
 public:
    // Code::unavailable (retry) when another holds it and `wait` is false.
    static Result<std::unique_ptr<FileLock>> acquire(const std::string& path, bool wait);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

 private:
    explicit FileLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace skiff
