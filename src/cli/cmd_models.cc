#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/models/describe.h"
#include "cli/remote/http_home.h"
#include "cli/table.h"
#include "cli/workplace.h"
#include "publish/audit.h"
#include "publish/model_edits.h"

namespace skiff::cli {
namespace {

struct Options {
    WorkplaceOptions place;
    std::string name, alias, why, version;
    bool remove = false;
};

Result<ExitCode> list(const Session& session, const Options& options) {
    const auto workplace = TRY(Workplace::open_to_read(options.place));
    const publish::Publisher reader = workplace->publisher();
    publish::StagedTree tree(reader.home);
    const auto repository = TRY(publish::open_home(reader, tree));
    std::vector<publish::ModelState> models;
    for (const std::string& name : publish::model_names(repository))
        models.push_back(TRY(publish::read_model(repository, tree, name)));
    const auto warnings = publish::expiry_warnings(repository, reader.now_s);
    if (session.json()) {
        OrderedJson json = {{"home", reader.home.describe()}, {"models", OrderedJson::array()}};
        for (const auto& model : models) json["models"].push_back(model_json(model));
        json["warnings"] = warnings;
        session.print_json(json);
    }
    if (models.empty())
        session.say("no models at " + reader.home.describe() + " yet (skiff publish NAME FILE)");
    else
        session.print_table(models_table(models, session.format));
    for (const std::string& warning : warnings) session.say("warning: " + warning);
    return exit_done;
}

Result<ExitCode> show(const Session& session, const Options& options) {
    const bool one = options.name.find_first_of(":@") != std::string::npos;
    publish::Reference reference{options.name};
    if (one) reference = TRY(publish::parse_reference(options.name));
    const auto workplace = TRY(Workplace::open_to_read(options.place));
    publish::StagedTree tree(workplace->home());
    const auto repository = TRY(publish::open_home(workplace->publisher(), tree));
    const auto model = TRY(publish::read_model(repository, tree, reference.model));
    if (one) {
        const publish::VersionState* version = TRY(publish::resolve(model, reference));
        if (session.json())
            session.print_json(version_json(model, *version));
        else
            session.print_table(version_table(model, *version, session.format));
        return exit_done;
    }
    if (session.json()) session.print_json(model_json(model));
    session.print_table(versions_table(model, session.format));
    session.say(standing_of(model));
    return exit_done;
}

// "1" or "digits:1".
Result<std::uint32_t> version_of(const Options& options) {
    const bool whole = options.version.starts_with(options.name + ":");
    const auto reference = publish::parse_version_reference(
        whole ? options.version : options.name + ":" + options.version);
    if (reference.ok()) return *reference->version;
    TRY(publish::parse_version_reference(options.name + ":1"));  // the name is at fault
    return error(Code::invalid_argument, options.version + ": VERSION is a number: 1");
}

Result<ExitCode> alias(const Session& session, const Options& options) {
    std::uint32_t number = 0;
    if (!options.remove && options.version.empty())
        return error(Code::invalid_argument, "which version? (skiff models alias " + options.name +
                                                 " " + options.alias + " N, or --remove)");
    if (!options.remove) number = TRY(version_of(options));
    const auto workplace = TRY(Workplace::open(options.place));
    const std::string subject = options.name + "@" + options.alias;
    const std::string target = options.name + ":" + std::to_string(number);
    const publish::Changed changed = TRY(publish::change(
        workplace->publisher(),
        [&](trust::Repository& repository,
            publish::StagedTree& tree) -> Result<std::vector<publish::AuditNote>> {
            auto model = TRY(publish::read_model(repository, tree, options.name));
            if (options.remove)
                TRY(publish::remove_alias(repository, tree, model, options.alias));
            else
                TRY(publish::set_alias(repository, tree, model, options.alias, number));
            const std::string why = options.why.empty() ? "" : ": " + options.why;
            return std::vector<publish::AuditNote>{
                {"alias", subject, (options.remove ? "removed" : target) + why}};
        }));
    TRY(workplace->remember_home());
    const bool champion = options.alias == "champion";
    say_changed(session, changed,
                options.remove
                    ? subject + " is gone"
                    : subject + " is " + target + (champion ? ": devices get it now" : ""),
                {{"model", options.name},
                 {"alias", options.alias},
                 {"version", options.remove ? OrderedJson(nullptr) : OrderedJson(number)}});
    return exit_done;
}

Result<ExitCode> revoke(const Session& session, const Options& options) {
    const auto reference = TRY(publish::parse_version_reference(options.name));
    const auto workplace = TRY(Workplace::open(options.place));
    publish::Revoked revoked;
    const publish::Changed changed = TRY(publish::change(
        workplace->publisher(),
        [&](trust::Repository& repository,
            publish::StagedTree& tree) -> Result<std::vector<publish::AuditNote>> {
            auto model = TRY(publish::read_model(repository, tree, reference.model));
            revoked =
                TRY(publish::revoke(repository, tree, model, *reference.version, options.why));
            return std::vector<publish::AuditNote>{{"revoke", options.name, options.why}};
        }));
    TRY(workplace->remember_home());
    say_changed(session, changed, revoked_line(options.name, reference.model, revoked),
                {{"revoked", options.name},
                 {"default", revoked.default_now ? OrderedJson(*revoked.default_now) : nullptr},
                 {"rollout", revoked.rollout},
                 {"same_bytes", revoked.same_bytes},
                 {"aliases_gone", revoked.aliases}});
    return exit_done;
}

Result<ExitCode> audit(const Session& session, const Options& options) {
    const auto workplace = TRY(Workplace::open_to_read(options.place));
    std::vector<publish::AuditEntry> entries;
    if (auto* server = dynamic_cast<HttpHome*>(&workplace->home()))
        entries = TRY(server->audit());
    else
        entries = TRY(publish::read_audit(workplace->audit_file()));
    Table table({"when", "who", "what", "subject", "why"});
    OrderedJson json = OrderedJson::array();
    for (const publish::AuditEntry& entry : entries) {
        table.add({visible(entry.when), visible(entry.who), visible(entry.note.what),
                   visible(entry.note.subject), visible(entry.note.why)});
        json.push_back({{"when", entry.when},
                        {"who", entry.who},
                        {"what", entry.note.what},
                        {"subject", entry.note.subject},
                        {"why", entry.note.why}});
    }
    if (session.json()) session.print_json(json);
    session.print_table(table);
    return exit_done;
}

using Action = Result<ExitCode> (*)(const Session&, const Options&);

CLI::App* add_action(CLI::App& models, Session& session, const std::shared_ptr<Options>& options,
                     const char* name, const char* help, Action action) {
    CLI::App* verb = models.add_subcommand(name, help);
    verb->callback(
        [&session, options, action] { session.run([&] { return action(session, *options); }); });
    return verb;
}

}  // namespace

void add_models(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* models =
        app.add_subcommand("models", "What is published; aliases, revocations, audit");
    add_home_options(*models, options->place);
    models->require_subcommand(0, 1);
    models->callback([&session, options, models] {
        if (models->get_subcommands().empty()) session.run([&] { return list(session, *options); });
    });
    CLI::App* verb = add_action(*models, session, options, "show", "A model, or one version", show);
    verb->add_option("MODEL", options->name, "NAME, NAME:VERSION or NAME@ALIAS")->required();
    verb = add_action(*models, session, options, "alias",
                      "Give a version another name; champion: every device gets it now", alias);
    verb->add_option("NAME", options->name)->required();
    verb->add_option("ALIAS", options->alias)->required();
    verb->add_option("VERSION", options->version, "its number: 3, or NAME:3");
    verb->add_flag("--remove", options->remove, "the alias goes away");
    verb->add_option("--why", options->why, "TEXT for the audit");
    verb = add_action(*models, session, options, "revoke",
                      "Take a version back for good: no device runs it any more", revoke);
    verb->add_option("REF", options->name, "NAME:VERSION")->required();
    verb->add_option("--why", options->why, "TEXT: signed, shown on devices, and in the audit")
        ->required();
    add_action(*models, session, options, "audit", "Who changed what, when and why", audit);
}

}  // namespace skiff::cli
