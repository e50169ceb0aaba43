#include <algorithm>
#include <csignal>
#include <regex>

#include "cli/commands.h"

namespace {

constexpr const char* about =
    "Runs, checks and measures machine-learning models (.tflite), and delivers them.\n"
    "Exit status: 0 done, 1 failed, 2 misused, 3 deferred or timed out, 4 not logged in.";

void add_shared_options(CLI::App& app, skiff::cli::Session& session) {
    const std::map<std::string, skiff::cli::Format> formats = {{"table", skiff::cli::Format::table},
                                                               {"json", skiff::cli::Format::json},
                                                               {"csv", skiff::cli::Format::csv}};
    app.add_option("-o,--output", session.format, "table, json or csv")
        ->transform(CLI::CheckedTransformer(formats).description(""))
        ->type_name("FORMAT");
    app.add_flag("--json", session.json_flag, "same as -o json");
    app.add_flag("-q,--quiet", session.quiet, "no progress, no notes");
}

// CLI11's words in ours.
std::string plain_words(const CLI::ParseError& e) {
    std::string what = e.what();
    std::smatch part;
    static const std::regex range("(-\\S+): Value (\\S+) not in range (\\S+) to (\\S+)");
    if (std::regex_match(what, part, range)) {
        const auto shorter = [](std::string number) {  // 100.000000
            if (number.find('.') == number.npos) return number;
            number.erase(number.find_last_not_of('0') + 1);
            if (number.ends_with('.')) number.pop_back();
            return number;
        };
        return part.str(1) + " " + part.str(2) + ": between " + shorter(part.str(3)) + " and " +
               shorter(part.str(4));
    }
    static const std::regex number("Could not convert: (\\S+) = (.*)");
    if (std::regex_match(what, part, number))
        return part.str(1) + " " + part.str(2) + ": is not a number that fits";
    static const std::regex output("--output: Check (.*) value in \\{csv.*");
    if (std::regex_match(what, part, output))
        return "-o " + part.str(1) + ": write table, json or csv";
    return what;
}

std::vector<CLI::App*> all_verbs(CLI::App& app) {
    return app.get_subcommands([](CLI::App* verb) { return !verb->get_name().empty(); });
}

// What is wrong with "skiff device" and "skiff models wombat"; empty when it is something else.
std::string wrong_verb(CLI::App& app, const std::vector<std::string>& words,
                       const CLI::ParseError& e) {
    const auto chosen = app.get_subcommands();
    if (chosen.empty()) return {};
    CLI::App& verb = *chosen[0];
    if (all_verbs(verb).empty() || !verb.get_subcommands().empty()) return {};
    std::string names;
    for (const CLI::App* one : all_verbs(verb))
        names += (names.empty() ? "" : ", ") + one->get_name();
    // The word right after the verb: elsewhere it is a value of an option that nobody knows.
    const auto at = std::find(words.begin(), words.end(), verb.get_name());
    if (at != words.end() && at + 1 != words.end() && !(at + 1)->starts_with('-'))
        return verb.get_name() + " has no \"" + at[1] + "\": " + names;
    if (!dynamic_cast<const CLI::RequiredError*>(&e)) return {};
    return "skiff " + verb.get_name() + " needs one of " + names + " (skiff " + verb.get_name() +
           " --help)";
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that closes the pipe is no reason to die silently in the middle of a file.
    std::signal(SIGPIPE, SIG_IGN);
    skiff::cli::Session session;
    CLI::App app{about, "skiff"};
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", "skiff 0.1.0");
    add_shared_options(app, session);
    skiff::cli::add_inspect(app, session);
    skiff::cli::add_run(app, session);
    skiff::cli::add_verify(app, session);
    skiff::cli::add_conformance(app, session);
    skiff::cli::add_bench(app, session);
    skiff::cli::add_init(app, session);
    skiff::cli::add_keys(app, session);
    skiff::cli::add_sign(app, session);
    skiff::cli::add_publish(app, session);
    skiff::cli::add_models(app, session);
    skiff::cli::add_pull(app, session);
    skiff::cli::add_rollout(app, session);
    skiff::cli::add_login(app, session);
    skiff::cli::add_context(app, session);
    skiff::cli::add_serve(app, session);
    skiff::cli::add_tokens(app, session);
    skiff::cli::add_status(app, session);
    skiff::cli::add_device(app, session);
    skiff::cli::add_engine_child(app, session);
    // "skiff help publish" is "skiff publish --help".
    std::vector<std::string> words(argv + 1, argv + argc);
    if (!words.empty() && words[0] == "help") {
        std::rotate(words.begin(), words.begin() + 1, words.end());
        words.back() = "--help";
        const auto is_asked = [&](const CLI::App* verb) { return verb->get_name() == words[0]; };
        if (words.size() > 1 && std::ranges::none_of(all_verbs(app), is_asked)) words.pop_back();
    }
    try {
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
        const bool unknown =
            app.get_subcommands().empty() && !words.empty() && !words[0].starts_with('-');
        std::string what = wrong_verb(app, words, e);
        if (what.empty())
            what = (unknown ? "there is no command '" + words[0] + "'" : plain_words(e)) +
                   " (see skiff --help)";
        skiff::cli::print_error(what);
        return skiff::cli::exit_misused;
    }
    return session.exit_code();
}
