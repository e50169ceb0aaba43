#include "trust/file_check.h"

#include <sodium.h>

#include "base/files.h"
#include "base/hex.h"

namespace skiff::trust {

namespace {
constexpr std::size_t shown_digits = 12;  // of a hash, for people
}

struct FileCheck::State {
    std::uint64_t length;
    Hashes hashes;
    std::uint64_t seen = 0;
    crypto_hash_sha256_state sha256;
    crypto_hash_sha512_state sha512;
};

FileCheck::FileCheck(std::uint64_t length, Hashes hashes) : state_(std::make_unique<State>()) {
    state_->length = length;
    state_->hashes = std::move(hashes);
    crypto_hash_sha256_init(&state_->sha256);
    crypto_hash_sha512_init(&state_->sha512);
}

FileCheck::~FileCheck() = default;
FileCheck::FileCheck(FileCheck&&) noexcept = default;
FileCheck& FileCheck::operator=(FileCheck&&) noexcept = default;

void FileCheck::update(Bytes bytes) {
    state_->seen += bytes.size();
    if (state_->hashes.contains("sha256"))
        crypto_hash_sha256_update(&state_->sha256, bytes.data(), bytes.size());
    if (state_->hashes.contains("sha512"))
        crypto_hash_sha512_update(&state_->sha512, bytes.data(), bytes.size());
}

Status FileCheck::finish(std::string_view what) {
    const std::string name(what);
    if (state_->seen != state_->length)
        return error(Code::hash_mismatch, name + " has " + std::to_string(state_->seen) +
                                              " bytes, its metadata says " +
                                              std::to_string(state_->length));
    std::uint8_t sha256[crypto_hash_sha256_BYTES];
    std::uint8_t sha512[crypto_hash_sha512_BYTES];
    crypto_hash_sha256_final(&state_->sha256, sha256);
    crypto_hash_sha512_final(&state_->sha512, sha512);
    int known = 0;
    for (const auto& [algorithm, hex] : state_->hashes) {
        if (algorithm != "sha256" && algorithm != "sha512") continue;
        ++known;
        const std::string found = algorithm == "sha256" ? to_hex(sha256) : to_hex(sha512);
        if (found != hex)
            return error(Code::hash_mismatch, name + " is not the file that was signed: its " +
                                                  algorithm + " is " +
                                                  found.substr(0, shown_digits) + "..., not " +
                                                  hex.substr(0, shown_digits) + "...");
    }
    if (known == 0)
        return error(Code::hash_mismatch, name + " is named by no hash we know (sha256, sha512)");
    return {};
}

Status check_bytes(std::string_view bytes, const Hashes& hashes, std::string_view what) {
    FileCheck check(bytes.size(), hashes);
    check.update(as_bytes(bytes));
    return check.finish(what);
}

Status check_file(const std::string& path, std::uint64_t length, const Hashes& hashes) {
    if (TRY(file_size(path)) != length)
        return error(Code::hash_mismatch, path + " has another length than its metadata says");
    const auto file = TRY(MappedFile::open(path));
    FileCheck check(length, hashes);
    check.update(file->bytes());
    return check.finish(path);
}

}  // namespace skiff::trust
