// Who may do what: bearer tokens, of which only the SHA-256 is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/ledger.h"

namespace skiff::server {

struct TokenInfo {
    std::int64_t id = 0;
    std::string project;
    std::vector<std::string> scopes;  // of publish, report, read
    std::string note;
    std::int64_t created_s = 0;
    std::optional<std::int64_t> revoked_s = {};

    bool has(std::string_view scope) const;
    std::string who() const;  // for the audit: the note, or "token 3"
};

// The token itself, told this once. Code::invalid_argument for a bad project name or scope.
Result<std::string> create_token(Ledger& ledger, const std::string& project,
                                 const std::vector<std::string>& scopes, const std::string& note,
                                 std::int64_t now_s);
// Empty when nobody has this token, or it was revoked.
Result<std::optional<TokenInfo>> find_token(Ledger& ledger, std::string_view token);
Result<std::vector<TokenInfo>> list_tokens(Ledger& ledger, const std::string& project);
// Code::not_found; revoking twice is fine.
Status revoke_token(Ledger& ledger, const std::string& project, std::int64_t id,
                    std::int64_t now_s);

}  // namespace skiff::server
