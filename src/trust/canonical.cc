#include "trust/canonical.h"

#include <nlohmann/json.hpp>

namespace skiff::trust {

namespace {

void append_string(const std::string& text, std::string& out) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

// Recursion is bounded by parse_json's depth limit, or by the trees we build ourselves.
Status append(const Json& value, std::string& out) {
    switch (value.type()) {
        case Json::value_t::null:
            out += "null";
            return {};
        case Json::value_t::boolean:
            out += value.get<bool>() ? "true" : "false";
            return {};
        case Json::value_t::string:
            append_string(value.get_ref<const std::string&>(), out);
            return {};
        case Json::value_t::number_integer:
            out += std::to_string(value.get<std::int64_t>());
            return {};
        case Json::value_t::number_unsigned:
            out += std::to_string(value.get<std::uint64_t>());
            return {};
        case Json::value_t::array: {
            out += '[';
            bool first = true;
            for (const Json& item : value) {
                if (!first) out += ',';
                first = false;
                TRY(append(item, out));
            }
            out += ']';
            return {};
        }
        case Json::value_t::object: {
            out += '{';
            bool first = true;
            for (const auto& [key, member] : value.items()) {  // std::map: sorted by bytes
                if (!first) out += ',';
                first = false;
                append_string(key, out);
                out += ':';
                TRY(append(member, out));
            }
            out += '}';
            return {};
        }
        default:
            return error(Code::invalid_argument,
                         "canonical JSON has no number " + value.dump() + ": integers only");
    }
}

}  // namespace

Result<std::string> canonical_json(const Json& value) {
    std::string out;
    TRY(append(value, out));
    return out;
}

}  // namespace skiff::trust
