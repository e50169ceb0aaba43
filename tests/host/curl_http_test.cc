#include "host/linux/curl_http.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/files.h"
#include "base/hex.h"
#include "base/url.h"
#include "tests/host/raw_server.h"

namespace skiff::host {

namespace {

struct Got {
    Result<HttpResponse> response;
    std::string body;
};

Got get(const HttpRequest& request) {
    std::string body;
    auto response = curl_http()->send(request, [&](const HttpResponse&, Bytes bytes) {
        body += as_text(bytes);
        return true;
    });
    return {std::move(response), std::move(body)};
}

HttpRequest request_of(std::string url) {
    HttpRequest request;
    request.url = std::move(url);
    request.timeout_ms = 2000;
    return request;
}

}  // namespace

TEST(CurlHttp, headers_status_and_body) {
    std::string seen;
    RawServer server([&](const std::string& head) {
        seen = head;
        return std::string(
            "HTTP/1.1 206 Partial Content\r\nETag: \"x\"\r\nContent-Length: 3\r\n\r\nabc");
    });
    HttpRequest request = request_of(server.url() + "/f");
    request.headers = {{"Range", "bytes=7-"}, {"If-Range", "\"x\""}};
    const Got got = get(request);
    ASSERT_TRUE(got.response.ok()) << got.response.error().message;
    EXPECT_EQ(got.response->status, 206);
    EXPECT_EQ(got.response->header("etag"), "\"x\"");
    EXPECT_EQ(got.body, "abc");
    EXPECT_GT(got.response->bytes_on_wire, 100u);
    EXPECT_NE(seen.find("Range: bytes=7-\r\n"), std::string::npos) << seen;
}

TEST(CurlHttp, error_statuses_are_answers) {
    RawServer server([](const std::string&) {
        return std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope");
    });
    const Got got = get(request_of(server.url()));
    ASSERT_TRUE(got.response.ok());
    EXPECT_EQ(got.response->status, 404);
    EXPECT_EQ(got.body, "nope");
}

TEST(CurlHttp, a_server_that_lies_about_length) {
    RawServer server([](const std::string&) {
        return std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    });
    const Got got = get(request_of(server.url()));
    ASSERT_FALSE(got.response.ok());
    EXPECT_EQ(got.response.error().code, Code::data_loss);
    EXPECT_TRUE(got.response.error().retry);
}

TEST(CurlHttp, endless_body_is_cut) {
    RawServer server(
        [](const std::string&) { return "HTTP/1.1 200 OK\r\n\r\n" + std::string(200'000, 'x'); });
    HttpRequest request = request_of(server.url());
    request.max_bytes = 1000;
    const Got got = get(request);
    ASSERT_FALSE(got.response.ok());
    EXPECT_EQ(got.response.error().code, Code::resource_exhausted);
    EXPECT_LE(got.body.size(), 1000u);
}

TEST(CurlHttp, messages_hold_no_secrets) {
    const std::string url = "http://user:sekret@127.0.0.1:1/p?token=sekret#sekret";
    const std::string message = get(request_of(url)).response.error().message;
    EXPECT_EQ(message.rfind("http://127.0.0.1:1/p: ", 0), 0u) << message;
    EXPECT_EQ(message.find("sekret"), std::string::npos) << message;
    EXPECT_EQ(display_url("https://a:b@c@host:8/p@q/?x"), "https://host:8/p@q/");
    EXPECT_EQ(display_url("http://a:b?c@host"), "http://host");
    EXPECT_EQ(display_url("file:///media/usb"), "file:///media/usb");
    EXPECT_EQ(display_url("user:sekret@host/p?x"), "host/p");
}

namespace {

std::string redirect_to(const std::string& where, const char* status = "302 Found") {
    return std::string("HTTP/1.1 ") + status + "\r\nLocation: " + where +
           "\r\nContent-Length: 5\r\n\r\nmoved";
}

}  // namespace

TEST(CurlHttp, follows_redirects_without_the_token) {
    std::string far_saw, near_saw;
    RawServer far([&](const std::string& head) {
        far_saw = head;
        return std::string("HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\nabc");
    });
    RawServer near([&](const std::string& head) {
        if (head.starts_with("GET /a ")) return redirect_to("/b?x", "307 Temporary Redirect");
        near_saw = head;
        return redirect_to(far.url() + "/c");
    });
    HttpRequest request = request_of(near.url() + "/a");
    request.headers = {{"Range", "bytes=7-"}, {"Authorization", "Bearer sekret"}};
    request.max_bytes = 3;  // the pages before do not count
    const Got got = get(request);
    ASSERT_TRUE(got.response.ok()) << got.response.error().message;
    EXPECT_EQ(got.response->status, 206);
    EXPECT_EQ(got.body, "abc");
    EXPECT_GT(got.response->bytes_on_wire, 300u);
    EXPECT_EQ(near_saw.rfind("GET /b?x ", 0), 0u) << near_saw;
    EXPECT_NE(near_saw.find("Bearer sekret"), std::string::npos);
    EXPECT_EQ(far_saw.rfind("GET /c ", 0), 0u) << far_saw;
    EXPECT_NE(far_saw.find("Range: bytes=7-\r\n"), std::string::npos) << far_saw;
    EXPECT_EQ(far_saw.find("sekret"), std::string::npos) << far_saw;
}

TEST(CurlHttp, redirects_end) {
    int asked = 0;
    std::string where = "/again";
    RawServer server([&](const std::string&) {
        ++asked;
        return redirect_to(where);
    });
    EXPECT_NE(get(request_of(server.url())).response.error().message.find("redirects again"),
              std::string::npos);
    EXPECT_EQ(asked, 6);
    where = "file:///etc/passwd";
    const Got file = get(request_of(server.url()));
    EXPECT_NE(file.response.error().message.find("redirects to file:///etc/passwd, which is not"),
              std::string::npos)
        << file.response.error().message;
    EXPECT_EQ(file.body, "");
    HttpRequest post = request_of(server.url());
    post.method = "POST";
    EXPECT_EQ(get(post).response->status, 302);
    EXPECT_TRUE(may_redirect("http://a/", "https://a/"));
    EXPECT_TRUE(may_redirect("https://a/", "HTTPS://b/"));
    EXPECT_FALSE(may_redirect("https://a/", "http://a/"));
    EXPECT_FALSE(may_redirect("http://a/", "gopher://a/"));
    EXPECT_FALSE(may_redirect("http://a/", ""));
}

TEST(CurlHttp, posts) {
    std::string seen;
    RawServer server([&](const std::string& head) {
        seen = head;
        return std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    HttpRequest request = request_of(server.url() + "/r");
    request.method = "POST";
    request.body = "{\"a\":1}";
    EXPECT_TRUE(get(request).response.ok());
    EXPECT_EQ(seen.find("POST /r HTTP/1.1\r\n"), 0u) << seen;
}

TEST(CurlHttp, nobody_there) {
    const Got got = get(request_of("http://127.0.0.1:1/"));
    ASSERT_FALSE(got.response.ok());
    EXPECT_EQ(got.response.error().code, Code::no_network);
    EXPECT_TRUE(got.response.error().retry);
    EXPECT_EQ(get(request_of("gopher://127.0.0.1/")).response.error().code, Code::invalid_argument);
}

TEST(CurlHttp, stops_when_the_receiver_says_so) {
    RawServer server(
        [](const std::string&) { return "HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'); });
    const auto response = curl_http()->send(request_of(server.url()),
                                            [](const HttpResponse&, Bytes) { return false; });
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().code, Code::cancelled);
}

TEST(CurlHttp, stops_while_nothing_comes) {
    std::atomic<bool> stops{false}, over{false};
    RawServer server([&](const std::string&) {
        stops = true;
        while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return std::string("HTTP/1.1 200 OK\r\n\r\n");
    });
    HttpRequest request = request_of(server.url());
    request.stops = &stops;
    const auto begin = std::chrono::steady_clock::now();
    const auto response =
        curl_http()->send(request, [](const HttpResponse&, Bytes) { return true; });
    over = true;
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().code, Code::cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(CurlHttp, file_urls) {
    char name[] = "/tmp/skiff-http-XXXXXX";
    const std::string folder = mkdtemp(name);
    ASSERT_TRUE(write_file(folder + "/f", as_bytes("0123456789")).ok());
    ASSERT_TRUE(write_file(folder + "/empty", {}).ok());
    Got got = get(request_of("file://" + folder + "/f"));
    EXPECT_EQ(got.response->status, 200);
    EXPECT_EQ(got.body, "0123456789");
    HttpRequest rest = request_of("file://" + folder + "/f");
    rest.headers = {{"Range", "bytes=4-"}};
    got = get(rest);
    EXPECT_EQ(got.response->status, 206);
    EXPECT_EQ(got.body, "456789");
    EXPECT_EQ(get(request_of("file://" + folder + "/empty")).response->status, 200);
    EXPECT_EQ(get(request_of("file://" + folder + "/none")).response->status, 404);
    ASSERT_EQ(system(("rm -rf " + folder).c_str()), 0);
}

}  // namespace skiff::host
