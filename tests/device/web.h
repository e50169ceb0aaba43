// Mirrors that a test writes: each base URL is answered by a function, all others cannot be
// reached.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>
#include <memory>
#include <string>

#include "base/files.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "device/download.h"
#include "host/scripted/scripted.h"

namespace skiff::device::testing {

using Answer = host::ScriptedHttp::Answer;
using Handler = host::ScriptedHttp::Handler;

inline std::string header_of(const host::HttpRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers)
        if (key == name) return value;
    return {};
}

class Web : public ::testing::Test {
 protected:
    void SetUp() override {
        char name[] = "/tmp/skiff-device-XXXXXX";
        folder_ = mkdtemp(name);
    }
    void TearDown() override { ASSERT_EQ(system(("rm -rf " + folder_).c_str()), 0); }

    Mirrors mirrors(std::vector<std::string> urls) { return {std::move(urls), http_, clock_}; }

    // What was asked for since the last call: "http://a/targets/x bytes=5-".
    std::vector<std::string> asked() {
        std::vector<std::string> lines;
        for (const host::HttpRequest& request : http_->requests()) {
            const std::string range = header_of(request, "Range");
            lines.push_back(request.url + (range.empty() ? "" : " " + range));
        }
        http_->forget_requests();
        return lines;
    }

    std::string folder_;
    std::map<std::string, Handler> servers_;  // by base URL
    std::shared_ptr<host::ScriptedClock> clock_ = std::make_shared<host::ScriptedClock>(0);
    std::shared_ptr<host::ScriptedHttp> http_ = std::make_shared<host::ScriptedHttp>(
        [this](const host::HttpRequest& request) -> Result<Answer> {
            for (const auto& [base, handler] : servers_)
                if (request.url.starts_with(base + "/")) return handler(request);
            return retryable(Code::no_network, request.url + ": cannot be reached");
        });
};

}  // namespace skiff::device::testing
