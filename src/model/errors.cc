#include "model/errors.h"

#include <algorithm>
#include <cstdio>

namespace skiff::model {

std::string quoted(std::string_view name) {
    constexpr std::size_t longest = 80;
    std::size_t size = std::min(name.size(), longest);
    const auto continues = [&] { return (static_cast<unsigned char>(name[size]) & 0xc0) == 0x80; };
    while (size > 0 && size < name.size() && continues())
        --size;  // UTF-8 is cut between characters
    std::string text = "'";
    for (const char c : name.substr(0, size)) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            char escaped[5];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
            text += escaped;
        } else {
            text += c;
        }
    }
    return text + (size < name.size() ? "...'" : "'");
}

std::string Place::text() const {
    std::string text;
    if (subgraph >= 0) text = "subgraph " + std::to_string(subgraph);
    if (kind) {
        if (!text.empty()) text += ", ";
        text += std::string(kind) + " " + std::to_string(index);
        if (!name.empty()) text += " " + quoted(name);
    }
    return text;
}

namespace {

std::string line(const Place& place, std::string_view what) {
    std::string text = place.text();
    if (!text.empty()) text += ": ";
    return text.append(what);
}

}  // namespace

Error broken(const Place& place, std::string_view what) {
    return error(Code::invalid_argument,
                 line(place, what) +
                     " (the file is damaged or was written wrongly: fetch or export it again)");
}

Error beyond(const Place& place, std::string_view what) {
    return error(Code::unimplemented, line(place, what));
}

}  // namespace skiff::model
