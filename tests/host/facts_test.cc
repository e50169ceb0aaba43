#include "host/linux/facts.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/files.h"
#include "base/hex.h"

namespace skiff::host {

namespace {

class Facts : public testing::Test {
 protected:
    void SetUp() override {
        char name[] = "/tmp/skiff-facts-XXXXXX";
        root_ = mkdtemp(name);
    }
    void TearDown() override { ASSERT_EQ(system(("rm -rf " + root_).c_str()), 0); }
    void put(const std::string& path, const std::string& text) {
        ASSERT_TRUE(make_folders(root_ + path.substr(0, path.find_last_of('/'))).ok());
        ASSERT_TRUE(write_file(root_ + path, as_bytes(text + "\n")).ok());
    }
    std::string root_;
};

}  // namespace

TEST_F(Facts, phone_on_battery) {
    put("/sys/class/power_supply/BAT0/type", "Battery");
    put("/sys/class/power_supply/BAT0/status", "Discharging");
    put("/sys/class/power_supply/BAT0/capacity", "41");
    put("/sys/class/power_supply/AC/type", "Mains");
    put("/sys/class/power_supply/AC/online", "0");
    put("/sys/class/power_supply/mouse/type", "Battery");
    put("/sys/class/power_supply/mouse/scope", "Device");
    put("/sys/class/power_supply/mouse/status", "Full");
    put("/proc/loadavg", "2.50 1.00 0.50 1/100 1");
    const PowerState state = linux_power(root_)->power();
    EXPECT_EQ(state.charging.value, false);
    EXPECT_EQ(state.charging.source, root_ + "/sys/class/power_supply/BAT0/status");
    EXPECT_EQ(state.battery_percent.value, 41);
    EXPECT_EQ(state.idle.value, false);
}

TEST_F(Facts, on_the_mains) {
    put("/sys/class/power_supply/BAT0/type", "Battery");
    put("/sys/class/power_supply/BAT0/status", "Discharging");
    put("/sys/class/power_supply/USB/type", "USB");
    put("/sys/class/power_supply/USB/online", "1");
    put("/proc/loadavg", "0.10 1.00 0.50 1/100 1");
    const PowerState state = linux_power(root_)->power();
    EXPECT_EQ(state.charging.value, true);
    EXPECT_EQ(state.idle.value, true);
}

TEST_F(Facts, no_battery_is_always_charging) {
    const PowerState state = linux_power(root_)->power();
    EXPECT_EQ(state.charging.value, true);
    EXPECT_FALSE(state.battery_percent.value.has_value());
    EXPECT_FALSE(state.idle.value.has_value());
}

TEST_F(Facts, networks) {
    EXPECT_EQ(linux_network(root_)->network().online.value, false);
    put("/proc/net/route",
        "Iface Destination Gateway\neth0 0000A8C0 00000000\neth0 00000000 0100A8C0");
    NetworkState state = linux_network(root_)->network();
    EXPECT_EQ(state.online.value, true);
    EXPECT_EQ(state.metered.value, false);
    put("/sys/class/net/eth0/uevent", "DEVTYPE=wwan\nINTERFACE=eth0");
    EXPECT_EQ(linux_network(root_)->network().metered.value, true);
    put("/proc/net/route", "Iface Destination Gateway");
    put("/proc/net/ipv6_route",
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80 0 0 0 0 lo\n"
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80 0 0 0 0 "
        "wwan0");
    state = linux_network(root_)->network();
    EXPECT_EQ(state.online.value, true);
    EXPECT_EQ(state.metered.value, true);
}

TEST(SystemHost, says_where_its_facts_come_from) {
    const Host host = system_host();
    ASSERT_TRUE(host.clock && host.http && host.power && host.network);
    EXPECT_FALSE(host.power->power().charging.source.empty());
    EXPECT_FALSE(host.network->network().online.source.empty());
}

}  // namespace skiff::host
