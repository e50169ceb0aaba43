// The static tree: what is served, to whom it is new, and in which parts.
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "tests/server/world.h"

namespace skiff::server::test {

class StaticTree : public ::testing::Test {
 protected:
    StaticTree() {
        EXPECT_EQ(publish(world.address(), world.token, author.version(1, model)).status, 200);
    }
    Answer get(const std::string& path, const Fields& headers = {}) {
        return world.ask("GET", "/p/demo/" + path, headers);
    }

    TestServer world;
    Author author;
    const std::string model = "0123456789";
    const std::string target = target_path(model, 1);
    const std::string tag = "\"" + sha256_hex(as_bytes(model)).substr(0, 16) + "\"";
};

TEST_F(StaticTree, files_come_whole_and_say_how_long_they_keep) {
    const Answer file = get(target);
    EXPECT_EQ(file.status, 200);
    EXPECT_EQ(file.body, model);
    EXPECT_EQ(file.headers.at("etag"), tag);
    EXPECT_EQ(file.headers.at("cache-control"), "max-age=31536000, immutable");
    const Answer timestamp = get("metadata/timestamp.json");
    EXPECT_EQ(timestamp.body, author.tree.files.at("metadata/timestamp.json"));
    EXPECT_EQ(timestamp.headers.at("cache-control"), "no-cache");
    EXPECT_EQ(get("metadata/1.root.json").headers.at("cache-control"),
              "max-age=31536000, immutable");
}

TEST_F(StaticTree, head_says_the_same_without_the_body) {
    Connection connection(world.address());
    connection.send(request_text("HEAD", "/p/demo/" + target, {}, ""));
    const Answer head = connection.receive(true);
    EXPECT_EQ(head.headers.at("content-length"), "10");
    connection.send(request_text("GET", "/healthz", {}, ""));
    EXPECT_EQ(connection.receive().body, "{\"ok\":true}\n");  // nothing came in between
}

TEST_F(StaticTree, who_has_it_gets_304) {
    const std::string fresh = get("metadata/timestamp.json").headers.at("etag");
    for (const std::string& list : {fresh, "W/" + fresh, "\"x\", " + fresh, std::string("*")}) {
        const Answer answer = get("metadata/timestamp.json", {{"If-None-Match", list}});
        EXPECT_EQ(answer.status, 304) << list;
        EXPECT_EQ(answer.headers.at("etag"), fresh);
    }
    EXPECT_EQ(get("metadata/timestamp.json", {{"If-None-Match", "\"x\""}}).status, 200);
    ASSERT_EQ(publish(world.address(), world.token, author.version(2, "two")).status, 200);
    EXPECT_EQ(get("metadata/timestamp.json", {{"If-None-Match", fresh}}).status, 200);
    EXPECT_EQ(get(target, {{"If-None-Match", tag}}).status, 304);
}

TEST_F(StaticTree, ranges) {
    const auto part = [&](const std::string& range) { return get(target, {{"Range", range}}); };
    EXPECT_EQ(part("bytes=2-4").body, "234");
    EXPECT_EQ(part("bytes=2-4").status, 206);
    EXPECT_EQ(part("bytes=2-4").headers.at("content-range"), "bytes 2-4/10");
    EXPECT_EQ(part("bytes=7-").body, "789");
    EXPECT_EQ(part("bytes=8-99").body, "89");
    EXPECT_EQ(part("bytes=-3").body, "789");
    EXPECT_EQ(part("bytes=-99").body, model);
    EXPECT_EQ(part("bytes=10-").status, 416);
    EXPECT_EQ(part("bytes=10-").headers.at("content-range"), "bytes */10");
    EXPECT_EQ(part("bytes=-0").status, 416);
    for (const char* odd : {"bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=x-2", "bytes=-"}) {
        EXPECT_EQ(part(odd).status, 200) << odd;
        EXPECT_EQ(part(odd).body, model) << odd;
    }
    EXPECT_EQ(get("metadata/timestamp.json", {{"Range", "bytes=0-0"}}).body, "{");
}

TEST_F(StaticTree, a_range_of_another_file_is_the_whole) {
    EXPECT_EQ(get(target, {{"Range", "bytes=2-4"}, {"If-Range", tag}}).status, 206);
    EXPECT_EQ(get(target, {{"Range", "bytes=2-4"}, {"If-Range", "\"old\""}}).body, model);
}

TEST_F(StaticTree, nothing_else_is_served) {
    write_file(world.scratch.path("data/projects/demo/online.json"), as_bytes("secret")).value();
    write_file(world.scratch.path("data/projects/demo/tree/metadata/.hidden"), {}).value();
    write_file(world.scratch.path("data/projects/demo/tree/metadata/1.a.json.tmp1-0"), {}).value();
    for (const char* path :
         {"../online.json", "metadata/../../online.json", "metadata/..%2f..%2fonline.json",
          "metadata/%2e%2e/%2e%2e/online.json", "metadata/.hidden", "metadata/.lock",
          "metadata/1.a.json.tmp1-0", "metadata/", "metadata", "targets/models/digits",
          "targets/models/digits/", "metadata//timestamp.json", "metadata/timestamp.json%00",
          "metadata/%zz", "../../server.db", "targets/../metadata/timestamp.json"})
        EXPECT_EQ(get(path).status, 404) << path;
    EXPECT_EQ(world.ask("GET", "/p/../metadata/timestamp.json").status, 404);
    EXPECT_EQ(world.ask("GET", "/p/other/metadata/timestamp.json").status, 404);
    EXPECT_EQ(world.ask("PUT", "/p/demo/metadata/timestamp.json").status, 405);
}

TEST_F(StaticTree, percent_escapes_mean_the_same_file) {
    EXPECT_EQ(get("metadata/timestamp%2ejson").status, 200);
}

}  // namespace skiff::server::test
