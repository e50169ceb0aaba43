#include "trust/key.h"

#include <sodium.h>

#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "base/sha256.h"
#include "trust/canonical.h"
#include "trust/openssl_key.h"

namespace skiff::trust {

namespace {

bool is_ed25519(const PublicKey& key) {
    return key.keytype == "ed25519" && key.scheme == "ed25519";
}

bool is_ecdsa(const PublicKey& key) {
    return (key.keytype == "ecdsa" || key.keytype == "ecdsa-sha2-nistp256") &&
           key.scheme == "ecdsa-sha2-nistp256";
}

bool is_rsa(const PublicKey& key) {
    return key.keytype == "rsa" && key.scheme == "rsassa-pss-sha256";
}

}  // namespace

PublicKey make_key(std::string keytype, std::string scheme, std::string text) {
    PublicKey key{std::move(keytype), std::move(scheme), std::move(text), {}};
    if (is_ed25519(key)) {
        auto bytes = from_hex(key.text);
        if (bytes.ok() && bytes->size() == crypto_sign_PUBLICKEYBYTES)
            key.material = as_text(*bytes);
    } else if (is_ecdsa(key)) {
        key.material = p256_der_of_pem(key.text);
    } else if (is_rsa(key)) {
        key.material = rsa_der_of_pem(key.text);
    }
    return key;
}

Result<PublicKey> parse_key(const Json& object, std::string_view what) {
    std::string keytype = TRY(json_string(object, "keytype", what));
    std::string scheme = TRY(json_string(object, "scheme", what));
    const Json* keyval = TRY(json_object(object, "keyval", what));
    const auto text = keyval->find("public");
    const bool has_text = text != keyval->end() && text->is_string();
    return make_key(std::move(keytype), std::move(scheme),
                    has_text ? text->get<std::string>() : std::string());
}

Json key_json(const PublicKey& key) {
    return {{"keytype", key.keytype}, {"scheme", key.scheme}, {"keyval", {{"public", key.text}}}};
}

std::string keyid_of(const PublicKey& key) {
    return sha256_hex(as_bytes(canonical_json(key_json(key)).value()));
}

bool verify_signature(const PublicKey& key, Bytes message, std::string_view signature_hex) {
    if (key.material.empty()) return false;
    const auto signature = from_hex(signature_hex);
    if (!signature.ok()) return false;
    if (is_ed25519(key))
        return signature->size() == crypto_sign_BYTES &&
               crypto_sign_verify_detached(signature->data(), message.data(), message.size(),
                                           as_bytes(key.material).data()) == 0;
    if (is_ecdsa(key)) return verify_p256(as_bytes(key.material), message, *signature);
    return is_rsa(key) && verify_rsa_pss(as_bytes(key.material), message, *signature);
}

}  // namespace skiff::trust
