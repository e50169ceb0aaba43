#include "decide/version_record.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skiff::decide {

namespace {

VersionRecord full_record() {
    VersionRecord record;
    record.model = "digits";
    record.version = 3;
    record.files = {{"labels.txt", file_target("digits", 3, "labels.txt")}};
    record.builds = {{"edge", build_target("digits", 3, "edge", ".tflite")}};
    record.min_app = "3.2.0";
    record.min_runtime = 1;
    record.io_signature = "ab12";
    record.smoke = SmokeTest{7, "cd34"};
    record.tags = {{"team", "vision"}};
    return record;
}

}  // namespace

TEST(VersionRecord, has_the_documented_form) {
    EXPECT_EQ(write_version_record(full_record()),
              Json::parse(R"({"model":"digits","version":3,"format":"tflite",
        "files":[{"name":"labels.txt","path":"models/digits/3.labels.txt"}],
        "builds":{"edge":"models/digits/3-edge.tflite"},"gates":{"min_app":"3.2.0","min_runtime":1},
        "signature":"ab12","smoke":{"seed":7,"digest":"cd34"},"tags":{"team":"vision"}})"));
    EXPECT_EQ(main_target("digits", 3, ".tflite"), "models/digits/3.tflite");
    EXPECT_EQ(ruleset_target("digits"), "rulesets/digits.json");
}

TEST(VersionRecord, both_ways) {
    Json json = write_version_record(full_record());
    json["newer"] = {{"x", 1}};
    const auto back = read_version_record(json, "target");
    ASSERT_TRUE(back.ok()) << back.error().message;
    json.erase("newer");
    EXPECT_EQ(write_version_record(*back), json);
    VersionRecord small;
    small.model = "m";
    small.version = 1;
    small.is_tflite = false;
    EXPECT_FALSE(read_version_record(write_version_record(small), "target")->is_tflite);
}

TEST(VersionRecord, refuses_wrong_kinds) {
    const std::pair<const char*, const char*> cases[] = {
        {"/model", "\"../x\""},     {"/model", "7"},        {"/version", "0"},
        {"/version", "4294967296"}, {"/format", "1"},       {"/files", "{}"},
        {"/files/0", "3"},          {"/files/0/path", "1"}, {"/builds", "[]"},
        {"/builds/edge", "1"},      {"/gates", "[]"},       {"/gates/min_runtime", "-1"},
        {"/signature", "{}"},       {"/smoke", "1"},        {"/smoke/seed", "\"x\""},
        {"/tags/team", "[]"}};
    for (const auto& [at, value] : cases) {
        Json json = write_version_record(full_record());
        json[Json::json_pointer(at)] = Json::parse(value);
        EXPECT_FALSE(read_version_record(json, "target").ok()) << at << " = " << value;
    }
}

TEST(ModelName, letters_and_length) {
    for (const char* good : {"digits", "a", "0", "mobilenet_v2-1.0"})
        EXPECT_TRUE(check_model_name(good).ok()) << good;
    for (const std::string bad :
         {"", "a/b", "..", ".a", "-a", "Digits", "a b", "a:1", "a@b", "\xc3\xa4"})
        EXPECT_FALSE(check_model_name(bad).ok()) << bad;
    EXPECT_FALSE(check_model_name(std::string(64, 'a')).ok());
}

}  // namespace skiff::decide
