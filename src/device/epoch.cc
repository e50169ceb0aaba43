#include "device/epoch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace skiff::device {

namespace {

constexpr std::size_t file_bytes = 4096;

Error cannot(const std::string& path, const char* doing) {
    return error(errno == ENOSPC ? Code::not_enough_space : Code::unavailable,
                 path + ": " + doing + " failed: " + std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<Epoch>> Epoch::open(const std::string& path) {
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return cannot(path, "opening");
    struct stat info;
    void* at = MAP_FAILED;
    // Growing is the same for whoever does it first: new bytes are zero, old ones stay. A hole
    // would end the process when it is written on a full disk. (posix_fallocate sets no errno.)
    if (::fstat(fd, &info) == 0 && (info.st_size >= static_cast<off_t>(file_bytes) ||
                                    (errno = ::posix_fallocate(fd, 0, file_bytes)) == 0))
        at = ::mmap(nullptr, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const Error failed = cannot(path, "mapping");
    ::close(fd);
    if (at == MAP_FAILED) return failed;
    return std::unique_ptr<Epoch>(new Epoch(static_cast<std::atomic<std::uint64_t>*>(at)));
}

std::unique_ptr<Epoch> Epoch::constant() {
    return std::unique_ptr<Epoch>(new Epoch(nullptr));
}

Epoch::~Epoch() {
    if (value_ != &own_) ::munmap(static_cast<void*>(value_), file_bytes);
}

void Epoch::turn_back(std::uint64_t seen, std::uint64_t changes) {
    value_->compare_exchange_strong(seen, changes, std::memory_order_acq_rel);
}

void Epoch::raise_to(std::uint64_t changes) {
    std::uint64_t seen = value_->load(std::memory_order_relaxed);
    while (seen < changes &&
           !value_->compare_exchange_weak(seen, changes, std::memory_order_acq_rel)) {
    }
}

}  // namespace skiff::device
