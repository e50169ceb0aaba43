#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/table.h"
#include "cli/workplace.h"

namespace skiff::cli {
namespace {

struct Options {
    std::string folder, name;
    WorkplaceOptions place;
};

Result<ExitCode> init(const Session& session, const Options& options) {
    const auto project = TRY(
        publish::Project::init(options.folder, options.name, std::time(nullptr), user_at_host()));
    std::vector<std::string> leaving;
    for (const publish::KeyFile& key : TRY(project.key_files()))
        if (key.should_leave) leaving.push_back(key.path);
    if (session.json())
        session.print_json({{"project", project.name()},
                            {"folder", project.folder()},
                            {"root", project.folder() + "/root.json"},
                            {"keys_that_must_leave", leaving}});
    session.say("project " + project.name() + " in " + project.folder() +
                ": apps pin its root.json");
    session.say("move away from this machine, and keep safe: " + joined(leaving, ", "));
    session.say("next: skiff publish NAME FILE -C " + options.folder);
    return exit_done;
}

Result<ExitCode> keys(const Session& session, const Options& options) {
    const auto project = TRY(publish::Project::open(options.place.folder));
    Table table({"key", "here", "keyid", "signs", "note"});
    OrderedJson json = OrderedJson::array();
    for (const publish::KeyFile& key : TRY(project.key_files())) {
        const bool here = key.here;
        const std::string note = key.should_leave ? "must leave this machine" : "";
        table.add({key.name, here ? key.path : "no", key.keyid.substr(0, 8), key.signs, note});
        json.push_back({{"key", key.name},
                        {"path", here ? OrderedJson(key.path) : nullptr},
                        {"keyid", key.keyid.empty() ? nullptr : OrderedJson(key.keyid)},
                        {"signs", key.signs},
                        {"should_leave", key.should_leave}});
    }
    if (session.json())
        session.print_json(json);
    else
        session.print_table(table);
    return exit_done;
}

Result<ExitCode> sign(const Session& session, const Options& options) {
    const auto workplace = TRY(Workplace::open(options.place));
    const publish::Changed changed = TRY(publish::sign_what_is_due(workplace->publisher()));
    TRY(workplace->remember_home());
    if (session.json())
        session.print_json({{"version", changed.version},
                            {"signed", changed.resigned},
                            {"not_signed", changed.not_signed},
                            {"warnings", changed.warnings}});
    session.say(changed.resigned.empty()
                    ? "nothing is due at " + workplace->home().describe()
                    : "signed again: " + joined(changed.resigned, ", ") + " (version " +
                          std::to_string(changed.version) + ")");
    for (const std::string& line : changed.not_signed) session.say("not signed: " + line);
    for (const std::string& warning : changed.warnings) session.say("warning: " + warning);
    return exit_done;
}

}  // namespace

void add_init(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        app.add_subcommand("init", "Make a project: keys, and a repository to publish");
    verb->add_option("DIR", options->folder, "the project's folder")->required();
    verb->add_option("--name", options->name, "the project's name (default: the folder's)");
    verb->callback([&session, options] { session.run([&] { return init(session, *options); }); });
}

void add_keys(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb =
        app.add_subcommand("keys", "Which keys there are, what they sign, which should leave");
    add_folder_option(*verb, options->place);
    verb->callback([&session, options] { session.run([&] { return keys(session, *options); }); });
}

void add_sign(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("sign", "Sign again what expires soon");
    add_home_options(*verb, options->place);
    verb->callback([&session, options] { session.run([&] { return sign(session, *options); }); });
}

}  // namespace skiff::cli
