// What is refused before any signature is looked at. Each case breaks one thing of a good file.
#include "trust/metadata.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <regex>
#include <set>

#include "tests/trust/support.h"
#include "trust/layout.h"

namespace skiff::trust {

namespace {

class MetadataForm : public testing::Test {
 protected:
    void SetUp() override { world_.publish(); }

    Json file(const std::string& name) {
        return Json::parse(world_.tree.files.at("metadata/" + name));
    }
    static bool reads(const std::string& text, const std::string& type) {
        if (type == "root") return parse_root(text, "file").ok();
        if (type == "timestamp") return parse_timestamp(text, "file").ok();
        if (type == "snapshot") return parse_snapshot(text, "file").ok();
        return parse_targets(text, "file").ok();
    }
    World world_;
};

struct Break {
    const char* file;
    const char* what;
    std::function<void(Json& tree, Json& body)> edit;
};

const Break breaks[] = {
    {"1.root.json", "no signed", [](Json& t, Json&) { t.erase("signed"); }},
    {"1.root.json", "no signatures", [](Json& t, Json&) { t.erase("signatures"); }},
    {"1.root.json", "signatures as object",
     [](Json& t, Json&) { t["signatures"] = Json::object(); }},
    {"1.root.json", "signature as text", [](Json& t, Json&) { t["signatures"][0] = "x"; }},
    {"1.root.json", "two signatures of one key",
     [](Json& t, Json&) { t["signatures"].push_back(Json(t["signatures"][0])); }},
    {"1.root.json", "no version", [](Json&, Json& b) { b.erase("version"); }},
    {"1.root.json", "version 0", [](Json&, Json& b) { b["version"] = 0; }},
    {"1.root.json", "version -1", [](Json&, Json& b) { b["version"] = -1; }},
    {"1.root.json", "version as text", [](Json&, Json& b) { b["version"] = "1"; }},
    {"1.root.json", "version 1.5", [](Json&, Json& b) { b["version"] = 1.5; }},
    {"1.root.json", "version 2^53", [](Json&, Json& b) { b["version"] = 1LL << 53; }},
    {"1.root.json", "version 2^63", [](Json&, Json& b) { b["version"] = 1ULL << 63; }},
    {"1.root.json", "no expiry", [](Json&, Json& b) { b.erase("expires"); }},
    {"1.root.json", "expiry as number", [](Json&, Json& b) { b["expires"] = 1800000000; }},
    {"1.root.json", "spec version 2", [](Json&, Json& b) { b["spec_version"] = "2.0.0"; }},
    {"1.root.json", "spec version 10", [](Json&, Json& b) { b["spec_version"] = "10.0"; }},
    {"1.root.json", "no spec version", [](Json&, Json& b) { b.erase("spec_version"); }},
    {"1.root.json", "a fraction anywhere",
     [](Json&, Json& b) {
         b["x"] = {{"y", 0.5}};
     }},
    {"1.root.json", "no snapshot role", [](Json&, Json& b) { b["roles"].erase("snapshot"); }},
    {"1.root.json", "threshold 0", [](Json&, Json& b) { b["roles"]["root"]["threshold"] = 0; }},
    {"1.root.json", "a keyid twice",
     [](Json&, Json& b) {
         Json& ids = b["roles"]["root"]["keyids"];
         ids.push_back(Json(ids[0]));
     }},
    {"1.root.json", "keyid as number", [](Json&, Json& b) { b["roles"]["root"]["keyids"][0] = 7; }},
    {"1.root.json", "key without keyval",
     [](Json&, Json& b) { b["keys"].begin()->erase("keyval"); }},
    {"1.root.json", "consistent_snapshot as text",
     [](Json&, Json& b) { b["consistent_snapshot"] = "true"; }},
    {"timestamp.json", "names two files",
     [](Json&, Json& b) {
         b["meta"]["targets.json"] = {{"version", 1}};
     }},
    {"timestamp.json", "names no snapshot", [](Json&, Json& b) { b["meta"] = Json::object(); }},
    {"timestamp.json", "negative length",
     [](Json&, Json& b) { b["meta"]["snapshot.json"]["length"] = -1; }},
    {"timestamp.json", "empty hashes",
     [](Json&, Json& b) { b["meta"]["snapshot.json"]["hashes"] = Json::object(); }},
    {"timestamp.json", "signed_at no time", [](Json&, Json& b) { b["signed_at"] = "now"; }},
    {"1.snapshot.json", "meta as array", [](Json&, Json& b) { b["meta"] = Json::array(); }},
    {"1.snapshot.json", "entry without version",
     [](Json&, Json& b) { b["meta"]["targets.json"].erase("version"); }},
    {"1.targets.json", "no targets", [](Json&, Json& b) { b.erase("targets"); }},
    {"1.targets.json", "target without hashes",
     [](Json&, Json& b) {
         b["targets"]["x"] = {{"length", 1}};
     }},
    {"1.targets.json", "target without length",
     [](Json&, Json& b) {
         b["targets"]["x"] = {{"hashes", {{"sha256", "00"}}}};
     }},
    {"1.targets.json", "custom as text",
     [](Json&, Json& b) {
         b["targets"]["x"] = {{"length", 1}, {"hashes", {{"sha256", "00"}}}, {"custom", "x"}};
     }},
    {"1.targets.json", "role as number", [](Json&, Json& b) { b["role"] = 1; }},
    {"1.targets.json", "role custom as text", [](Json&, Json& b) { b["custom"] = "x"; }},
    {"1.targets.json", "delegation to root",
     [](Json&, Json& b) { b["delegations"]["roles"][0]["name"] = "root"; }},
    {"1.targets.json", "delegation to timestamp",
     [](Json&, Json& b) { b["delegations"]["roles"][0]["name"] = "timestamp"; }},
    {"1.targets.json", "delegation without name",
     [](Json&, Json& b) { b["delegations"]["roles"][0]["name"] = ""; }},
    {"1.targets.json", "a role's name too long for a file",
     [](Json&, Json& b) { b["delegations"]["roles"][0]["name"] = std::string(81, 'x'); }},
    {"1.targets.json", "two delegations of one name",
     [](Json&, Json& b) {
         Json& roles = b["delegations"]["roles"];
         roles.push_back(Json(roles[0]));
     }},
    {"1.targets.json", "paths and hash prefixes",
     [](Json&, Json& b) { b["delegations"]["roles"][0]["path_hash_prefixes"] = {"00"}; }},
    {"1.targets.json", "neither paths nor hash prefixes",
     [](Json&, Json& b) { b["delegations"]["roles"][0].erase("paths"); }},
    {"1.targets.json", "terminating as number",
     [](Json&, Json& b) { b["delegations"]["roles"][0]["terminating"] = 1; }},
};

}  // namespace

TEST_F(MetadataForm, is_strict) {
    for (const Break& b : breaks) {
        Json tree = file(b.file);
        const std::string type = tree["signed"]["_type"];
        ASSERT_TRUE(reads(tree.dump(), type)) << b.file;
        b.edit(tree, tree["signed"]);
        EXPECT_FALSE(reads(tree.dump(), type)) << b.file << ": " << b.what;
    }
}

TEST_F(MetadataForm, allows_what_it_does_not_know_and_signs_it) {
    Json tree = file("1.root.json");
    tree["signed"]["x-more"] = {{"deep", {1, 2}}};
    tree["x"] = 1;
    const Root root = parse_root(tree.dump(), "file").value();
    EXPECT_NE(root.message.find("\"x-more\":{\"deep\":[1,2]}"), std::string::npos);
}

TEST(Json, duplicate_members_are_refused) {
    EXPECT_FALSE(parse_targets("{\"signed\":{},\"signed\":{}}", "file").ok());
}

TEST(Glob, never_crosses_a_slash) {
    const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"models/*/*", "models/digits/3.tflite", true},
        {"models/*/*", "models/digits", false},
        {"models/*/*", "models/digits/3/x", false},
        {"models/digits/*", "models/digits2/x", false},
        {"*", "", true},
        {"*", "a", true},
        {"*", "a/b", false},
        {"", "", true},
        {"", "a", false},
        {"foo-?.tgz", "foo-1.tgz", true},
        {"foo-?.tgz", "foo-.tgz", false},
        {"a?b", "a/b", false},
        {"*.md", "README.MD", false},
        {"**", "a/b", false},
        {"*a*b", "xaxbxb", true},
        {"[ab]", "a", false},
    };
    for (const auto& c : cases)
        EXPECT_EQ(glob_matches(c.pattern, c.path), c.matches) << c.pattern << " " << c.path;
}

