#include "server/tokens.h"

#include <algorithm>

#include "base/hex.h"
#include "base/random.h"
#include "base/sha256.h"
#include "publish/audit.h"
#include "trust/layout.h"

namespace skiff::server {

namespace {

constexpr const char* all_scopes[] = {"publish", "report", "read"};
constexpr const char* columns = "id, project, scopes, note, created_s, revoked_s";
constexpr std::size_t longest_note = 200;

TokenInfo row_of(const sqlite::Statement& row) {
    TokenInfo info;
    info.id = row.integer(0);
    info.project = row.text(1);
    std::string word;
    for (const char c : row.text(2) + " ") {
        if (c != ' ')
            word += c;
        else
            info.scopes.push_back(std::exchange(word, {}));
    }
    info.note = row.text(3);
    info.created_s = row.integer(4);
    if (!row.is_null(5)) info.revoked_s = row.integer(5);
    return info;
}

Status check_new(const std::string& project, const std::vector<std::string>& scopes,
                 const std::string& note) {
    if (!trust::is_plain_name(project))
        return error(Code::invalid_argument,
                     "\"" + project +
                         "\" is no project's name (1 to 64 of A-Z a-z 0-9 _ . -, not beginning "
                         "with a dot or a dash)");
    if (scopes.empty())
        return error(Code::invalid_argument, "a token needs a scope: publish, report or read");
    for (const std::string& scope : scopes)
        if (std::ranges::find(all_scopes, scope) == std::end(all_scopes))
            return error(Code::invalid_argument,
                         "\"" + scope + "\" is no scope (there are publish, report and read)");
    if (note.size() > longest_note)
        return error(Code::invalid_argument, "the note is longer than 200 bytes");
    return publish::check_plain_text(note, "--note");
}

}  // namespace

bool TokenInfo::has(std::string_view scope) const {
    return std::ranges::find(scopes, scope) != scopes.end();
}

std::string TokenInfo::who() const {
    return note.empty() ? "token " + std::to_string(id) : note;
}

Result<std::string> create_token(Ledger& ledger, const std::string& project,
                                 const std::vector<std::string>& scopes, const std::string& note,
                                 std::int64_t now_s) {
    TRY(check_new(project, scopes, note));
    const std::string token = "skiff_" + random_hex(32);
    std::string words;
    for (const char* scope : all_scopes)
        if (std::ranges::find(scopes, scope) != scopes.end())
            words += (words.empty() ? "" : " ") + std::string(scope);
    const std::lock_guard lock(ledger.mutex);
    auto insert = TRY(ledger.database->prepare(
        "INSERT INTO tokens (project, sha256, scopes, note, created_s) VALUES (?,?,?,?,?)"));
    insert.bind(1, project).bind(2, sha256_hex(as_bytes(token))).bind(3, words).bind(4, note);
    TRY(insert.bind(5, now_s).run());
    return token;
}

Result<std::optional<TokenInfo>> find_token(Ledger& ledger, std::string_view token) {
    const std::string digest = sha256_hex(as_bytes(token));
    const std::lock_guard lock(ledger.mutex);
    auto query = TRY(ledger.database->prepare(
        std::string("SELECT ") + columns + " FROM tokens WHERE sha256 = ? AND revoked_s IS NULL"));
    query.bind(1, digest);
    if (!TRY(query.step())) return std::optional<TokenInfo>();
    return std::optional<TokenInfo>(row_of(query));
}

Result<std::vector<TokenInfo>> list_tokens(Ledger& ledger, const std::string& project) {
    const std::lock_guard lock(ledger.mutex);
    auto query =
        TRY(ledger.database->prepare(std::string("SELECT ") + columns +
                                     " FROM tokens WHERE ?1 = '' OR project = ?1 ORDER BY id"));
    query.bind(1, project);
    std::vector<TokenInfo> tokens;
    while (TRY(query.step())) tokens.push_back(row_of(query));
    return tokens;
}

Status revoke_token(Ledger& ledger, const std::string& project, std::int64_t id,
                    std::int64_t now_s) {
    const std::lock_guard lock(ledger.mutex);
    auto update = TRY(ledger.database->prepare(
        "UPDATE tokens SET revoked_s = coalesce(revoked_s, ?) WHERE id = ? AND project = ?"));
    TRY(update.bind(1, now_s).bind(2, id).bind(3, project).run());
    if (ledger.database->changes() == 0)
        return error(Code::not_found, "the project " + project + " has no token " +
                                          std::to_string(id) + " (see skiff tokens list)");
    return {};
}

}  // namespace skiff::server
