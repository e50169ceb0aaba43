#include <sstream>

#include "base/files.h"
#include "host/linux/dbus.h"
#include "host/linux/facts.h"

namespace skiff::host {

namespace {

class LinuxNetwork final : public Network {
 public:
    explicit LinuxNetwork(std::string root) : root_(std::move(root)) {}

    NetworkState network() override {
        NetworkState state;
        const std::string interface = default_interface();
        const std::string routes = root_ + "/proc/net/route";
        if (interface.empty()) {
            state.online = {false, "no default route in " + routes};
            return state;
        }
        state.online = {true, "default route over " + interface + " in " + routes};
        state.metered = metered(interface);
        return state;
    }

 private:
    std::string default_interface() const {
        const auto text = read_file(root_ + "/proc/net/route", 1 << 20);
        if (text.ok()) {
            std::istringstream lines(*text);
            std::string line;
            std::getline(lines, line);
            while (std::getline(lines, line)) {
                std::istringstream fields(line);
                std::string interface, destination;
                if (fields >> interface >> destination && destination == "00000000")
                    return interface;
            }
        }
        return default_interface_v6();
    }

    std::string default_interface_v6() const {
        const auto text = read_file(root_ + "/proc/net/ipv6_route", 1 << 20);
        if (!text.ok()) return {};
        std::istringstream lines(*text);
        std::string line;
        while (std::getline(lines, line)) {
            std::istringstream fields(line);
            std::string destination, prefix, word, interface;
            fields >> destination >> prefix;
            while (fields >> word) interface = word;
            if (prefix == "00" && destination.find_first_not_of('0') == std::string::npos &&
                interface != "lo")
                return interface;
        }
        return {};
    }

    Fact<bool> metered(const std::string& interface) const {
        if (root_.empty()) {
            // NMMetered: 1 yes, 2 no, 3 guessed yes, 4 guessed no.
            const auto answer =
                dbus_unsigned("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager",
                              "org.freedesktop.NetworkManager", "Metered");
            if (answer && *answer >= 1 && *answer <= 4)
                return {*answer == 1 || *answer == 3,
                        "NetworkManager Metered " + std::to_string(*answer)};
        }
        const std::string path = root_ + "/sys/class/net/" + interface + "/uevent";
        const auto uevent = read_file(path, 1 << 16);
        const bool mobile = (uevent.ok() && uevent->find("DEVTYPE=wwan") != std::string::npos) ||
                            interface.starts_with("wwan") || interface.starts_with("ppp");
        return {mobile, mobile ? interface + " is a mobile interface"
                               : interface + " is no mobile interface"};
    }

    const std::string root_;
};

}  // namespace

std::shared_ptr<Network> linux_network(std::string root) {
    return std::make_shared<LinuxNetwork>(std::move(root));
}

}  // namespace skiff::host
