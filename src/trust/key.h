// Public keys and signatures: ed25519, ECDSA on P-256 with SHA-256, RSASSA-PSS with SHA-256.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace skiff::trust {

struct PublicKey {
    std::string keytype;  // "ed25519", "ecdsa" or "ecdsa-sha2-nistp256", "rsa"
    std::string scheme;   // "ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256"
    std::string text;     // as written in metadata: 64 hex digits, or PEM
    // ed25519: 32 bytes; else the DER form of the PEM. Equal material is the same key, whatever its
    // keyid. Empty: a key that we cannot use (unknown type or scheme, broken text, RSA under 2048
    // bits); it may be listed, and never verifies anything.
    std::string material;
};

using Keys = std::map<std::string, PublicKey>;  // by keyid, as given

PublicKey make_key(std::string keytype, std::string scheme, std::string text);
// A key object of metadata; members we do not know are ignored here (they stay part of what is
// signed).
Result<PublicKey> parse_key(const Json& object, std::string_view what);
Json key_json(const PublicKey& key);
// sha256 of the canonical key object, in hex. What we write; foreign keyids are taken as they come.
std::string keyid_of(const PublicKey& key);

bool verify_signature(const PublicKey& key, Bytes message, std::string_view signature_hex);

}  // namespace skiff::trust
