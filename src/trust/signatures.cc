#include "trust/signatures.h"

#include <algorithm>
#include <set>

#include "base/hex.h"

namespace skiff::trust {

std::int64_t count_signatures(const Envelope& file, const Keys& keys, const RoleKeys& role) {
    std::set<std::string> signers;
    for (const Signature& signature : file.signatures) {
        const auto key = keys.find(signature.keyid);
        if (key == keys.end()) continue;
        if (std::find(role.keyids.begin(), role.keyids.end(), signature.keyid) == role.keyids.end())
            continue;
        if (verify_signature(key->second, as_bytes(file.message), signature.hex))
            signers.insert(key->second.material);
    }
    return static_cast<std::int64_t>(signers.size());
}

Status check_signatures(const Envelope& file, const Keys& keys, const RoleKeys& role,
                        std::string_view what) {
    const std::int64_t count = count_signatures(file, keys, role);
    if (count >= role.threshold) return {};
    return error(Code::bad_signature, std::string(what) + " is signed by " + std::to_string(count) +
                                          " of the " + std::to_string(role.threshold) +
                                          " keys it needs");
}

}  // namespace skiff::trust
