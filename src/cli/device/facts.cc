#include "cli/device/facts.h"

#include <charconv>

#include "base/url.h"

namespace skiff::cli {
namespace {

constexpr std::string_view battery = "battery:";

class StatedNetwork final : public host::Network {
 public:
    explicit StatedNetwork(const std::string& text)
        : state_{.online = {text != "offline", "--network"},
                 .metered = {text == "metered", "--network"}} {}
    host::NetworkState network() override { return state_; }

 private:
    const host::NetworkState state_;
};

std::optional<int> battery_percent(std::string_view text) {
    if (!text.starts_with(battery)) return {};
    int percent = -1;
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data() + battery.size(), end, percent);
    if (failure != std::errc() || at != end || percent < 0 || percent > 100) return {};
    return percent;
}

class StatedPower final : public host::Power {
 public:
    explicit StatedPower(const std::string& text) {
        const auto percent = battery_percent(text);
        state_.charging = {!percent.has_value(), "--power"};
        if (percent) state_.battery_percent = {*percent, "--power"};
    }
    host::PowerState power() override { return state_; }

 private:
    host::PowerState state_;
};

class OfflineHttp final : public host::Http {
 public:
    explicit OfflineHttp(std::shared_ptr<host::Http> files) : files_(std::move(files)) {}
    Result<host::HttpResponse> send(
        const host::HttpRequest& request,
        FunctionRef<bool(const host::HttpResponse&, Bytes)> on_body) override {
        if (files_ && request.url.starts_with("file://")) return files_->send(request, on_body);
        return retryable(Code::no_network, display_url(request.url) + ": offline (--network)");
    }

 private:
    const std::shared_ptr<host::Http> files_;
};

}  // namespace

std::string check_network_fact(const std::string& text) {
    if (text == "wifi" || text == "metered" || text == "offline") return "";
    return "give wifi, metered or offline, not '" + text + "'";
}

std::string check_power_fact(const std::string& text) {
    if (text == "charging" || battery_percent(text)) return "";
    return "give charging or battery:PERCENT, not '" + text + "'";
}

void state_facts(host::Host& host, const std::string& network, const std::string& power) {
    if (!network.empty()) host.network = std::make_shared<StatedNetwork>(network);
    if (network == "offline") host.http = std::make_shared<OfflineHttp>(host.http);
    if (!power.empty()) host.power = std::make_shared<StatedPower>(power);
}

}  // namespace skiff::cli
