#include <gtest/gtest.h>

#include "tests/device/web.h"

namespace skiff::device {

namespace {

using testing::Answer;
using testing::Handler;
using testing::header_of;
using trust::Fetched;
using Lines = std::vector<std::string>;

class Metadata : public testing::Web {
 protected:
    // Answers with one file whatever is asked for, and knows its tag.
    static Handler server_of(std::string body, std::string etag) {
        return [=](const host::HttpRequest& request) -> Result<Answer> {
            if (!etag.empty() && header_of(request, "If-None-Match") == etag)
                return Answer{304, {}, ""};
            return Answer{200, {{"etag", etag}}, body};
        };
    }
    static Handler status_of(int status, std::string body = "page") {
        return [=](const host::HttpRequest&) -> Result<Answer> { return Answer{status, {}, body}; };
    }
    Result<Fetched> get(const std::string& path, const std::string& etag = "",
                        std::uint64_t max_bytes = 1000) {
        return MetadataFetcher(mirrors_).get(path, max_bytes, etag);
    }
    const std::string a_ = "http://a/p", b_ = "http://b/p";
    Mirrors mirrors_ = mirrors({a_ + "/", b_});
};

TEST_F(Metadata, a_tag_belongs_to_its_mirror) {
    servers_[a_] = server_of("from a", "\"1\"");
    servers_[b_] = server_of("from b", "\"1\"");
    const auto first = get("timestamp.json");
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(first->kind, Fetched::Kind::file);
    EXPECT_EQ(first->bytes, "from a");
    EXPECT_NE(first->etag, "\"1\"");
    EXPECT_EQ(asked(), (Lines{a_ + "/metadata/timestamp.json"}));
    EXPECT_EQ(get("timestamp.json", first->etag)->kind, Fetched::Kind::not_modified);

    servers_.erase(a_);
    const auto second = get("timestamp.json", first->etag);
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(second->bytes, "from b");  // not a 304 by another mirror's tag
    EXPECT_EQ(get("timestamp.json", second->etag)->kind, Fetched::Kind::not_modified);
}

TEST_F(Metadata, a_mirror_of_a_longer_url_is_another) {
    Mirrors two = mirrors({a_, a_ + "2"});
    servers_[a_ + "2"] = server_of("from a2", "\"1\"");
    MetadataFetcher fetcher(two);
    const auto first = fetcher.get("timestamp.json", 100, "");
    ASSERT_TRUE(first.ok());
    servers_[a_] = server_of("from a", "\"1\"");
    clock_->advance_ms(300'000);
    EXPECT_EQ(fetcher.get("timestamp.json", 100, first->etag)->bytes, "from a");
}

TEST_F(Metadata, without_tags) {
    servers_[a_] = server_of("x", "");
    EXPECT_EQ(get("timestamp.json")->etag, "");
    EXPECT_EQ(header_of(http_->requests()[0], "If-None-Match"), "");
    servers_[a_] = status_of(304, "");
    servers_[b_] = status_of(304, "");
    EXPECT_EQ(get("timestamp.json").error().code, Code::unavailable);  // nobody asked for it
}

TEST_F(Metadata, what_one_mirror_has_not_the_other_may_have) {
    for (int status : {403, 404, 410}) {
        servers_[a_] = status_of(status);
        servers_[b_] = server_of("x", "");
        EXPECT_EQ(get("3.snapshot.json")->bytes, "x");
        EXPECT_EQ(mirrors_.in_order(), (Lines{a_, b_}));
        servers_[b_] = status_of(status);
        EXPECT_EQ(get("3.snapshot.json")->kind, Fetched::Kind::not_found);
    }
    EXPECT_EQ(get("timestamp.json")->kind, Fetched::Kind::not_found);
    servers_[b_] = server_of("x", "");
    EXPECT_EQ(get("timestamp.json")->bytes, "x");
    EXPECT_EQ(mirrors_.in_order(), (Lines{b_, a_}));  // a is no repository
}

TEST_F(Metadata, only_a_new_root_may_be_absent_while_a_mirror_is_down) {
    servers_[a_] = status_of(404);
    EXPECT_EQ(get("2.root.json")->kind, Fetched::Kind::not_found);
    for (const char* file : {"timestamp.json", "3.snapshot.json"}) {
        const auto fetched = get(file);
        EXPECT_EQ(fetched.error().code, Code::no_network);
        EXPECT_TRUE(fetched.error().retry);
    }
}

TEST_F(Metadata, no_more_than_asked_for_is_held) {
    servers_[a_] = server_of(std::string(1001, 'x'), "");
    EXPECT_EQ(get("timestamp.json").error().code, Code::no_network);  // b's, the last
    servers_[b_] = servers_[a_];
    EXPECT_EQ(get("timestamp.json").error().code, Code::resource_exhausted);
    servers_[b_] = server_of(std::string(1000, 'x'), "");
    EXPECT_EQ(get("timestamp.json")->bytes.size(), 1000u);
    servers_[a_] = servers_[b_] = server_of(std::string(10'000'000, 'x'), "");
    EXPECT_EQ(get("timestamp.json", "", 9'000'000).error().code, Code::resource_exhausted);
}

TEST_F(Metadata, error_pages_of_any_length_are_their_status) {
    for (std::size_t bytes : {2'000, 1'000'000}) {
        servers_[a_] = servers_[b_] = status_of(404, std::string(bytes, '?'));
        EXPECT_EQ(get("2.root.json")->kind, Fetched::Kind::not_found);
        servers_[a_] = servers_[b_] = status_of(503, std::string(bytes, '?'));
        const auto busy = get("2.root.json");
        EXPECT_EQ(busy.error().code, Code::unavailable);
        EXPECT_TRUE(busy.error().retry);
        EXPECT_EQ(busy.error().message.substr(10), "/metadata/2.root.json: HTTP 503");
    }
}

TEST_F(Metadata, with_nobody_to_ask) {
    Mirrors none = mirrors({});
    EXPECT_EQ(MetadataFetcher(none).get("timestamp.json", 100, "").error().code,
              Code::invalid_argument);
    Mirrors silent({a_}, nullptr, clock_);
    EXPECT_FALSE(silent.has_http());
    const auto fetched = MetadataFetcher(silent).get("timestamp.json", 100, "");
    EXPECT_EQ(fetched.error().code, Code::no_network);
    EXPECT_FALSE(fetched.error().retry);
}

TEST_F(Metadata, a_failed_mirror_stands_last_for_five_minutes) {
    Mirrors three = mirrors({"http://1", "http://2", "http://3"});
    three.failed("http://1");
    clock_->advance_ms(1'000);
    three.failed("http://2");
    EXPECT_EQ(three.in_order(), (Lines{"http://3", "http://1", "http://2"}));
    three.answered("http://2");
    EXPECT_EQ(three.in_order(), (Lines{"http://2", "http://3", "http://1"}));
    clock_->advance_ms(298'999);
    EXPECT_EQ(three.in_order(), (Lines{"http://2", "http://3", "http://1"}));
    clock_->advance_ms(1);
    EXPECT_EQ(three.in_order(), (Lines{"http://1", "http://2", "http://3"}));
}

TEST_F(Metadata, what_a_broken_transfer_carried_is_counted) {
    servers_["https://s"] = [](const host::HttpRequest&) -> Result<Answer> {
        return Answer{200, {}, std::string(100'000, 'x'), 50'000};
    };
    const auto carried = [&](const std::string& url) {
        const std::uint64_t before = mirrors_.bytes_on_wire();
        (void)mirrors_.send({.url = url}, [](const auto&, Bytes) { return true; });
        return mirrors_.bytes_on_wire() - before;
    };
    EXPECT_EQ(carried("https://s/x"), 57'530u);  // body, headers, 3 % and a handshake
    servers_["http://s"] = servers_["https://s"];
    EXPECT_EQ(carried("http://s/x"), 51'000u);
    EXPECT_EQ(carried("http://nobody/x"), 0u);
    servers_["http://s"] = status_of(200, "1234567890");
    EXPECT_EQ(carried("http://s/x"), 310u);  // as the host says
}

}  // namespace

}  // namespace skiff::device
