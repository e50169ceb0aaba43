#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skiff {

TEST(Json, refuses_what_a_careful_reader_must) {
    const std::pair<std::string, std::string> cases[] = {
        {"{\"a\":1,\"a\":2}", "doc has the key \"a\" twice"},
        {"{\"b\":{\"a\":1,\"a\":2}}", "doc has the key \"a\" twice"},
        {"{\"a\":1} x", "doc is not JSON"},
        {"{\"a\":", "doc is not JSON"},
        {"", "doc is not JSON"},
        {"\"\xff\"", "doc is not JSON"},
        {std::string(65, '['), "doc is nested deeper than 64"},
        {std::string(1000000, '{'), "doc is nested deeper than 64"},
    };
    for (const auto& [text, message] : cases) {
        const auto result = parse_json(text, "doc");
        ASSERT_FALSE(result.ok()) << text;
        EXPECT_EQ(result.error().message, message);
    }
}

TEST(Json, same_key_in_different_objects_is_fine) {
    EXPECT_TRUE(parse_json(R"({"a":{"x":1},"b":[{"x":1},{"x":2}],"s":"[[[{{\"\\"})", "doc").ok());
}

TEST(Json, members_have_kinds) {
    const Json doc = *parse_json(
        R"({"s":"t","i":7,"f":1.5,"b":true,"o":{},"a":[],"u":18446744073709551615})", "doc");
    EXPECT_EQ(*json_string(doc, "s", "doc"), "t");
    EXPECT_EQ(*json_int(doc, "i", "doc"), 7);
    EXPECT_EQ(*json_bool(doc, "b", "doc"), true);
    EXPECT_TRUE(json_object(doc, "o", "doc").ok());
    EXPECT_TRUE(json_array(doc, "a", "doc").ok());
    EXPECT_EQ(json_int(doc, "f", "doc").error().message, "doc: \"f\" is missing or not an integer");
    EXPECT_FALSE(json_int(doc, "u", "doc").ok());
    EXPECT_FALSE(json_string(doc, "missing", "doc").ok());
    EXPECT_FALSE(json_object(doc, "a", "doc").ok());
}

}  // namespace skiff
