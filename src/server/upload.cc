#include "server/upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.h"
#include "base/hex.h"
#include "base/random.h"

namespace skiff::server {

namespace {

Error system_error(const char* doing) {
    const int reason = errno;
    const bool full = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
    return error(full ? Code::not_enough_space : Code::unavailable,
                 std::string(doing) + " the target failed: " + std::strerror(reason));
}

}  // namespace

Result<std::unique_ptr<Upload>> Upload::begin(const std::string& folder) {
    std::string path = folder + "/" + random_hex(16);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return system_error("creating");
    return std::unique_ptr<Upload>(new Upload(fd, std::move(path)));
}

Upload::~Upload() {
    if (fd_ >= 0) ::close(fd_);
    if (!path_.empty()) ::unlink(path_.c_str());
}

Status Upload::write(Bytes bytes) {
    hash_.update(bytes);
    size_ += bytes.size();
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("writing");
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
}

Status Upload::finish(const std::string& sha256, const std::string& root, const std::string& file) {
    if (to_hex(hash_.finish()) != sha256)
        return error(Code::hash_mismatch,
                     "the bytes are not those that the name says (send the file again)");
    if (::fsync(fd_) != 0) return system_error("syncing");
    const std::string folder = file.substr(0, file.rfind('/'));
    const bool fresh = !file_exists(folder);
    TRY(make_folders(folder));
    if (::rename(path_.c_str(), file.c_str()) != 0) return system_error("renaming");
    path_.clear();
    TRY(sync_folder(folder));
    // A new folder is there after a power cut when those that hold it were synced.
    std::string above = folder;
    while (fresh && above.size() > root.size()) {
        above.resize(above.rfind('/'));
        TRY(sync_folder(above));
    }
    return {};
}

}  // namespace skiff::server
