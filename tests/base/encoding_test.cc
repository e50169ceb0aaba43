#include <gtest/gtest.h>

#include "base/hex.h"
#include "base/random.h"
#include "base/sha256.h"

namespace skiff {

TEST(Hex, both_ways) {
    EXPECT_EQ(to_hex(as_bytes("\x01\xab\xff")), "01abff");
    EXPECT_EQ(as_text(*from_hex("4142")), "AB");
    EXPECT_FALSE(from_hex("abc").ok());
    EXPECT_FALSE(from_hex("zz").ok());
}

TEST(Base64, vectors_of_rfc_4648) {
    const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : cases) {
        EXPECT_EQ(to_base64(as_bytes(plain)), coded);
        EXPECT_EQ(as_text(*from_base64(coded)), plain);
    }
    for (const char* bad : {"Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm9v!A==", "Zg==Zg=="})
        EXPECT_FALSE(from_base64(bad).ok()) << bad;
}

TEST(Sha256, vectors_of_fips_180) {
    EXPECT_EQ(sha256_hex(as_bytes("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    Sha256 pieces;
    pieces.update(as_bytes("a"));
    pieces.update(as_bytes("bc"));
    EXPECT_EQ(pieces.finish(), sha256(as_bytes("abc")));
}

TEST(Random, uuid_has_the_form_of_version_4) {
    const std::string a = random_uuid(), b = random_uuid();
    EXPECT_NE(a, b);
    EXPECT_EQ(a.size(), 36u);
    EXPECT_EQ(a[14], '4');
    EXPECT_NE(std::string("89ab").find(a[19]), std::string::npos);
}

}  // namespace skiff
