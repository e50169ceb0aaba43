#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/models/describe.h"
#include "cli/table.h"
#include "server/data_folder.h"
#include "server/tokens.h"
#include "trust/date_time.h"

namespace skiff::cli {
namespace {

struct Options {
    std::string data, project, note;
    std::vector<std::string> scopes;
    std::int64_t id = 0;
};

Result<std::unique_ptr<server::Ledger>> open_ledger(const Options& options) {
    const auto folder = TRY(server::DataFolder::open_existing(options.data));
    return server::Ledger::open(folder.database());
}

Result<ExitCode> create(const Session& session, const Options& options) {
    const auto ledger = TRY(open_ledger(options));
    const std::string token = TRY(server::create_token(*ledger, options.project, options.scopes,
                                                       options.note, std::time(nullptr)));
    if (session.json())
        session.print_json({{"token", token}, {"project", options.project}});
    else
        std::puts(token.c_str());
    return exit_done;
}

Result<ExitCode> list(const Session& session, const Options& options) {
    const auto ledger = TRY(open_ledger(options));
    Table table({"id", "project", "scopes", "note", "created", "revoked"});
    OrderedJson json = OrderedJson::array();
    for (const server::TokenInfo& token : TRY(server::list_tokens(*ledger, options.project))) {
        const std::string created = trust::date_time_text(token.created_s);
        const std::string revoked =
            token.revoked_s ? trust::date_time_text(*token.revoked_s) : std::string();
        table.add({std::to_string(token.id), token.project, joined(token.scopes, " "),
                   visible(token.note), created, revoked});
        json.push_back({{"id", token.id},
                        {"project", token.project},
                        {"scopes", token.scopes},
                        {"note", token.note},
                        {"created", created},
                        {"revoked", revoked.empty() ? OrderedJson() : OrderedJson(revoked)}});
    }
    if (session.json()) session.print_json({{"tokens", json}});
    session.print_table(table);
    return exit_done;
}

Result<ExitCode> revoke(const Session& session, const Options& options) {
    const auto ledger = TRY(open_ledger(options));
    TRY(server::revoke_token(*ledger, options.project, options.id, std::time(nullptr)));
    session.say("token " + std::to_string(options.id) + " is revoked, from now on");
    return exit_done;
}

}  // namespace

void add_tokens(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        app.add_subcommand("tokens", "Who may publish to, report to and read from a server");
    verb->require_subcommand(1);
    const auto add = [&](const char* name, const char* what, auto run) {
        CLI::App* action = verb->add_subcommand(name, what);
        action->add_option("--data", options->data, "the server's --data; it may be running")
            ->required();
        action->callback(
            [&session, options, run] { session.run([&] { return run(session, *options); }); });
        return action;
    };
    CLI::App* make = add("create", "Prints a new token: once, it is kept nowhere", create);
    make->add_option("--project", options->project, "the one project it is for")->required();
    make->add_option("--scope", options->scopes, "publish, report or read; may be repeated")
        ->required();
    make->add_option("--note", options->note, "who has it: the audit shows this name");
    CLI::App* show = add("list", "The tokens there are, without the tokens themselves", list);
    show->add_option("--project", options->project, "only of this project");
    CLI::App* end = add("revoke", "Ends a token at once", revoke);
    end->add_option("ID", options->id, "as in skiff tokens list")->required();
    end->add_option("--project", options->project)->required();
}

}  // namespace skiff::cli
