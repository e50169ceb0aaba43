#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/models/describe.h"
#include "cli/workplace.h"
#include "decide/condition.h"
#include "publish/model_edits.h"

namespace skiff::cli {
namespace {

struct Options {
    WorkplaceOptions place;
    std::string name, condition, why;
    double percent = 0;
};

std::string with_why(const std::string& text, const std::string& why) {
    return why.empty() ? text : text + ": " + why;
}

// A device that has no such attribute is left out without a word.
Result<std::string> condition_note(const std::string& condition) {
    if (condition.empty()) return std::string();
    const auto names = decide::condition_attributes(TRY(parse_json(condition, "the condition")));
    if (names.empty()) return std::string();
    return "; only devices whose " + joined({names.begin(), names.end()}, ", ") +
           " fits the condition: apps must set what Skiff does not know by itself";
}

Result<ExitCode> start(const Session& session, const Options& options) {
    const auto reference = TRY(publish::parse_version_reference(options.name));
    if (!options.condition.empty())
        TRY(decide::check_condition(TRY(parse_json(options.condition, "the condition"))));
    const auto workplace = TRY(Workplace::open(options.place));
    publish::RolloutStep step;
    const publish::Changed changed = TRY(publish::change(
        workplace->publisher(),
        [&](trust::Repository& repository,
            publish::StagedTree& tree) -> Result<std::vector<publish::AuditNote>> {
            auto model = TRY(publish::read_model(repository, tree, reference.model));
            step = TRY(publish::advance_rollout(repository, tree, model, *reference.version,
                                                options.percent, options.condition));
            const std::string at = step.done ? "done" : percent_text(step.percent);
            return std::vector<publish::AuditNote>{
                {"rollout", options.name, with_why(at, options.why)}};
        }));
    TRY(workplace->remember_home());
    const std::string from = reference.model + ":" + std::to_string(step.from);
    const std::string line =
        step.done ? options.name + " is the default: every device gets it (before: " + from + ")"
                  : step.id + ": " + percent_text(step.percent) + " of devices get " +
                        options.name + ", the others stay on " + from;
    say_changed(session, changed, line + TRY(condition_note(options.condition)),
                {{"rollout", step.id},
                 {"model", reference.model},
                 {"from", step.from},
                 {"to", step.to},
                 {"percent", step.percent},
                 {"done", step.done}});
    return exit_done;
}

Result<ExitCode> undo(const Session& session, const Options& options) {
    const auto workplace = TRY(Workplace::open(options.place));
    publish::Undone undone;
    bool has_gates = false;
    const publish::Changed changed = TRY(publish::change(
        workplace->publisher(),
        [&](trust::Repository& repository,
            publish::StagedTree& tree) -> Result<std::vector<publish::AuditNote>> {
            auto model = TRY(publish::read_model(repository, tree, options.name));
            undone = TRY(publish::undo_rollout(repository, tree, model));
            const auto restored = model.versions.find(undone.to);
            has_gates =
                restored != model.versions.end() && (!restored->second.record.min_app.empty() ||
                                                     restored->second.record.min_runtime > 1);
            return std::vector<publish::AuditNote>{
                {"undo", options.name + ":" + std::to_string(undone.from), options.why}};
        }));
    TRY(workplace->remember_home());
    const std::string from = options.name + ":" + std::to_string(undone.from);
    const std::string to = options.name + ":" + std::to_string(undone.to);
    say_changed(session, changed,
                (undone.id.empty() ? "the default" : undone.id) + " is undone: devices with " +
                    from + " go back to " + to,
                {{"rollout", undone.id},
                 {"model", options.name},
                 {"from", undone.from},
                 {"to", undone.to}});
    if (has_gates)
        session.say("note: devices that the gates of " + to + " keep out stay with " + from +
                    " (skiff models revoke " + from + " takes it away from them, too)");
    return exit_done;
}

Result<ExitCode> status(const Session& session, const Options& options) {
    const auto workplace = TRY(Workplace::open_to_read(options.place));
    publish::StagedTree tree(workplace->home());
    const auto repository = TRY(publish::open_home(workplace->publisher(), tree));
    std::vector<std::string> names = {options.name};
    if (options.name.empty()) names = publish::model_names(repository);
    Table table({"model", "default", "rollout", "to", "percent", "condition", "before"});
    OrderedJson json = OrderedJson::array();
    for (const std::string& name : names) {
        const auto model = TRY(publish::read_model(repository, tree, name));
        const auto number = [](const auto& value) { return value ? std::to_string(*value) : "-"; };
        const auto& rollout = model.rollout;
        table.add({name, number(model.default_version), rollout ? rollout->id : "-",
                   rollout ? std::to_string(rollout->to) : "",
                   rollout ? compact(rollout->percent) : "", rollout ? rollout->condition : "",
                   number(model.before)});
        OrderedJson entry = model_json(model);
        json.push_back({{"model", name},
                        {"default", entry["default"]},
                        {"before", entry["before"]},
                        {"rollout", entry["rollout"]}});
    }
    if (session.json()) session.print_json(json);
    session.print_table(table);
    return exit_done;
}

}  // namespace

void add_rollout(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* rollout =
        app.add_subcommand("rollout", "Give a version to some devices, then to more");
    add_home_options(*rollout, options->place);
    rollout->require_subcommand(1);
    CLI::App* verb = rollout->add_subcommand("start", "Start one, or let a running one grow");
    verb->add_option("REF", options->name, "NAME:VERSION that devices shall get")->required();
    verb->add_option("--percent", options->percent,
                     "of devices; 100 ends it: the version becomes the default for everyone")
        ->required()
        ->check(CLI::Range(0.0, 100.0));
    verb->add_option(
        "--condition", options->condition,
        "JSON: only devices for which it holds, {\"app_version\": {\"$vgte\": \"3.2\"}}");
    verb->add_option("--why", options->why, "TEXT for the audit");
    verb->callback([&session, options] { session.run([&] { return start(session, *options); }); });
    verb = rollout->add_subcommand("status", "Which rollouts run");
    verb->add_option("NAME", options->name, "of a model; all without");
    verb->callback([&session, options] { session.run([&] { return status(session, *options); }); });
    verb = rollout->add_subcommand("undo",
                                   "Take a running rollout back, or the last move of a default");
    verb->add_option("NAME", options->name, "of the model")->required();
    verb->add_option("--why", options->why, "TEXT for the audit");
    verb->callback([&session, options] { session.run([&] { return undo(session, *options); }); });
}

}  // namespace skiff::cli
