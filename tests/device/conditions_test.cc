#include "device/conditions.h"

#include <gtest/gtest.h>

#include <memory>

#include "host/scripted/scripted.h"

namespace skiff::device {

namespace {

// Facts with the sources that a Linux system gives.
class Facts final : public host::Power, public host::Network {
 public:
    host::PowerState power_state;
    host::NetworkState network_state;
    host::PowerState power() override { return power_state; }
    host::NetworkState network() override { return network_state; }
};

class Conditions : public testing::Test {
 protected:
    Conditions() {
        host_.clock = clock_;
        host_.power = facts_;
        host_.network = facts_;
        set_network(true, false);
        facts_->power_state = {{true, "/sys/class/power_supply/AC"},
                               {80, "/sys/class/power_supply/BAT0"},
                               {true, "logind IdleHint"}};
    }
    void set_network(std::optional<bool> online, std::optional<bool> metered) {
        facts_->network_state = {{online, "/proc/net/route"}, {metered, "NetworkManager"}};
    }
    void set_time(int hour, int minute) { clock_->jump_to((hour * 60 + minute) * 60'000LL); }
    Permission ask(const DownloadConditions& conditions, std::uint64_t bytes = 0,
                   std::uint64_t used = 0) {
        return permission(conditions, host_, bytes, used);
    }
    void expect_waits(const DownloadConditions& conditions, const std::string& why,
                      std::uint64_t bytes = 0, std::uint64_t used = 0) {
        const Permission p = ask(conditions, bytes, used);
        EXPECT_FALSE(p.allowed);
        EXPECT_FALSE(p.metered);
        EXPECT_EQ(p.why, why);
    }
    void expect_allowed(const DownloadConditions& conditions, const std::string& why,
                        bool metered = false, std::uint64_t bytes = 0, std::uint64_t used = 0) {
        const Permission p = ask(conditions, bytes, used);
        EXPECT_TRUE(p.allowed) << p.why;
        EXPECT_EQ(p.metered, metered);
        EXPECT_EQ(p.why, why);
    }

    std::shared_ptr<host::ScriptedClock> clock_ = std::make_shared<host::ScriptedClock>(0);
    std::shared_ptr<Facts> facts_ = std::make_shared<Facts>();
    host::Host host_;
};

TEST_F(Conditions, none_hold_nothing_back_but_being_offline_does) {
    expect_allowed({}, "");
    set_network(true, true);
    expect_allowed({}, "", true);
    set_network(std::nullopt, std::nullopt);
    expect_allowed({}, "");
    set_network(false, std::nullopt);
    expect_waits({}, "waits for a network: offline (/proc/net/route)");
}

TEST_F(Conditions, wifi_means_not_metered) {
    const DownloadConditions wifi{.wifi = true};
    expect_allowed(wifi, "this network is not metered (NetworkManager)");
    set_network(true, std::nullopt);
    expect_allowed(wifi, "nothing says that this network is metered");
    set_network(true, true);
    expect_waits(wifi, "waits for wifi: this network is metered (NetworkManager)");
    set_network(std::nullopt, true);
    expect_waits(wifi, "waits for wifi: this network is metered (NetworkManager)");
    set_network(false, true);
    expect_waits(wifi, "waits for a network: offline (/proc/net/route)");
}

TEST_F(Conditions, a_metered_network_carries_up_to_its_allowance) {
    set_network(true, true);
    for (bool wifi : {true, false}) {
        const DownloadConditions some{.wifi = wifi, .metered_bytes_per_month = 10'000'000};
        expect_allowed(some,
                       "within the metered allowance of this month: 0.0 KB of 10 MB "
                       "(NetworkManager)",
                       true, 10'000'000);
        expect_allowed(some,
                       "within the metered allowance of this month: 4.0 MB of 10 MB "
                       "(NetworkManager)",
                       true, 6'000'000, 4'000'000);
        expect_waits(some,
                     "the metered allowance of this month is too small for 6.0 MB: used are 4.0 "
                     "MB of 10 MB (NetworkManager)",
                     6'000'001, 4'000'000);
        expect_waits(some,
                     "the metered allowance of this month is used up: 10.0 MB of 10 MB "
                     "(NetworkManager)",
                     0, 10'000'000);
        EXPECT_FALSE(ask(some, UINT64_MAX, 1).allowed);
        EXPECT_FALSE(ask(some, 1, UINT64_MAX).allowed);
    }
    set_network(true, false);
    // 0 is a limit too, no limit is none.
    set_network(true, true);
    for (bool wifi : {true, false})
        expect_waits({.wifi = wifi, .metered_bytes_per_month = 0},
                     "waits for wifi: this network is metered (NetworkManager) and may carry "
                     "nothing",
                     1);
    set_network(true, false);
    expect_allowed({.metered_bytes_per_month = 0}, "");
    expect_allowed({.wifi = true, .metered_bytes_per_month = 1},
                   "this network is not metered (NetworkManager)", false, 1'000, 1'000);
}

TEST_F(Conditions, charging) {
    const DownloadConditions charging{.charging = true};
    expect_allowed(charging, "on external power (/sys/class/power_supply/AC)");
    facts_->power_state.charging = {false, "/sys/class/power_supply/BAT0"};
    facts_->power_state.battery_percent = {54, "/sys/class/power_supply/BAT0"};
    expect_waits(charging, "waits for a charger: on battery, 54 % (/sys/class/power_supply/BAT0)");
    facts_->power_state.battery_percent = {};
    expect_waits(charging, "waits for a charger: on battery (/sys/class/power_supply/BAT0)");
    facts_->power_state.charging = {};
    expect_allowed(charging, "nothing says whether this device is charging");
}

TEST_F(Conditions, battery) {
    const DownloadConditions battery{.min_battery_percent = 30};
    facts_->power_state.battery_percent = {30, "BAT0"};
    expect_allowed(battery, "battery at 30 % (BAT0)");
    facts_->power_state.battery_percent = {12, "BAT0"};
    expect_waits(battery, "waits for a battery of at least 30 %: 12 % now (BAT0)");
    facts_->power_state.battery_percent = {};
    expect_allowed(battery, "nothing says how full the battery is");
}

TEST_F(Conditions, idle) {
    const DownloadConditions idle{.idle = true};
    expect_allowed(idle, "not in use (logind IdleHint)");
    facts_->power_state.idle = {false, "logind IdleHint"};
    expect_waits(idle, "waits until nobody uses the device: it is in use (logind IdleHint)");
    facts_->power_state.idle = {};
    expect_allowed(idle, "nothing says whether this device is in use");
}

TEST_F(Conditions, window_of_the_day) {
    const DownloadConditions night{.between = *parse_window("02:00", "05:00")};
    set_time(1, 59);
    expect_waits(night, "waits until 02:00: it is 01:59 here");
    set_time(2, 0);
    expect_allowed(night, "it is 02:00 here, before 05:00");
    set_time(4, 59);
    EXPECT_TRUE(ask(night).allowed);
    set_time(5, 0);
    expect_waits(night, "waits until 02:00: it is 05:00 here");
}

TEST_F(Conditions, window_across_midnight) {
    const DownloadConditions late{.between = *parse_window("22:30", "01:15")};
    for (const auto& [hour, minute, inside] :
         std::vector<std::tuple<int, int, bool>>{{22, 29, false},
                                                 {22, 30, true},
                                                 {23, 59, true},
                                                 {0, 0, true},
                                                 {1, 14, true},
                                                 {1, 15, false},
                                                 {12, 0, false}}) {
        set_time(hour, minute);
        EXPECT_EQ(ask(late).allowed, inside) << hour << ":" << minute;
    }
}

TEST_F(Conditions, an_empty_window_is_said_to_be_a_mistake) {
    expect_waits({.between = LocalTimeWindow{120, 120}},
                 "the time window 02:00 to 02:00 is empty (give another one)");
}

TEST_F(Conditions, all_that_is_waited_for_is_named) {
    set_network(true, true);
    facts_->power_state.charging = {false, "BAT0"};
    expect_waits({.wifi = true, .charging = true, .idle = true, .min_battery_percent = 90},
                 "waits for wifi: this network is metered (NetworkManager); waits for a charger: "
                 "on battery, 80 % (BAT0); waits for a battery of at least 90 %: 80 % now "
                 "(/sys/class/power_supply/BAT0)");
}

TEST_F(Conditions, a_host_that_tells_nothing_holds_nothing_back) {
    host_ = {};
    const Permission p = ask({.wifi = true,
                              .charging = true,
                              .idle = true,
                              .min_battery_percent = 50,
                              .between = LocalTimeWindow{0, 1}},
                             1'000);
    EXPECT_TRUE(p.allowed) << p.why;
}

TEST(Words, times_of_day) {
    const auto window = parse_window("00:00", "23:59");
    ASSERT_TRUE(window.ok());
    EXPECT_EQ(window->from_minute, 0);
    EXPECT_EQ(window->to_minute, 23 * 60 + 59);
    for (const char* bad : {"", "2:00", "24:00", "02:60", "02.00", "ab:cd", "02:00 ", "-1:00",
                            "0/:00", "0::00", "02:0:"}) {
        EXPECT_EQ(parse_window(bad, "05:00").error().code, Code::invalid_argument) << bad;
        EXPECT_EQ(parse_window("05:00", bad).error().code, Code::invalid_argument) << bad;
    }
    EXPECT_EQ(parse_window("26:00", "05:00").error().message,
              "'26:00' is no time of day (give one like 02:00, to 23:59)");
    EXPECT_EQ(parse_window("05:00", "05:00").error().code, Code::invalid_argument);
}

TEST(Words, versions) {
    EXPECT_EQ(to_string({"digits", 3, "ab"}), "digits:3");
    EXPECT_EQ(to_string({"digits", 0, "ab"}), "digits (bundled)");
}

}  // namespace

}  // namespace skiff::device
