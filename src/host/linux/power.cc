#include <cstdlib>

#include "base/files.h"
#include "host/linux/dbus.h"
#include "host/linux/facts.h"

namespace skiff::host {

namespace {

std::string first_line(const std::string& path) {
    const auto text = read_file(path, 1 << 16);
    return text.ok() ? text->substr(0, text->find('\n')) : std::string();
}

class LinuxPower final : public Power {
 public:
    explicit LinuxPower(std::string root) : root_(std::move(root)) {}

    PowerState power() override {
        PowerState state;
        read_supplies(state);
        state.idle = idle();
        return state;
    }

 private:
    // Mains, USB and wireless supplies say `online`; batteries `status` and `capacity`. The
    // kernel's Documentation/ABI/testing/sysfs-class-power names them.
    void read_supplies(PowerState& state) const {
        const std::string folder = root_ + "/sys/class/power_supply";
        const auto names = list_folder(folder);
        bool battery = false;
        for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
            const std::string supply = folder + "/" + name;
            if (first_line(supply + "/scope") == "Device") continue;  // a mouse's battery
            if (first_line(supply + "/type") == "Battery") {
                battery = true;
                const std::string capacity = first_line(supply + "/capacity");
                if (!capacity.empty())
                    state.battery_percent = {std::atoi(capacity.c_str()), supply + "/capacity"};
                const std::string status = first_line(supply + "/status");
                if (!state.charging.value && !status.empty())
                    state.charging = {
                        status == "Charging" || status == "Full" || status == "Not charging",
                        supply + "/status"};
            } else if (first_line(supply + "/online") == "1") {
                state.charging = {true, supply + "/online"};
            }
        }
        if (!battery && !state.charging.value) state.charging = {true, "no battery in " + folder};
    }

    Fact<bool> idle() const {
        if (root_.empty()) {
            const auto hint = dbus_boolean("org.freedesktop.login1", "/org/freedesktop/login1",
                                           "org.freedesktop.login1.Manager", "IdleHint");
            if (hint) return {*hint, "logind IdleHint"};
        }
        const std::string load = first_line(root_ + "/proc/loadavg");
        if (load.empty()) return {};
        return {std::atof(load.c_str()) < 0.5, "load of one minute, " + root_ + "/proc/loadavg"};
    }

    const std::string root_;
};

}  // namespace

std::shared_ptr<Power> linux_power(std::string root) {
    return std::make_shared<LinuxPower>(std::move(root));
}

}  // namespace skiff::host
