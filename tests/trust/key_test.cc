#include "trust/key.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "tests/trust/support.h"

namespace skiff::trust {

namespace {

// A throw-away key pair of OpenSSL.
struct Pair {
    static constexpr int no_pss = -100;
    EVP_PKEY* key;
    explicit Pair(EVP_PKEY* key) : key(key) {}
    ~Pair() { EVP_PKEY_free(key); }
    Pair(const Pair&) = delete;

    std::string pem() const {
        BIO* bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PUBKEY(bio, key);
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio, &data);
        std::string text(data, static_cast<std::size_t>(size));
        BIO_free(bio);
        return text;
    }
    std::string sign(const std::string& message, int pss_salt = no_pss, bool sha512 = false) const {
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        EVP_PKEY_CTX* options = nullptr;
        EVP_DigestSignInit(context, &options, sha512 ? EVP_sha512() : EVP_sha256(), nullptr, key);
        if (pss_salt != no_pss) {
            EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, pss_salt);
        }
        std::vector<std::uint8_t> out(1024);
        std::size_t size = out.size();
        EVP_DigestSign(context, out.data(), &size,
                       reinterpret_cast<const unsigned char*>(message.data()), message.size());
        EVP_MD_CTX_free(context);
        return to_hex(Bytes(out).first(size));
    }
};

bool verifies(const PublicKey& key, const std::string& message, const std::string& hex) {
    return verify_signature(key, as_bytes(message), hex);
}

std::string broken(std::string hex) {
    hex[hex.size() / 2] = hex[hex.size() / 2] == '0' ? '1' : '0';
    return hex;
}

}  // namespace

