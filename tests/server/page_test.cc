// docs/api.md promises, the real program keeps: every example of the page, in its order.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "tests/server/program.h"
#include "tests/server/world.h"

namespace skiff::server::test {

namespace {

struct Message {
    Fields headers;
    std::string body;
};

struct Example {
    std::string method, path;
    Message request, answer;
    int status = 0;
};

// Header lines, an empty line, the body; either part may be absent.
Message message_of(const std::vector<std::string>& lines) {
    Message message;
    bool in_body = false;
    for (const std::string& line : lines) {
        const std::size_t colon = line.find(": ");
        if (line.empty() && !in_body)
            in_body = true;
        else if (!in_body && colon != std::string::npos)
            message.headers[line.substr(0, colon)] = line.substr(colon + 2);
        else
            message.body += (message.body.empty() ? "" : "\n") + line;
    }
    while (message.body.ends_with('\n')) message.body.pop_back();
    return message;
}

std::vector<Example> examples_of(const std::string& page) {
    const std::regex request("(GET|HEAD|PUT|POST) (/\\S*)"), answer("-> (\\d+)");
    std::vector<Example> examples;
    std::vector<std::string> lines;
    enum { outside, in_request, in_answer } place = outside;
    const auto end_part = [&] {
        if (place == in_request) examples.back().request = message_of(lines);
        if (place == in_answer) examples.back().answer = message_of(lines);
        lines.clear();
    };
    for (std::size_t at = 0; at < page.size();) {
        const std::size_t end = page.find('\n', at);
        std::string line = page.substr(at, end - at);
        at = end + 1;
        std::smatch match;
        const bool indented = line.starts_with("    ");
        if (indented) line = line.substr(4);
        if (!indented && !line.empty()) {
            end_part();
            place = outside;
        } else if (indented && std::regex_match(line, match, request)) {
            end_part();
            place = in_request;
            examples.push_back({.method = match[1], .path = match[2]});
        } else if (indented && std::regex_match(line, match, answer)) {
            end_part();
            place = in_answer;
            examples.back().status = std::stoi(match[1]);
        } else if (place != outside) {
            lines.push_back(line);
        }
    }
    end_part();
    return examples;
}

// "..." stands for any text; a fraction is shown with some of its digits.
bool fits(const Json& expected, const Json& actual) {
    if (expected == "...") return actual.is_string() && !actual.get<std::string>().empty();
    if (expected.is_number_float() && actual.is_number_float())
        return std::abs(expected.get<double>() - actual.get<double>()) < 1e-5;
    if (expected.type() != actual.type() || expected.size() != actual.size())
        return expected.is_number() && actual.is_number() && expected == actual;
    if (expected.is_object()) {
        for (const auto& [key, value] : expected.items())
            if (!actual.contains(key) || !fits(value, actual[key])) return false;
        return true;
    }
    if (expected.is_array()) {
        for (std::size_t i = 0; i < expected.size(); ++i)
            if (!fits(expected[i], actual[i])) return false;
        return true;
    }
    return expected == actual;
}

using Words = std::map<std::string, std::string>;

std::string filled(std::string text, const Words& words) {
    for (const auto& [word, value] : words)
        for (std::size_t at; (at = text.find(word)) != std::string::npos;)
            text.replace(at, word.size(), value);
    return text;
}

void expect_answer(const Example& example, const Answer& answer, const Words& words) {
    const std::string what = example.method + " " + example.path;
    EXPECT_EQ(answer.status, example.status) << what << ": " << answer.body;
    for (const auto& [field, value] : example.answer.headers) {
        std::string name = field;
        for (char& c : name) c = static_cast<char>(std::tolower(c));
        ASSERT_TRUE(answer.headers.contains(name)) << what << ": " << name;
        EXPECT_EQ(answer.headers.at(name), filled(value, words)) << what;
    }
    const std::string body = filled(example.answer.body, words);
    if (!body.starts_with('{')) {
        EXPECT_EQ(answer.body, body) << what;
        return;
    }
    const auto expected = parse_json(body, "the page"), actual = parse_json(answer.body, "answer");
    ASSERT_TRUE(expected.ok() && actual.ok()) << what << ": " << body;
    EXPECT_TRUE(fits(*expected, *actual)) << what << " answers " << answer.body;
}

std::string new_token(const std::string& data, const std::string& scope) {
    const Finished made = run_skiff({"tokens", "create", "--data", data, "--project", "demo",
                                     "--scope", scope, "--note", "ann"});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return made.out.substr(0, made.out.size() - 1);
}

}  // namespace

TEST(Page, every_example_is_true) {
    const auto examples = examples_of(read_file("docs/api.md").value());
    ASSERT_GE(examples.size(), 15u);
    Scratch scratch;
    const std::string data = scratch.path("data"), model = "the bytes of a model";
    ServeProgram server(data);  // first: it makes the folder
    Words words = {{"$PUBLISH", new_token(data, "publish")},
                   {"$REPORT", new_token(data, "report")},
                   {"$READ", new_token(data, "read")},
                   {"$HASH", sha256_hex(as_bytes(model))}};
    Author author;
    const Parcel parcel = author.version(1, model);
    words["$FILES"] = json_text(parse_json(parcel.body(), "parcel").value().at("files"));
    for (const Example& example : examples) {
        Fields headers;
        for (const auto& [name, value] : example.request.headers)
            headers[name] = filled(value, words);
        expect_answer(example,
                      ask(server.address(), example.method, filled(example.path, words), headers,
                          filled(example.request.body, words)),
                      words);
    }
    const std::string log = server.error_output();
    for (const char* token : {"$PUBLISH", "$REPORT", "$READ"})
        EXPECT_EQ(log.find(words[token]), std::string::npos) << "a token is in the log";
    EXPECT_NE(log.find("GET /v1/projects/demo/stats 200"), std::string::npos) << log;
}

TEST(Page, says_every_metric_that_there_is) {
    const std::string page = read_file("docs/api.md").value();
    TestServer world;
    const std::string metrics = world.ask("GET", "/metrics").body;
    for (std::size_t at = 0; (at = metrics.find("# TYPE ", at)) != std::string::npos;) {
        at += 7;
        const std::string name = metrics.substr(at, metrics.find(' ', at) - at);
        EXPECT_NE(page.find(name), std::string::npos) << name;
    }
}

}  // namespace skiff::server::test
