#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/remote/http_home.h"
#include "cli/remote/secret_input.h"
#include "cli/table.h"
#include "host/host.h"
#include "trust/layout.h"

namespace skiff::cli {
namespace {

struct Options {
    Context context;
    std::string name;
};

Status check_token(const std::string& token) {
    const auto plain = [](char c) { return c > ' ' && c < 0x7f; };
    if (!token.empty() && std::ranges::all_of(token, plain)) return {};
    return error(Code::invalid_argument,
                 token.empty() ? "no token was given (skiff tokens create on the server prints one)"
                               : "the token has blanks or other signs that no token has");
}

Result<ExitCode> login(const Session& session, Options options) {
    Context& context = options.context;
    TRY(check_server_url(context.url));
    if (!trust::is_plain_name(context.project))
        return error(Code::invalid_argument, "\"" + context.project + "\" is no project name");
    const std::string name = options.name.empty() ? context.project : options.name;
    Contexts contexts = TRY(load_contexts());
    if (const auto old = contexts.by_name.find(name); old != contexts.by_name.end())
        if (old->second.url != context.url || old->second.project != context.project)
            return error(Code::already_exists, "the context " + name + " is " + old->second.url +
                                                   "/p/" + old->second.project +
                                                   " (give another --name, or skiff context "
                                                   "remove " +
                                                   name + ")");
    if (context.token.empty()) context.token = TRY(read_secret("token: "));
    TRY(check_token(context.token));
    const auto http = host::system_host().http;
    if (!http) return error(Code::unimplemented, "this skiff was built without HTTP");
    HttpHome home(context, http);
    auto found = home.version();
    if (!found.ok() && found.error().code == Code::unauthenticated)
        return error(Code::unauthenticated, "the server does not know this token for " +
                                                context.project +
                                                " (skiff tokens create on the server prints one)");
    const std::int64_t version = TRY(std::move(found));
    if (version > 0) context.root = TRY(home.read("metadata/1.root.json"));
    contexts.by_name[name] = context;
    contexts.current = name;
    TRY(save_contexts(contexts));
    if (session.json())
        session.print_json({{"context", name},
                            {"url", context.url},
                            {"project", context.project},
                            {"version", version}});
    session.say("logged in: context " + name + " is " + home.describe() +
                (version == 0
                     ? ", nothing is published there yet (skiff publish ... --context " + name + ")"
                     : ""));
    return exit_done;
}

Result<ExitCode> list(const Session& session) {
    const Contexts contexts = TRY(load_contexts());
    Table table({"context", "url", "project", "current"});
    OrderedJson json = OrderedJson::array();
    for (const auto& [name, context] : contexts.by_name) {
        const bool current = name == contexts.current;
        table.add({name, context.url, context.project, current ? "yes" : ""});
        json.push_back({{"context", name},
                        {"url", context.url},
                        {"project", context.project},
                        {"current", current}});
    }
    if (session.json()) session.print_json(json);
    if (contexts.by_name.empty())
        session.say("no contexts yet (skiff login URL --project P)");
    else
        session.print_table(table);
    return exit_done;
}

Result<ExitCode> use(const Session& session, const std::string& name) {
    TRY(find_context(name));
    Contexts contexts = TRY(load_contexts());
    contexts.current = name;
    TRY(save_contexts(contexts));
    session.say("commands outside a project's folder use " + name + " now");
    return exit_done;
}

Result<ExitCode> remove(const Session& session, const std::string& name) {
    TRY(find_context(name));
    Contexts contexts = TRY(load_contexts());
    contexts.by_name.erase(name);
    if (contexts.current == name) contexts.current.clear();
    TRY(save_contexts(contexts));
    session.say(name + " and its token are forgotten");
    return exit_done;
}

}  // namespace

void add_login(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("login", "Remember a project on a server and its token");
    verb->add_option("URL", options->context.url, "of the server: https://models.example.org")
        ->required();
    verb->add_option("--project", options->context.project)->required();
    verb->add_option("--token", options->context.token,
                     "else it is read from standard input, where no list of processes shows it");
    verb->add_option("--name", options->name, "of the context (default: the project's)");
    verb->callback([&session, options] { session.run([&] { return login(session, *options); }); });
}

void add_context(CLI::App& app, Session& session) {
    const auto name = std::make_shared<std::string>();
    CLI::App* context = app.add_subcommand("context", "Projects on servers that you logged in to");
    context->require_subcommand(0, 1);
    CLI::App* verb = context->add_subcommand("list", "All of them");
    context->callback([&session, context, verb] {
        if (context->get_subcommands().empty() || verb->parsed())
            session.run([&] { return list(session); });
    });
    verb = context->add_subcommand("use", "What commands outside a project's folder use");
    verb->add_option("NAME", *name)->required();
    verb->callback([&session, name] { session.run([&] { return use(session, *name); }); });
    verb = context->add_subcommand("remove", "Forget one, with its token");
    verb->add_option("NAME", *name)->required();
    verb->callback([&session, name] { session.run([&] { return remove(session, *name); }); });
}

}  // namespace skiff::cli
