#include "cli/remote/contexts.h"

#include <sys/stat.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/url.h"

namespace skiff::cli {

namespace {

constexpr std::int64_t newest_schema = 1;

Result<std::string> user_folder(const char* variable, const char* below_home) {
    const char* set = std::getenv(variable);
    if (set && *set == '/') return std::string(set) + "/skiff";
    const char* home = std::getenv("HOME");
    if (home && *home == '/') return std::string(home) + below_home;
    return error(Code::failed_precondition,
                 std::string("neither ") + variable + " nor HOME names a folder (set one of them)");
}

Result<Context> read_context(const Json& json, const std::string& what) {
    Context context;
    context.url = TRY(json_string(json, "url", what));
    context.project = TRY(json_string(json, "project", what));
    context.token = TRY(json_string(json, "token", what));
    if (json.contains("root")) context.root = TRY(json_string(json, "root", what));
    return context;
}

}  // namespace

Result<std::string> config_folder() {
    return user_folder("XDG_CONFIG_HOME", "/.config/skiff");
}

Result<std::string> cache_folder() {
    return user_folder("XDG_CACHE_HOME", "/.cache/skiff");
}

Result<Contexts> load_contexts() {
    const std::string file = TRY(config_folder()) + "/contexts.json";
    Contexts contexts;
    struct stat info;
    if (::stat(file.c_str(), &info) != 0) return contexts;
    if ((info.st_mode & 077) != 0)
        return error(Code::permission_denied,
                     file + ": others may read the tokens in it (chmod 600 it)");
    // The parser's own message may quote the text, and the text holds secrets.
    const auto json = parse_json(TRY(read_file(file, 1 << 20)), file);
    if (!json.ok() || !json->is_object())
        return error(Code::data_loss, file + ": is damaged (remove it and log in again)");
    const std::int64_t schema = TRY(json_int(*json, "schema", file));
    if (schema > newest_schema)
        return error(Code::incompatible, file + " has schema " + std::to_string(schema) +
                                             ", this skiff knows " + std::to_string(newest_schema) +
                                             " (update skiff)");
    contexts.current = TRY(json_string(*json, "current", file));
    for (const auto& [name, context] : TRY(json_object(*json, "contexts", file))->items())
        contexts.by_name.emplace(name, TRY(read_context(context, file)));
    return contexts;
}

Status save_contexts(const Contexts& contexts) {
    const std::string folder = TRY(config_folder());
    Json by_name = Json::object();
    for (const auto& [name, context] : contexts.by_name) {
        by_name[name] = {
            {"url", context.url}, {"project", context.project}, {"token", context.token}};
        if (!context.root.empty()) by_name[name]["root"] = context.root;
    }
    const Json json = {
        {"schema", newest_schema}, {"current", contexts.current}, {"contexts", by_name}};
    TRY(make_folders(folder));
    return write_file_durably(folder + "/contexts.json", as_bytes(json_text_pretty(json) + "\n"),
                              0600);
}

Status check_server_url(std::string& url) {
    while (url.ends_with('/')) url.pop_back();
    const bool known = url.starts_with("https://") || url.starts_with("http://");
    if (known && url.find_first_of(" ?#@\"\\") == url.npos) return {};
    return error(Code::invalid_argument,
                 "\"" + display_url(url) +
                     "\" is no server's address (write https://models.example.org, without user "
                     "and query)");
}

Result<Context> find_context(const std::string& name) {
    const Contexts contexts = TRY(load_contexts());
    const auto at = contexts.by_name.find(name);
    if (at != contexts.by_name.end()) return at->second;
    return error(Code::unauthenticated, "there is no context \"" + name +
                                            "\" (skiff login URL --project P --name " + name + ")");
}

}  // namespace skiff::cli
