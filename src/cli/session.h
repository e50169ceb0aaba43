// What every verb shares: how to print, and how to end.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace skiff::cli {

using OrderedJson = nlohmann::ordered_json;

// How the program ends.
enum ExitCode : int {
    exit_done = 0,
    exit_failed = 1,
    exit_misused = 2,
    exit_deferred = 3,
    exit_not_logged_in = 4
};

enum class Format { table, json, csv };

class Table;

class Session {
 public:
    Format format = Format::table;
    bool json_flag = false;  // --json, the short form of -o json
    bool quiet = false;

    bool json() const { return json_flag || format == Format::json; }
    // Standard output, as the format says. JSON is pretty on a terminal and in a pipe alike; bad
    // UTF-8 is replaced.
    void print_json(const OrderedJson& value) const;
    // As a table or CSV; nothing when JSON was asked for.
    void print_table(const Table& table) const;
    // A line for people: only with tables, and not with -q.
    void say(const std::string& line) const;

    // Runs a verb: prints its error on one line, and remembers how to end.
    void run(const std::function<Result<ExitCode>()>& verb);
    int exit_code() const { return exit_code_; }

 private:
    int exit_code_ = exit_done;
};

// "skiff: error: <message>" on standard error, on one line whatever the message holds.
void print_error(std::string_view message);

// 3 for what was put off or took too long, 4 for who is not logged in, else 1.
ExitCode exit_code_of(Code code);

}  // namespace skiff::cli
