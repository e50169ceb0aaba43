// Projects on servers that this user has logged in to: ~/.config/skiff/contexts.json, mode 0600.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace skiff::cli {

struct Context {
    std::string url;  // of the server, without a slash at its end
    std::string project;
    std::string token = {};  // a secret: never printed, never part of a message
    std::string root = {};   // 1.root.json as it was at the login; empty: nothing was published yet
};

struct Contexts {
    std::string current;  // what commands outside a project's folder use; empty: none
    std::map<std::string, Context> by_name;
};

// $XDG_CONFIG_HOME/skiff or ~/.config/skiff, $XDG_CACHE_HOME/skiff or ~/.cache/skiff.
Result<std::string> config_folder();
Result<std::string> cache_folder();

// None when there is no file. Code::permission_denied when others may read it.
Result<Contexts> load_contexts();
Status save_contexts(const Contexts& contexts);

// Takes slashes off the end. Code::invalid_argument for what is no server's address: http or https,
// no user, no query.
Status check_server_url(std::string& url);

// Code::unauthenticated when there is no such context: nobody logged in.
Result<Context> find_context(const std::string& name);

}  // namespace skiff::cli
