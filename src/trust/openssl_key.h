// The two kinds of signature that OpenSSL verifies for us. Any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace skiff::trust {

// SubjectPublicKeyInfo in DER; empty when the text is no such key (another curve, RSA not of 2048
// to 16384 bits).
std::string p256_der_of_pem(const std::string& pem);
std::string rsa_der_of_pem(const std::string& pem);

bool verify_p256(Bytes key_der, Bytes message, Bytes signature);     // signature: DER, SHA-256
bool verify_rsa_pss(Bytes key_der, Bytes message, Bytes signature);  // SHA-256, any salt length

}  // namespace skiff::trust
