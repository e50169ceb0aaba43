#include "trust/openssl_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

namespace skiff::trust {

namespace {

template <auto free_function>
struct Free {
    template <typename T>
    void operator()(T* object) const {
        free_function(object);
    }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

// OpenSSL leaves its errors in a queue of the thread; ours are reported by return values.
struct ClearErrors {
    ~ClearErrors() { ERR_clear_error(); }
};

Pkey pkey_of_pem(const std::string& pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return Pkey(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

std::string der_of(const Pkey& key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key.get(), &der);
    if (size <= 0) return {};
    std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return bytes;
}

bool verify(Bytes key_der, Bytes message, Bytes signature, bool pss) {
    const ClearErrors clear;
    const unsigned char* at = key_der.data();
    const Pkey key(d2i_PUBKEY(nullptr, &at, static_cast<long>(key_der.size())));
    const Context context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    if (!key || !context) return false;
    if (EVP_DigestVerifyInit(context.get(), &options, EVP_sha256(), nullptr, key.get()) != 1)
        return false;
    if (pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) != 1))
        return false;
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

}  // namespace

std::string p256_der_of_pem(const std::string& pem) {
    const ClearErrors clear;
    const Pkey key = pkey_of_pem(pem);
    char group[32] = {};
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) != 1 ||
        std::string_view(group) != "prime256v1")
        return {};
    return der_of(key);
}

std::string rsa_der_of_pem(const std::string& pem) {
    const ClearErrors clear;
    const Pkey key = pkey_of_pem(pem);
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return {};
    // The upper bound keeps a hostile key from buying minutes of our time.
    const int bits = EVP_PKEY_get_bits(key.get());
    if (bits < 2048 || bits > 16384) return {};
    return der_of(key);
}

bool verify_p256(Bytes key_der, Bytes message, Bytes signature) {
    return verify(key_der, message, signature, false);
}

bool verify_rsa_pss(Bytes key_der, Bytes message, Bytes signature) {
    return verify(key_der, message, signature, true);
}

}  // namespace skiff::trust