TEST(Key, ed25519_gives_the_signatures_of_rfc_8032) {
    const struct {
        const char *seed, *point, *message, *signature;
    } cases[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "c"
         "f9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0"
         "f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    };
    for (const auto& c : cases) {
        FileSigner::Seed seed;
        const auto bytes = from_hex(c.seed).value();
        std::copy(bytes.begin(), bytes.end(), seed.begin());
        const auto signer = FileSigner::from_seed(seed);
        EXPECT_EQ(signer->public_key().text, c.point);
        const auto message = from_hex(c.message).value();
        EXPECT_EQ(signer->sign(message).value(), c.signature);
        EXPECT_TRUE(verify_signature(signer->public_key(), message, c.signature));
        EXPECT_FALSE(verify_signature(signer->public_key(), message, broken(c.signature)));
    }
}

TEST(Key, keyid_is_the_hash_of_the_canonical_key) {
    const PublicKey key = make_key("ed25519", "ed25519", std::string(64, 'a'));
    EXPECT_EQ(keyid_of(key),
              sha256_hex(as_bytes("{\"keytype\":\"ed25519\",\"keyval\":{\"public\":\"" +
                                  std::string(64, 'a') + "\"},\"scheme\":\"ed25519\"}")));
}

TEST(Key, ecdsa_p256_verifies_and_no_other_curve_does) {
    const Pair pair(EVP_EC_gen("P-256"));
    for (const char* keytype : {"ecdsa", "ecdsa-sha2-nistp256"}) {
        const PublicKey key = make_key(keytype, "ecdsa-sha2-nistp256", pair.pem());
        EXPECT_TRUE(verifies(key, "hello", pair.sign("hello")));
        EXPECT_FALSE(verifies(key, "hellO", pair.sign("hello")));
        EXPECT_FALSE(verifies(key, "hello", broken(pair.sign("hello"))));
        EXPECT_FALSE(verifies(key, "hello", pair.sign("hello", Pair::no_pss, true)));
        EXPECT_FALSE(verifies(key, "hello", ""));
        EXPECT_FALSE(verifies(key, "hello", "zz"));
    }
    for (const char* curve : {"P-384", "P-521", "secp256k1"}) {
        const Pair other(EVP_EC_gen(curve));
        const PublicKey key = make_key("ecdsa", "ecdsa-sha2-nistp256", other.pem());
        EXPECT_TRUE(key.material.empty()) << curve;
        EXPECT_FALSE(verifies(key, "hello", other.sign("hello"))) << curve;
    }
}

TEST(Key, rsa_pss_verifies_with_any_salt_and_refuses_the_rest) {
    const Pair pair(EVP_RSA_gen(2048));
    const PublicKey key = make_key("rsa", "rsassa-pss-sha256", pair.pem());
    for (const int salt : {0, 20, 32, RSA_PSS_SALTLEN_MAX})
        EXPECT_TRUE(verifies(key, "hello", pair.sign("hello", salt))) << salt;
    EXPECT_FALSE(verifies(key, "other", pair.sign("hello", 32)));
    EXPECT_FALSE(verifies(key, "hello", broken(pair.sign("hello", 32))));
    EXPECT_FALSE(verifies(key, "hello", pair.sign("hello"))) << "PKCS 1 v1.5 padding";
    EXPECT_FALSE(verifies(key, "hello", pair.sign("hello", 32, true))) << "SHA-512";
    const Pair small(EVP_RSA_gen(1024));
    const PublicKey weak = make_key("rsa", "rsassa-pss-sha256", small.pem());
    EXPECT_FALSE(verifies(weak, "hello", small.sign("hello", 32)));
}

TEST(Key, mixed_up_or_unknown_keys_never_verify) {
    const auto signer = test_signer(7);
    const std::string hex = signer->sign(as_bytes("hello")).value();
    const std::string point = signer->public_key().text;
    const Pair p256(EVP_EC_gen("P-256"));
    const struct {
        std::string type, scheme, text;
    } cases[] = {
        {"ed25519", "ed448", point},
        {"ed448", "ed25519", point},
        {"ed25519", "ed25519", point.substr(2)},
        {"ed25519", "ed25519", "not hex"},
        {"ed25519", "ed25519", ""},
        {"rsa", "rsassa-pss-sha256", p256.pem()},
        {"ecdsa", "ecdsa-sha2-nistp256", "-----BEGIN PUBLIC KEY-----\n"},
    };
    for (const auto& c : cases) {
        const PublicKey key = make_key(c.type, c.scheme, c.text);
        EXPECT_TRUE(key.material.empty()) << c.type << " " << c.scheme;
        EXPECT_FALSE(verifies(key, "hello", hex));
    }
}

class KeyFile : public testing::Test {
 protected:
    void SetUp() override {
        char name[] = "/tmp/skiff-key-XXXXXX";
        folder_ = ::mkdtemp(name);
        path_ = folder_ + "/online.key";
    }
    void TearDown() override { std::system(("rm -rf " + folder_).c_str()); }
    std::string folder_, path_;
};

TEST_F(KeyFile, comes_back_as_it_was_and_is_private) {
    const auto signer = FileSigner::generate();
    ASSERT_TRUE(signer->save(path_).ok());
    struct stat info;
    ASSERT_EQ(::stat(path_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    const auto loaded = FileSigner::load(path_);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ((*loaded)->keyid(), signer->keyid());
    EXPECT_EQ((*loaded)->sign(as_bytes("x")).value(), signer->sign(as_bytes("x")).value());
    EXPECT_EQ(code_of(signer->save(path_)), Code::already_exists);
}

TEST_F(KeyFile, that_others_may_read_is_refused) {
    ASSERT_TRUE(FileSigner::generate()->save(path_).ok());
    ::chmod(path_.c_str(), 0640);
    EXPECT_EQ(code_of(FileSigner::load(path_)), Code::permission_denied);
}

TEST_F(KeyFile, errors_never_show_the_secret) {
    const auto signer = FileSigner::generate();
    ASSERT_TRUE(signer->save(path_).ok());
    const std::string text = read_file(path_).value();
    const std::string seed = Json::parse(text)["keyval"]["private"];
    std::string other = text;
    other.replace(other.find(signer->public_key().text), 2, "zz");
    for (const std::string& bad : {text.substr(0, text.size() / 2), "[\"" + seed + "\"]",
                                   text + "x", other, std::string()}) {
        std::ofstream(path_, std::ios::trunc) << bad;
        const auto loaded = FileSigner::load(path_);
        ASSERT_EQ(code_of(loaded), Code::invalid_argument) << bad.size();
        EXPECT_EQ(loaded.error().message.find(seed.substr(0, 8)), std::string::npos);
    }
}

TEST(Key, generated_keys_differ) {
    EXPECT_NE(FileSigner::generate()->keyid(), FileSigner::generate()->keyid());
}

}  // namespace skiff::trust