TEST(Glob, agrees_with_regular_expressions) {
    std::mt19937 random(7);
    const auto word = [&](const char* letters, int n) {
        std::string text;
        for (int i = static_cast<int>(random() % 8); i > 0; --i) text += letters[random() % n];
        return text;
    };
    int matched = 0;
    for (int i = 0; i < 4000; ++i) {
        const std::string pattern = word("ab*?/", 5), path = word("ab/", 3);
        std::string expression;
        for (const char c : pattern)
            expression += c == '*' ? "[^/]*" : c == '?' ? "[^/]" : std::string(1, c);
        const bool expected = std::regex_match(path, std::regex(expression));
        matched += expected;
        ASSERT_EQ(glob_matches(pattern, path), expected) << pattern << " " << path;
    }
    EXPECT_GT(matched, 100);
}

TEST(Delegation, matches_by_hash_prefix) {
    Delegation bin;
    const std::string hash = sha256_hex(as_bytes("some/path"));
    bin.path_hash_prefixes = {hash.substr(0, 3)};
    EXPECT_TRUE(bin.matches("some/path"));
    bin.path_hash_prefixes = {hash.substr(1, 3)};
    EXPECT_FALSE(bin.matches("some/path"));
}

TEST(Names, are_safe_in_urls_and_folders) {
    EXPECT_EQ(quote("../delegated role?#"), "..%2Fdelegated%20role%3F%23");
    EXPECT_EQ(quote_path("a b/c%d"), "a%20b/c%25d");
    EXPECT_EQ(quote("models.digits-2_x~"), "models.digits-2_x~");
}

