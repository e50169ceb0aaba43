#include "cli/session.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "cli/table.h"

namespace skiff::cli {

void print_error(std::string_view message) {
    // What wraps an error may name the same place as the error does, a file in it, or a version
    // of the model.
    if (const std::size_t end = message.find(": "); end != message.npos) {
        const std::string_view place = message.substr(0, end), rest = message.substr(end + 2);
        const std::string_view after = rest.substr(std::min(place.size(), rest.size()));
        if (rest.starts_with(place) && (after.starts_with(':') || after.starts_with('/')))
            message.remove_prefix(end + 2);
    }
    std::string line = "skiff: error: ";
    for (const char c : message) line += c == '\n' || c == '\r' ? ' ' : c;
    line += '\n';
    std::fputs(line.c_str(), stderr);
}

ExitCode exit_code_of(Code code) {
    switch (code) {
        case Code::ok:
            return exit_done;
        case Code::deadline_exceeded:
        case Code::conditions_unmet:
            return exit_deferred;
        case Code::unauthenticated:
            return exit_not_logged_in;
        default:
            return exit_failed;
    }
}

void Session::print_json(const OrderedJson& value) const {
    const std::string text =
        value.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
    std::fputs(text.c_str(), stdout);
}

void Session::print_table(const Table& table) const {
    if (json()) return;
    std::fputs((format == Format::csv ? table.csv() : table.text()).c_str(), stdout);
}

void Session::say(const std::string& line) const {
    if (json() || quiet || format == Format::csv) return;
    std::fputs((line + "\n").c_str(), stdout);
}

void Session::run(const std::function<Result<ExitCode>()>& verb) {
    try {
        const Result<ExitCode> result = verb();
        if (result.ok()) {
            exit_code_ = result.value();
        } else {
            print_error(result.error().message);
            exit_code_ = exit_code_of(result.error().code);
        }
    } catch (const std::bad_alloc&) {
        print_error("out of memory (close other programs, or use a smaller model)");
        exit_code_ = exit_failed;
    } catch (const std::exception& e) {
        print_error(std::string("bug: ") + e.what() + " (please report it)");
        exit_code_ = exit_failed;
    }
}

}  // namespace skiff::cli
