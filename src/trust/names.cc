// Matching of target paths, and names that are safe in URLs and file systems.
#include <algorithm>

#include "base/hex.h"
#include "base/sha256.h"
#include "trust/metadata.h"

namespace skiff::trust {

// Backtracking to the last star is enough: a star that matched too little only ever needs to match
// more.
bool glob_matches(std::string_view pattern, std::string_view path) {
    std::size_t p = 0, i = 0, star = std::string_view::npos, star_at = 0;
    while (i < path.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_at = i;
        } else if (p < pattern.size() &&
                   (pattern[p] == path[i] || (pattern[p] == '?' && path[i] != '/'))) {
            ++p;
            ++i;
        } else if (star != std::string_view::npos && path[star_at] != '/') {
            p = star + 1;
            i = ++star_at;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool Delegation::matches(std::string_view target_path) const {
    const auto glob = [&](const std::string& pattern) {
        return glob_matches(pattern, target_path);
    };
    if (std::any_of(paths.begin(), paths.end(), glob)) return true;
    if (path_hash_prefixes.empty()) return false;
    const std::string hash = sha256_hex(as_bytes(target_path));
    const auto begins = [&](const std::string& prefix) { return hash.starts_with(prefix); };
    return std::any_of(path_hash_prefixes.begin(), path_hash_prefixes.end(), begins);
}

bool is_top_level_role(std::string_view name) {
    return name == "root" || name == "targets" || name == "snapshot" || name == "timestamp";
}

namespace {

std::string quote_except(std::string_view text, std::string_view kept) {
    constexpr char hex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || kept.find(c) != std::string_view::npos;
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4];
            out += hex[byte & 15];
        }
    }
    return out;
}

}  // namespace

std::string quote(std::string_view name) {
    return quote_except(name, "-._~");
}
std::string quote_path(std::string_view path) {
    return quote_except(path, "-._~/");
}

}  // namespace skiff::trust
