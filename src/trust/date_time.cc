#include "trust/date_time.h"

#include <chrono>
#include <cstdio>

namespace skiff::trust {

namespace {

int digits(std::string_view text, std::size_t at, std::size_t n) {
    int value = 0;
    for (const char c : text.substr(at, n)) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

}  // namespace

Result<std::int64_t> parse_date_time(std::string_view text) {
    using namespace std::chrono;
    std::string message(text.substr(0, 40));
    message += " is not a time like 2026-11-22T12:38:00Z";
    const Error bad = error(Code::invalid_argument, std::move(message));
    if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
        text[13] != ':' || text[16] != ':' || text[19] != 'Z')
        return bad;
    const int y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
    const int h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
    if (y < 1970 || mo < 1 || d < 1 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59)
        return bad;
    const year_month_day date{year(y), month(static_cast<unsigned>(mo)),
                              day(static_cast<unsigned>(d))};
    if (!date.ok()) return bad;
    const std::int64_t days = sys_days(date).time_since_epoch().count();
    return days * 86400 + h * 3600 + mi * 60 + s;
}

std::string date_time_text(std::int64_t unix_s) {
    using namespace std::chrono;
    const sys_seconds time{seconds(unix_s)};
    const sys_days date = floor<days>(time);
    const year_month_day ymd(date);
    const hh_mm_ss clock(time - date);
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(ymd.year()),
                  static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text;
}

}  // namespace skiff::trust
