#include "base/sha256.h"

#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/hex.h"

namespace skiff {

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    State() { CHECK(context && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1); }
    ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(Bytes bytes) {
    CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::finish() {
    Sha256Digest digest;
    unsigned size = 0;
    CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &size) == 1 && size == digest.size());
    return digest;
}

Sha256Digest sha256(Bytes bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

std::string sha256_hex(Bytes bytes) {
    return to_hex(sha256(bytes));
}

Result<std::string> sha256_file_hex(const std::string& path) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                         std::fclose);
    if (!file) return error(Code::not_found, path + ": cannot be read: " + std::strerror(errno));
    Sha256 hash;
    std::vector<std::uint8_t> buffer(1 << 16);
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get()))
        hash.update(Bytes(buffer.data(), n));
    if (std::ferror(file.get()))
        return error(Code::data_loss, path + ": reading failed: " + std::strerror(errno));
    return to_hex(hash.finish());
}

}  // namespace skiff
