// Small zip archives, as metadata tools append them to a model: files by name, written plainly.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::model {

class ZipArchive {
 public:
    static constexpr std::size_t largest_file_bytes = std::size_t{64} << 20;

    // Looks for an archive that ends where `file` ends; the bytes before it are skipped. No entries
    // when there is none. Reads in place: `file` must outlive it. Code::invalid_argument when the
    // directory is broken.
    static Result<ZipArchive> open(Bytes file);

    std::vector<std::string> names() const;
    bool has(std::string_view name) const { return find(name) != nullptr; }
    // Stored and deflated files up to 64 MB, whose checksum is right.
    Result<std::string> read(std::string_view name) const;

 private:
    struct Entry {
        std::string_view name;
        std::uint16_t flags, method;
        std::uint32_t crc, compressed_size, size;
        std::size_t header_at;  // of the local header in file_
    };
    const Entry* find(std::string_view name) const;
    Result<Bytes> stored_bytes(const Entry& entry) const;

    Bytes file_;
    std::vector<Entry> entries_;
};

struct ZipFile {
    std::string name;
    std::string content;
};
// An archive to append to `preceding_bytes` bytes. Not compressed, no times: the same files give
// the same bytes. Names and contents are below 64 KB and 64 MB.
std::vector<std::uint8_t> write_zip(const std::vector<ZipFile>& files, std::size_t preceding_bytes);

}  // namespace skiff::model
