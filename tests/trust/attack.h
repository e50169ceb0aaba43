// A device that is up to date, and then the world turns hostile.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "tests/trust/support.h"

namespace skiff::trust {

// After each attack the device must still have what it had, and take the next honest update.
class Attack : public testing::Test {
 protected:
    void SetUp() override {
        world_.publish();
        world_.publish("models/digits/2.tflite", "second model");
        device_ = world_.client();
        ASSERT_TRUE(device_->refresh(RefreshMode::full).ok());
        ASSERT_TRUE(device_->find_target("models/digits/2.tflite").ok());
        before_ = world_.store.files;
        honest_ = world_.tree.files;
    }

    void expect_refused(Code code, const std::set<std::string>& may_change = {}) {
        for (const RefreshMode mode : {RefreshMode::quick, RefreshMode::full}) {
            const auto result = device_->refresh(mode);
            EXPECT_EQ(code_of(result), code) << (result.ok() ? "" : result.error().message);
        }
        for (const auto& [name, bytes] : before_) {
            if (may_change.contains(name)) continue;
            EXPECT_EQ(world_.store.files[name], bytes) << name << " changed";
        }
        EXPECT_TRUE(device_->find_target("models/digits/2.tflite", Source::store).ok());
    }
    void expect_recovers() {
        world_.tree.files = honest_;
        world_.metadata.instead = nullptr;
        for (int i = 0; i < 3; ++i)
            world_.publish("models/digits/9.tflite", "x" + std::to_string(i));
        const auto result = device_->refresh(RefreshMode::quick);
        EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
        EXPECT_TRUE(device_->find_target("models/digits/9.tflite").ok());
    }
    // The body of a file, as the next version.
    Json next(const std::string& file) {
        Json body = world_.body(file);
        body["version"] = body["version"].get<int>() + 1;
        return body;
    }
    void name_snapshot(std::int64_t version) {
        Json timestamp = next("timestamp.json");
        timestamp["meta"]["snapshot.json"] = {{"version", version}};
        world_.forge("timestamp.json", timestamp, {world_.online.get()});
    }

    World world_;
    std::unique_ptr<Client> device_;
    std::map<std::string, std::string> before_, honest_;
};

}  // namespace skiff::trust
