#include "trust/canonical.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "trust/date_time.h"

namespace skiff::trust {

TEST(CanonicalJson, writes_the_olpc_form) {
    const struct {
        const char* json;
        const char* canonical;
    } cases[] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {"{\"b\" : 1, \"a\" : [true, false, null]}", "{\"a\":[true,false,null],\"b\":1}"},
        {"{\"a\":1,\"B\":2,\"_\":3,\"1\":4}", "{\"1\":4,\"B\":2,\"_\":3,\"a\":1}"},
        {"[-1, 0, 9223372036854775807]", "[-1,0,9223372036854775807]"},
        {"[18446744073709551615,-9223372036854775808]",
         "[18446744073709551615,-9223372036854775808]"},
        {"\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\""},
        {"\"line\\nbreak\\ttab\\/slash\"", "\"line\nbreak\ttab/slash\""},
        {"\"\\u00fc\\u20ac\"", "\"\u00fc\u20ac\""},
        // By bytes of UTF-8, so by code point: U+FFFF before U+1F600, which UTF-16 would put first.
        {"{\"\\ud83d\\ude00\":1,\"\\uffff\":2}", "{\"\uffff\":2,\"\U0001f600\":1}"},
    };
    for (const auto& c : cases) {
        const auto text = canonical_json(parse_json(c.json, "case").value());
        ASSERT_TRUE(text.ok()) << c.json;
        EXPECT_EQ(*text, c.canonical);
    }
}

TEST(CanonicalJson, has_no_fractions) {
    for (const char* json : {"1.5", "[1.0]", "{\"a\":1e3}", "18446744073709551616"})
        EXPECT_FALSE(canonical_json(parse_json(json, "case").value()).ok()) << json;
}

TEST(DateTime, reads_and_writes_one_form) {
    EXPECT_EQ(parse_date_time("1970-01-01T00:00:00Z").value(), 0);
    EXPECT_EQ(parse_date_time("2026-11-22T12:38:00Z").value(), 1795351080);
    EXPECT_EQ(parse_date_time("2028-02-29T23:59:59Z").value(), 1835481599);
    for (const std::int64_t t : {0L, 951782400L, 1795351080L, 4102444799L, 253402300799L})
        EXPECT_EQ(parse_date_time(date_time_text(t)).value(), t);
    for (const char* text :
         {"", "2026-11-22", "2026-11-22T12:38:00", "2026-11-22 12:38:00Z", "2026-13-22T12:38:00Z",
          "2026-02-29T12:38:00Z", "2026-11-22T24:00:00Z", "2026-11-22T12:60:00Z",
          "2026-11-22T12:38:61Z", "2026-11-22T12:38:00+00:00", "2026-11-22T12:38:00.5Z",
          "-026-11-22T12:38:00Z", "1969-12-31T23:59:59Z", "2026-11-2xT12:38:00Z"})
        EXPECT_FALSE(parse_date_time(text).ok()) << text;
}

}  // namespace skiff::trust
