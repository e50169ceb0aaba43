// Who can sign. A signer may be a file beside us or a key on another machine: the repository only
// sees this interface.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "trust/key.h"

namespace skiff::trust {

// Any thread.
class Signer {
 public:
    virtual ~Signer() = default;
    virtual const PublicKey& public_key() const = 0;
    virtual Result<std::string> sign(Bytes message) const = 0;  // hex
    std::string keyid() const { return keyid_of(public_key()); }
};

// An ed25519 key kept as a file (docs/formats/trust.md) with mode 0600. Its secret is wiped from
// memory with the object and is never part of a message.
class FileSigner final : public Signer {
 public:
    using Seed = std::array<std::uint8_t, 32>;

    static std::unique_ptr<FileSigner> generate();
    static std::unique_ptr<FileSigner> from_seed(const Seed& seed);
    // Code::permission_denied when group or others may read the file, invalid_argument when it is
    // no key file.
    static Result<std::unique_ptr<FileSigner>> load(const std::string& path);
    Status save(const std::string& path) const;  // Code::already_exists: never overwrites a key

    ~FileSigner() override;
    FileSigner(const FileSigner&) = delete;
    FileSigner& operator=(const FileSigner&) = delete;

    const PublicKey& public_key() const override { return public_key_; }
    Result<std::string> sign(Bytes message) const override;

 private:
    FileSigner() = default;
    PublicKey public_key_;
    std::array<std::uint8_t, 64> secret_{};  // libsodium's form: seed, then public key
};

}  // namespace skiff::trust