TEST(Layout, knows_who_signs_which_path) {
    using Chain = std::vector<std::string>;
    EXPECT_EQ(roles_for_target("models/digits/3.tflite").value(),
              (Chain{"models", "models.digits"}));
    EXPECT_EQ(roles_for_target("rulesets/digits.json").value(),
              (Chain{"rulesets", ruleset_role("rulesets/digits.json")}));
    EXPECT_EQ(roles_for_target("deltas/digits.1-2").value(), (Chain{"deltas"}));
    for (const char* path :
         {"", "models", "models/", "models/digits", "models/digits/", "models//x", "models/../x",
          "models/digits/../x", "models/a b/x", "models/*/x", "models/digits/a/b", "rulesets/x",
          "rulesets/.json", "rulesets/a/b.json", "deltas/", "deltas/a/b", "other/x", "/models/a/b"})
        EXPECT_FALSE(roles_for_target(path).ok()) << path;
    for (const std::string path :
         {"models/a/b.tflite", "rulesets/a.json", "rulesets/_b.json", "deltas/x"}) {
        const Chain chain = roles_for_target(path).value();
        for (const std::string& role : chain) {
            Delegation delegation;
            delegation.paths = coverage_of(role).paths;
            delegation.path_hash_prefixes = coverage_of(role).path_hash_prefixes;
            EXPECT_TRUE(delegation.matches(path)) << role << " " << path;
        }
    }
}

TEST(Layout, divides_rulesets_among_eight_roles) {
    std::set<std::string> prefixes, roles;
    for (int i = 0; i < ruleset_roles; ++i) {
        const Coverage coverage = coverage_of("rulesets." + std::to_string(i));
        for (const auto& prefix : coverage.path_hash_prefixes)
            EXPECT_TRUE(prefixes.insert(prefix).second);
    }
    EXPECT_EQ(prefixes.size(), 16u);
    for (int i = 0; i < 100; ++i)
        roles.insert(ruleset_role("rulesets/m" + std::to_string(i) + ".json"));
    EXPECT_EQ(roles.size(), 8u);
}

}  // namespace skiff::trust
