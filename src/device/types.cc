#include "device/types.h"

namespace skiff::device {

namespace {

// "HH:MM" on a 24-hour clock, both digits given.
Result<int> minute_of_day(std::string_view text) {
    const auto digit = [&](std::size_t i) {
        return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100;
    };
    if (text.size() == 5 && text[2] == ':') {
        const int hour = digit(0) * 10 + digit(1), minute = digit(3) * 10 + digit(4);
        if (hour < 24 && minute < 60) return hour * 60 + minute;
    }
    return error(Code::invalid_argument,
                 "'" + std::string(text) + "' is no time of day (give one like 02:00, to 23:59)");
}

}  // namespace

std::string to_string(const Version& version) {
    return version.number == 0 ? version.model + " (bundled)"
                               : version.model + ":" + std::to_string(version.number);
}

Result<LocalTimeWindow> parse_window(std::string_view from, std::string_view to) {
    const int from_minute = TRY(minute_of_day(from));
    const int to_minute = TRY(minute_of_day(to));
    const LocalTimeWindow window{from_minute, to_minute};
    if (window.from_minute == window.to_minute)
        return error(Code::invalid_argument, "the window from " + std::string(from) + " to " +
                                                 std::string(to) +
                                                 " is empty (leave it out for the whole day)");
    return window;
}

}  // namespace skiff::device
