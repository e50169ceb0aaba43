#include "device/download.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "tests/device/web.h"

namespace skiff::device {

namespace {

using testing::Answer;
using testing::Handler;
using testing::header_of;
using Lines = std::vector<std::string>;

class Downloads : public testing::Web {
 protected:
    void SetUp() override {
        Web::SetUp();
        std::mt19937 random(7);
        for (int i = 0; i < 100'000; ++i) body_.push_back(static_cast<char>(random()));
        publish(body_);
        file_ = folder_ + "/blob";
        part_ = file_ + ".part";
    }

    // `target_` names these bytes; good_server() has them.
    void publish(const std::string& body) {
        target_ = {.path = "models/m/1.tflite",
                   .length = body.size(),
                   .hashes = {{"sha256", sha256_hex(as_bytes(body))}},
                   .url_path = "models/m/1.tflite"};
        ASSERT_TRUE(make_folders(folder_ + "/tree/targets/models/m").ok());
        ASSERT_TRUE(write_file(tree_file(), as_bytes(body)).ok());
    }
    std::string tree_file() const { return folder_ + "/tree/targets/models/m/1.tflite"; }
    Handler good_server(const std::string& base) {
        return host::serve_folder(folder_ + "/tree", base);
    }
    // The connection breaks after `bytes` of each body.
    Handler breaking_server(const std::string& base, std::size_t bytes) {
        return [good = good_server(base), bytes](const host::HttpRequest& r) -> Result<Answer> {
            Answer answer = TRY(good(r));
            answer.cut_after = bytes;
            return answer;
        };
    }
    static Handler always(Answer answer) {
        return [answer](const host::HttpRequest&) -> Result<Answer> { return answer; };
    }
    void leave_part(std::string_view bytes) {
        ASSERT_TRUE(write_file(part_, as_bytes(bytes)).ok());
    }
    std::string part() const { return read_file(part_).value(); }

    Status download(Mirrors& mirrors) {
        return download_target(mirrors, target_, file_, [this](const DownloadProgress& now) {
            largest_part_ = std::max(largest_part_, file_size(part_).value());
            EXPECT_EQ(now.total_bytes, target_.length);
            EXPECT_EQ(now.bytes, file_size(part_).value());
            return Status();
        });
    }
    Status download(std::vector<std::string> urls) {
        Mirrors all = mirrors(std::move(urls));
        return download(all);
    }
    void expect_there() {
        EXPECT_EQ(read_file(file_).value(), body_);
        EXPECT_FALSE(file_exists(part_));
    }
    void expect_error(const Status& status, Code code, bool retry) {
        EXPECT_EQ(status.error().code, code) << status.error().message;
        EXPECT_EQ(status.error().retry, retry) << status.error().message;
        EXPECT_FALSE(file_exists(file_));
    }

    std::string body_, file_, part_;
    std::uint64_t largest_part_ = 0;
    trust::TargetInfo target_;
    const std::string url_a_ = "http://a/p/demo/targets/models/m/1.tflite";
    const std::string url_b_ = "http://b/p/demo/targets/models/m/1.tflite";
    const std::string a_ = "http://a/p/demo", b_ = "http://b/p/demo";
};

TEST_F(Downloads, a_file_appears_whole) {
    servers_[a_] = good_server(a_);
    ASSERT_TRUE(download({a_}).ok());
    expect_there();
    EXPECT_EQ(asked(), (Lines{url_a_}));
    ASSERT_TRUE(download({a_ + "//"}).ok());
    EXPECT_EQ(asked(), (Lines{url_a_}));
}

TEST_F(Downloads, an_empty_file) {
    body_.clear();
    publish("");
    ASSERT_TRUE(download(Lines{}).ok());
    expect_there();
    target_.hashes["sha256"] = sha256_hex(as_bytes("x"));
    ASSERT_TRUE(remove_file(file_).ok());
    servers_[a_] = good_server(a_);
    expect_error(download({a_}), Code::hash_mismatch, false);
}

TEST_F(Downloads, what_is_there_is_continued) {
    servers_[a_] = good_server(a_);
    leave_part(body_.substr(0, 60'000));
    Mirrors one = mirrors({a_});
    ASSERT_TRUE(download(one).ok());
    expect_there();
    EXPECT_EQ(asked(), (Lines{url_a_ + " bytes=60000-"}));
    EXPECT_EQ(one.bytes_on_wire(), 40'300u);
}

TEST_F(Downloads, a_whole_part_needs_no_network) {
    leave_part(body_);
    ASSERT_TRUE(download({a_}).ok());
    expect_there();
    EXPECT_EQ(asked(), Lines{});
}

TEST_F(Downloads, a_whole_part_that_is_wrong_is_fetched_anew) {
    servers_[a_] = good_server(a_);
    for (std::size_t bytes : {body_.size(), body_.size() + 1}) {
        leave_part(std::string(bytes, 'x'));
        ASSERT_TRUE(download({a_}).ok());
        expect_there();
        EXPECT_EQ(asked(), (Lines{url_a_}));
    }
}

TEST_F(Downloads, bytes_of_an_earlier_attempt_are_not_trusted) {
    servers_[a_] = good_server(a_);
    leave_part(std::string(60'000, 'x'));
    ASSERT_TRUE(download({a_}).ok());
    expect_there();
    EXPECT_EQ(asked(), (Lines{url_a_ + " bytes=60000-", url_a_}));
}

TEST_F(Downloads, another_mirror_goes_on_where_one_breaks_off) {
    servers_[a_] = breaking_server(a_, 30'000);
    servers_[b_] = good_server(b_);
    Mirrors both = mirrors({a_, b_});
    ASSERT_TRUE(download(both).ok());
    expect_there();
    EXPECT_EQ(header_of(http_->requests()[1], "If-Range"), "");  // a tag of the other mirror
    EXPECT_EQ(asked(), (Lines{url_a_, url_b_ + " bytes=30000-"}));
    EXPECT_EQ(both.in_order(), (Lines{b_, a_}));
    EXPECT_GT(both.bytes_on_wire(), 100'000u);
}

TEST_F(Downloads, a_lone_mirror_that_breaks_off_is_asked_again_with_its_tag) {
    servers_[a_] = breaking_server(a_, 45'000);
    ASSERT_TRUE(download({a_}).ok());
    expect_there();
    const auto requests = http_->requests();
    EXPECT_EQ(header_of(requests[1], "If-Range").size(), 18u);
    EXPECT_EQ(asked(), (Lines{url_a_, url_a_ + " bytes=45000-", url_a_ + " bytes=90000-"}));
}

TEST_F(Downloads, a_weak_tag_says_nothing_about_ranges) {
    servers_[a_] = [good =
                        breaking_server(a_, 60'000)](const host::HttpRequest& r) -> Result<Answer> {
        Answer answer = TRY(good(r));
        answer.headers = {{"etag", "W/\"1\""}};
        return answer;
    };
    ASSERT_TRUE(download({a_}).ok());
    EXPECT_EQ(header_of(http_->requests()[1], "If-Range"), "");
}

TEST_F(Downloads, breaking_off_without_end_leaves_the_rest_for_later) {
    servers_[a_] = breaking_server(a_, 10'000);
    expect_error(download({a_}), Code::data_loss, true);
    EXPECT_EQ(part(), body_.substr(0, 30'000));
    EXPECT_EQ(asked().size(), 3u);
}

TEST_F(Downloads, a_server_without_ranges_starts_anew) {
    servers_[a_] = always({200, {}, body_});
    leave_part(body_.substr(0, 60'000));
    ASSERT_TRUE(download({a_}).ok());
    expect_there();
    EXPECT_EQ(asked(), (Lines{url_a_ + " bytes=60000-"}));
}

TEST_F(Downloads, a_range_that_is_refused_is_asked_for_from_the_start) {
    servers_[a_] = [this](const host::HttpRequest& r) -> Result<Answer> {
        if (!header_of(r, "Range").empty()) return Answer{416, {}, ""};
        return Answer{200, {}, body_};
    };
    leave_part(body_.substr(0, 60'000));
    ASSERT_TRUE(download({a_}).ok());
    expect_there();
    EXPECT_EQ(asked(), (Lines{url_a_ + " bytes=60000-", url_a_}));

    servers_[a_] = always({416, {}, "what range?"});
    ASSERT_TRUE(remove_file(file_).ok());
    leave_part(body_.substr(0, 60'000));
    expect_error(download({a_}), Code::unavailable, true);
    EXPECT_EQ(asked(), (Lines{url_a_ + " bytes=60000-", url_a_}));
}

TEST_F(Downloads, another_range_than_asked_for_is_not_written) {
    servers_[a_] = always({206, {{"content-range", "bytes 59999-99999/100000"}}, "abc"});
    leave_part(body_.substr(0, 60'000));
    expect_error(download({a_}), Code::data_loss, true);
    EXPECT_EQ(part(), body_.substr(0, 60'000));
    ASSERT_TRUE(remove_file(part_).ok());
    servers_[a_] = always({206, {}, body_});  // nobody asked for a part
    expect_error(download({a_}), Code::data_loss, true);
}

TEST_F(Downloads, a_wrong_body_is_refused_once_per_mirror) {
    std::string wrong = body_;
    wrong[50'000] ^= 1;
    servers_[a_] = always({200, {}, wrong});
    servers_[b_] = always({200, {}, wrong});
    const Status status = download({a_, b_});
    expect_error(status, Code::hash_mismatch, false);
    EXPECT_NE(status.error().message.find("sha256"), std::string::npos);
    EXPECT_FALSE(file_exists(part_));
    EXPECT_EQ(asked(), (Lines{url_a_, url_b_}));

    servers_[b_] = good_server(b_);
    ASSERT_TRUE(download({a_, b_}).ok());
    expect_there();
    EXPECT_EQ(asked(), (Lines{url_a_, url_b_}));
}

TEST_F(Downloads, a_wrong_mirror_is_not_asked_for_the_rest) {
    servers_[a_] = always({200, {}, std::string(body_.size(), 'x')});
    servers_[b_] = breaking_server(b_, 40'000);
    ASSERT_TRUE(download({a_, b_}).ok());
    expect_there();
    EXPECT_EQ(asked(), (Lines{url_a_, url_b_, url_b_ + " bytes=40000-", url_b_ + " bytes=80000-"}));
}

TEST_F(Downloads, a_mirror_may_come_back_after_another_was_wrong) {
    servers_[a_] = always({200, {}, std::string(body_.size(), 'x')});
    expect_error(download({a_, b_}), Code::no_network, true);
    expect_error(download({b_, a_}), Code::no_network, true);
}

TEST_F(Downloads, nothing_beyond_the_length_is_written) {
    const std::string longer = body_ + std::string(5'000'000, 'x');
    for (const auto& headers : std::vector<decltype(Answer::headers)>{
             {}, {{"content-length", std::to_string(longer.size())}}}) {
        servers_[a_] = always({200, headers, longer});
        expect_error(download({a_}), Code::hash_mismatch, false);
        EXPECT_FALSE(file_exists(part_));
        EXPECT_LE(largest_part_, body_.size());
        EXPECT_EQ(asked().size(), 1u);
    }
    servers_[a_] = always({206, {}, longer});
    leave_part(body_.substr(0, 60'000));
    expect_error(download({a_}), Code::hash_mismatch, false);
    EXPECT_FALSE(file_exists(part_));
    EXPECT_LE(largest_part_, body_.size());
}

TEST_F(Downloads, a_shorter_body_is_continued) {
    servers_[a_] = [this](const host::HttpRequest& r) -> Result<Answer> {
        const bool first = header_of(r, "Range").empty();
        return Answer{
            first ? 200 : 206, {}, first ? body_.substr(0, 25'000) : body_.substr(25'000)};
    };
    ASSERT_TRUE(download({a_}).ok());
    expect_there();
    EXPECT_EQ(asked(), (Lines{url_a_, url_a_ + " bytes=25000-"}));
}

TEST_F(Downloads, a_portals_page_is_not_taken_for_the_file) {
    servers_[a_] = always({200, {{"content-length", "9"}}, "Log in at"});
    leave_part(body_.substr(0, 60'000));
    expect_error(download({a_}), Code::data_loss, true);
    EXPECT_EQ(part(), body_.substr(0, 60'000));
}

TEST_F(Downloads, error_pages_are_not_written) {
    for (int status : {301, 403, 404, 500, 503}) {
        servers_[a_] = always({status, {}, std::string(400'000, '?')});
        leave_part(body_.substr(0, 60'000));
        const Status refused = download({a_});
        expect_error(refused, Code::unavailable, true);
        EXPECT_EQ(refused.error().message, url_a_ + ": HTTP " + std::to_string(status));
        EXPECT_EQ(part(), body_.substr(0, 60'000));
    }
}

TEST_F(Downloads, without_a_network) {
    expect_error(download({a_, b_}), Code::no_network, true);
    EXPECT_FALSE(file_exists(part_));
    EXPECT_EQ(asked().size(), 2u);
    http_ = nullptr;
    expect_error(download({a_}), Code::no_network, false);
    expect_error(download(Lines{}), Code::invalid_argument, false);
}

TEST_F(Downloads, the_caller_ends_it_between_pieces) {
    servers_[a_] = good_server(a_);
    Mirrors one = mirrors({a_});
    const auto until = [&](std::uint64_t bytes) {
        return download_target(one, target_, file_, [=](const DownloadProgress& now) -> Status {
            if (now.bytes < bytes) return {};
            return error(Code::cancelled, "enough");
        });
    };
    expect_error(until(40'000), Code::cancelled, false);
    EXPECT_EQ(part(), body_.substr(0, 49'152));
    EXPECT_EQ(one.in_order(), (Lines{a_}));
    expect_error(until(40'000), Code::cancelled, false);
    EXPECT_EQ(asked(), (Lines{url_a_}));  // asked before the second request, which was not made
    ASSERT_TRUE(download(one).ok());
    expect_there();
}

TEST_F(Downloads, a_full_disk) {
    servers_[a_] = good_server(a_);
    ASSERT_EQ(symlink("/dev/full", part_.c_str()), 0);
    Mirrors one = mirrors({a_, b_});
    expect_error(download_target(one, target_, file_, [](const auto&) { return Status(); }),
                 Code::not_enough_space, false);
    EXPECT_EQ(asked(), (Lines{url_a_}));  // no mirror can help
    EXPECT_EQ(one.in_order(), (Lines{a_, b_}));
}

TEST_F(Downloads, the_rate_is_that_of_the_last_seconds) {
    publish(std::string(1 << 20, 'x'));  // 64 pieces of 16 KB
    servers_[a_] = good_server(a_);
    Mirrors one = mirrors({a_});
    std::vector<double> rates;
    ASSERT_TRUE(download_target(one, target_, file_, [&](const DownloadProgress& now) {
                    rates.push_back(now.bytes_per_s);
                    clock_->advance_ms(rates.size() < 30 ? 100 : 500);
                    return Status();
                }).ok());
    ASSERT_EQ(rates.size(), 65u);
    EXPECT_EQ(rates[0], 0);
    EXPECT_NEAR(rates[10], 163'840, 1);
    EXPECT_NEAR(rates[29], 163'840, 1);
    EXPECT_NEAR(rates[64], 32'768, 1);
}

TEST_F(Downloads, files_are_mirrors_too) {
    const auto http = host::system_host().http;
    if (!http) GTEST_SKIP() << "this build has no HTTP of its own (SKIFF_HOST=none)";
    Mirrors stick({"file://" + folder_ + "/tree"}, http, clock_);
    ASSERT_TRUE(download(stick).ok());
    expect_there();
    ASSERT_TRUE(remove_file(file_).ok());
    leave_part(body_.substr(0, 60'000));
    ASSERT_TRUE(download(stick).ok());
    expect_there();
    EXPECT_EQ(stick.bytes_on_wire(), 0u);
    ASSERT_TRUE(remove_file(file_).ok());
    ASSERT_TRUE(remove_file(tree_file()).ok());
    expect_error(download(stick), Code::unavailable, true);
}

}  // namespace

}  // namespace skiff::device
