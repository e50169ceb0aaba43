// Downloads through the HTTP of this system, from servers that lie.
#include <gtest/gtest.h>

#include "tests/device/web.h"
#include "tests/host/raw_server.h"

namespace skiff::device {

namespace {

class RealHttp : public testing::Web {
 protected:
    void SetUp() override {
        Web::SetUp();
        if (!host::system_host().http)
            GTEST_SKIP() << "this build has no HTTP of its own (SKIFF_HOST=none)";
        for (int i = 0; body_.size() < 300'000; ++i) body_ += std::to_string(i) + " ";
        target_ = {"m", body_.size(), {{"sha256", sha256_hex(as_bytes(body_))}}, "", "", "m/1"};
    }
    Status download(const std::vector<std::string>& urls) {
        Mirrors all(urls, host::system_host().http, clock_);
        return download_target(all, target_, folder_ + "/blob",
                               [](const DownloadProgress&) { return Status(); });
    }
    void expect_there() {
        EXPECT_EQ(read_file(folder_ + "/blob").value(), body_);
        EXPECT_FALSE(file_exists(folder_ + "/blob.part"));
    }
    static std::string answer(const std::string& status, const std::string& headers,
                              const std::string& body) {
        return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + headers + "\r\n" + body;
    }
    // What was asked for, from "Range: bytes=N-"; 0 without.
    static std::size_t start_of(const std::string& head) {
        const std::size_t at = head.find("Range: bytes=");
        return at == head.npos ? 0 : std::stoul(head.substr(at + 13));
    }
    std::string body_;
    trust::TargetInfo target_;
};

TEST_F(RealHttp, a_connection_that_breaks_is_continued) {
    std::string heads;
    RawServer server([&](const std::string& head) {
        heads += head;
        const std::size_t from = start_of(head);
        const std::string rest = body_.substr(from);
        return answer(
            from == 0 ? "200 OK" : "206 Partial Content",
            "ETag: \"1\"\r\nContent-Length: " + std::to_string(rest.size()) + "\r\n" +
                (from == 0 ? "" : "Content-Range: bytes " + std::to_string(from) + "-/*\r\n"),
            rest.substr(0, 200'000));
    });
    ASSERT_TRUE(download({server.url() + "/p/demo/"}).ok());
    expect_there();
    EXPECT_NE(heads.find("GET /p/demo/targets/m/1 HTTP/1.1"), heads.npos);
    EXPECT_NE(heads.find("Range: bytes=200000-"), heads.npos);
    EXPECT_NE(heads.find("If-Range: \"1\""), heads.npos);
}

TEST_F(RealHttp, a_body_without_end_is_cut_and_the_other_mirror_asked) {
    RawServer endless([&](const std::string&) {
        return answer("200 OK", "", body_ + std::string(2'000'000, 'x'));
    });
    RawServer too_long([&](const std::string&) {
        return answer("200 OK", "Content-Length: 900000\r\n", body_ + std::string(600'000, 'x'));
    });
    RawServer good([&](const std::string&) { return answer("200 OK", "", body_); });
    const Status status = download({endless.url(), too_long.url()});
    EXPECT_EQ(status.error().code, Code::hash_mismatch) << status.error().message;
    EXPECT_FALSE(file_exists(folder_ + "/blob.part"));
    ASSERT_TRUE(download({endless.url(), too_long.url(), good.url()}).ok());
    expect_there();
}

TEST_F(RealHttp, a_range_that_is_refused) {
    RawServer server([&](const std::string& head) {
        if (start_of(head) > 0)
            return answer("416 Range Not Satisfiable", "Content-Length: 3\r\n", "no\n");
        return answer("200 OK", "Content-Length: " + std::to_string(body_.size()) + "\r\n", body_);
    });
    ASSERT_TRUE(write_file(folder_ + "/blob.part", as_bytes("an older file")).ok());
    ASSERT_TRUE(download({server.url()}).ok());
    expect_there();
}

}  // namespace

}  // namespace skiff::device
