// The client's side of docs/api.md against a scripted server.
#include "cli/remote/http_home.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "base/json.h"
#include "host/scripted/scripted.h"

namespace skiff::cli {
namespace {

using host::HttpRequest;
using Answer = host::ScriptedHttp::Answer;

class HttpHomeTest : public testing::Test {
 protected:
    Answer answer_;
    std::shared_ptr<host::ScriptedHttp> http_ = std::make_shared<host::ScriptedHttp>(
        [this](const HttpRequest&) -> Result<Answer> { return answer_; });
    HttpHome home_{{"https://models.test", "demo", "s3cret-token"}, http_};

    void answer(int status, const std::string& body = "") {
        answer_ = {.status = status, .body = body};
        http_->forget_requests();
    }
    static std::string problem(const std::string& message) {
        return Json({{"error", {{"code", 0}, {"status", "X"}, {"message", message}}}}).dump();
    }
    HttpRequest sent() const {
        const auto requests = http_->requests();
        EXPECT_EQ(requests.size(), 1u);
        return requests.empty() ? HttpRequest() : requests[0];
    }
    static std::string header(const HttpRequest& request, const std::string& wanted) {
        for (const auto& [name, value] : request.headers)
            if (name == wanted) return value;
        return "absent";
    }
};

TEST_F(HttpHomeTest, Version) {
    answer(200, R"({"project":"demo","version":12})");
    EXPECT_EQ(home_.version().value(), 12);
    EXPECT_EQ(sent().url, "https://models.test/v1/projects/demo");
    EXPECT_EQ(header(sent(), "Authorization"), "Bearer s3cret-token");
    answer(404, problem("nothing is published"));
    EXPECT_EQ(home_.version().value(), 0);
    const std::pair<int, std::string> others[] = {
        {200, "<html>"},
        {404, "<html>"},
        {404, ""},
        {200, "[]"},
        {404, problem("there is nothing at this path")},
    };
    for (const auto& [status, body] : others) {
        answer(status, body);
        const auto version = home_.version();
        ASSERT_FALSE(version.ok()) << body;
        EXPECT_NE(version.error().message.find("https://models.test is no Skiff server"),
                  std::string::npos)
            << version.error().message;
    }
}

TEST_F(HttpHomeTest, MessagesHoldNoSecretsOfTheUrl) {
    HttpHome home({"http://user:sekret@host", "demo", "t"}, http_);
    answer(401);
    EXPECT_EQ(home.version().error().message.find("sekret"), std::string::npos);
    EXPECT_EQ(home.describe(), "http://host/p/demo");
    EXPECT_EQ(sent().url, "http://user:sekret@host/v1/projects/demo");
    EXPECT_EQ(home.read("x").error().message.find("sekret"), std::string::npos);
}

TEST_F(HttpHomeTest, ReadsTheStaticTreeWithoutTheToken) {
    answer(200, "bytes");
    EXPECT_EQ(home_.read("metadata/2.models.digits.json").value(), "bytes");
    EXPECT_EQ(sent().url, "https://models.test/p/demo/metadata/2.models.digits.json");
    EXPECT_EQ(header(sent(), "Authorization"), "absent");
    EXPECT_TRUE(home_.exists("targets/x").value());
    answer(404);
    EXPECT_EQ(home_.read("metadata/x").error().code, Code::not_found);
    EXPECT_FALSE(home_.exists("metadata/x").value());
    answer(503);
    EXPECT_EQ(home_.exists("metadata/x").error().code, Code::unavailable);
    EXPECT_TRUE(home_.read("metadata/x").error().retry);
}

TEST_F(HttpHomeTest, NoServerFillsItsMemory) {
    answer(200, std::string((16 << 20) + 1, ' '));
    EXPECT_EQ(home_.read("metadata/timestamp.json").error().code, Code::resource_exhausted);
    EXPECT_FALSE(home_.version().ok());
    EXPECT_FALSE(home_.stats().ok());
    EXPECT_EQ(home_.read("targets/models/digits/ab.1.bin").value().size(), (16u << 20) + 1);
}

TEST_F(HttpHomeTest, PutsTargets) {
    for (const int status : {200, 201}) {
        answer(status);
        EXPECT_TRUE(home_.put_target("targets/models/digits/ab.1.tflite", as_bytes("xyz")).ok());
        EXPECT_EQ(sent().method, "PUT");
        EXPECT_EQ(sent().url,
                  "https://models.test/v1/projects/demo/targets/models/digits/ab.1.tflite");
        EXPECT_EQ(sent().body, "xyz");
    }
    answer(507, problem("the disk is full"));
    const Status full = home_.put_target("targets/models/digits/ab.1.tflite", as_bytes("xyz"));
    EXPECT_EQ(full.error().code, Code::not_enough_space);
    EXPECT_NE(full.error().message.find("the disk is full"), std::string::npos);
}

TEST_F(HttpHomeTest, HandsOverAPublication) {
    publish::Publication publication{12, {{"metadata/timestamp.json", "{\"a\":\"\\\"\"}"}}};
    publication.audit.push_back({"publish", "digits:2", "better"});
    answer(200, R"({"version":13})");
    ASSERT_TRUE(home_.take(publication).ok());
    EXPECT_EQ(sent().method, "POST");
    EXPECT_EQ(sent().url, "https://models.test/v1/projects/demo/publications");
    EXPECT_EQ(header(sent(), "If-Match"), "\"12\"");
    EXPECT_EQ(header(sent(), "If-None-Match"), "absent");
    const Json body = Json::parse(sent().body);
    EXPECT_EQ(body["files"][0]["path"], "metadata/timestamp.json");
    EXPECT_EQ(body["files"][0]["text"], publication.files[0].bytes);
    EXPECT_EQ(body["audit"][0]["subject"], "digits:2");
    publication.base = 0;
    answer(200, R"({"version":1})");
    ASSERT_TRUE(home_.take(publication).ok());
    EXPECT_EQ(header(sent(), "If-None-Match"), "*");
    EXPECT_EQ(header(sent(), "If-Match"), "absent");
    answer(412, problem("the version is 13"));
    EXPECT_EQ(home_.take(publication).error().code, Code::aborted);
}

TEST_F(HttpHomeTest, WrongTokens) {
    answer(401, problem("no"));
    const Error wrong = home_.version().error();
    EXPECT_EQ(wrong.code, Code::unauthenticated);
    EXPECT_NE(wrong.message.find("skiff login https://models.test --project demo"),
              std::string::npos);
    EXPECT_EQ(wrong.message.find("s3cret"), std::string::npos);
    answer(403, problem("this token may only report"));
    const Error scope = home_.version().error();
    EXPECT_EQ(scope.code, Code::permission_denied);
    EXPECT_NE(scope.message.find("this token may only report"), std::string::npos);
}

TEST_F(HttpHomeTest, AuditPageByPage) {
    const auto http =
        std::make_shared<host::ScriptedHttp>([](const HttpRequest& request) -> Result<Answer> {
            const int after = std::stoi(request.url.substr(request.url.find("after=") + 6));
            Json entries = Json::array();
            for (int id = after + 1; id <= std::min(after + 2, 3); ++id)
                entries.push_back({{"id", id},
                                   {"when", "2026-11-28T12:00:00Z"},
                                   {"who", "ci"},
                                   {"what", "publish"},
                                   {"subject", "digits:" + std::to_string(id)},
                                   {"why", ""}});
            return Answer{.body = Json({{"entries", entries}}).dump()};
        });
    HttpHome home({"https://models.test", "demo", "t"}, http);
    const auto entries = home.audit().value();
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries[2].note.subject, "digits:3");
}

}  // namespace
}  // namespace skiff::cli
