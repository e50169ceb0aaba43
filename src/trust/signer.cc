#include "trust/signer.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"

namespace skiff::trust {

namespace {

struct Wipe {
    std::string& text;
    ~Wipe() { sodium_memzero(text.data(), text.size()); }
};

}  // namespace

std::unique_ptr<FileSigner> FileSigner::from_seed(const Seed& seed) {
    std::unique_ptr<FileSigner> signer(new FileSigner);
    std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> point;
    CHECK(crypto_sign_seed_keypair(point.data(), signer->secret_.data(), seed.data()) == 0);
    signer->public_key_ = make_key("ed25519", "ed25519", to_hex(point));
    return signer;
}

std::unique_ptr<FileSigner> FileSigner::generate() {
    CHECK(sodium_init() >= 0);  // chooses the system's generator; repeated calls do nothing
    Seed seed;
    randombytes_buf(seed.data(), seed.size());
    auto signer = from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    return signer;
}

Result<std::unique_ptr<FileSigner>> FileSigner::load(const std::string& path) {
    struct stat info;
    if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
        return error(Code::permission_denied,
                     path + ": others may read this private key (chmod 600 it)");
    std::string text = TRY(read_file(path, 4096));
    const Wipe wipe{text};
    // The parser's own message may quote the text, and the text is a secret.
    const Error bad = error(Code::invalid_argument, path + ": is not a Skiff key file");
    auto tree = parse_json(text, "key file");
    if (!tree.ok() || !tree->is_object()) return bad;
    auto keytype = json_string(*tree, "keytype", "key file");
    auto keyval = json_object(*tree, "keyval", "key file");
    if (!keytype.ok() || *keytype != "ed25519" || !keyval.ok()) return bad;
    auto seed_text = json_string(**keyval, "private", "key file");
    auto public_text = json_string(**keyval, "public", "key file");
    if (!seed_text.ok() || !public_text.ok()) return bad;
    const Wipe wipe_seed{*seed_text};
    const Wipe wipe_tree{(*tree)["keyval"]["private"].get_ref<std::string&>()};
    auto bytes = from_hex(*seed_text);
    Seed seed;
    if (!bytes.ok() || bytes->size() != seed.size()) return bad;
    std::copy(bytes->begin(), bytes->end(), seed.begin());
    sodium_memzero(bytes->data(), bytes->size());
    auto signer = from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    if (signer->public_key_.text != *public_text) return bad;
    return signer;
}

Status FileSigner::save(const std::string& path) const {
    if (file_exists(path)) return error(Code::already_exists, path + ": a key is there already");
    Json tree = key_json(public_key_);
    std::string seed = to_hex(Bytes(secret_).first(32));
    const Wipe wipe_seed{seed};
    tree["keyval"]["private"] = seed;
    const Wipe wipe_tree{tree["keyval"]["private"].get_ref<std::string&>()};
    std::string text = json_text_pretty(tree) + "\n";
    const Wipe wipe{text};
    return write_file_durably(path, as_bytes(text), 0600);
}

FileSigner::~FileSigner() {
    sodium_memzero(secret_.data(), secret_.size());
}

Result<std::string> FileSigner::sign(Bytes message) const {
    std::array<std::uint8_t, crypto_sign_BYTES> signature;
    CHECK(crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                               secret_.data()) == 0);
    return to_hex(signature);
}

}  // namespace skiff::trust
