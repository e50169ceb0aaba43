#include "base/json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace skiff {

namespace {

constexpr int max_depth = 64;

// Watches the parser's events for what the tree would hide: duplicate keys and depth.
struct Watch {
    std::vector<std::set<std::string>> keys;
    std::string problem;

    bool operator()(int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
        using Event = nlohmann::json::parse_event_t;
        if (event == Event::object_start || event == Event::array_start) {
            keys.emplace_back();
            if (keys.size() > max_depth) problem = "is nested deeper than 64";
        } else if (event == Event::object_end || event == Event::array_end) {
            keys.pop_back();
        } else if (event == Event::key) {
            const auto& key = value.get_ref<const std::string&>();
            if (!keys.back().insert(key).second) problem = "has the key \"" + key + "\" twice";
        }
        return true;
    }
};

// nlohmann recurses in the destructor only; depth is still bounded before a tree is built.
bool too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false, escaped = false;
    for (const char c : text) {
        if (in_string) {
            if (escaped)
                escaped = false;
            else if (c == '\\')
                escaped = true;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > max_depth) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

Error wrong(std::string_view what, const char* key, const char* kind) {
    return error(Code::invalid_argument,
                 std::string(what) + ": \"" + key + "\" is missing or not " + kind);
}

const Json* find(const Json& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto it = object.find(key);
    return it == object.end() ? nullptr : &*it;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view what) {
    const auto refuse = [&](const std::string& why) {
        return error(Code::invalid_argument, std::string(what) + " " + why);
    };
    if (too_deep(text)) return refuse("is nested deeper than 64");
    Watch watch;
    const auto callback = [&watch](int depth, Json::parse_event_t event, Json& value) {
        return watch(depth, event, value);
    };
    Json value = Json::parse(text.begin(), text.end(), callback, /*allow_exceptions=*/false);
    if (value.is_discarded()) return refuse("is not JSON");
    if (!watch.problem.empty()) return refuse(watch.problem);
    return value;
}

Result<std::string> json_string(const Json& object, const char* key, std::string_view what) {
    const Json* value = find(object, key);
    if (!value || !value->is_string()) return wrong(what, key, "a string");
    return value->get<std::string>();
}

Result<std::int64_t> json_int(const Json& object, const char* key, std::string_view what) {
    const Json* value = find(object, key);
    if (!value || !value->is_number_integer()) return wrong(what, key, "an integer");
    if (value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX)
        return wrong(what, key, "an integer of 64 bits");
    return value->get<std::int64_t>();
}

Result<bool> json_bool(const Json& object, const char* key, std::string_view what) {
    const Json* value = find(object, key);
    if (!value || !value->is_boolean()) return wrong(what, key, "true or false");
    return value->get<bool>();
}

Result<const Json*> json_object(const Json& object, const char* key, std::string_view what) {
    const Json* value = find(object, key);
    if (!value || !value->is_object()) return wrong(what, key, "an object");
    return value;
}

Result<const Json*> json_array(const Json& object, const char* key, std::string_view what) {
    const Json* value = find(object, key);
    if (!value || !value->is_array()) return wrong(what, key, "an array");
    return value;
}

std::string json_text(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}
std::string json_text_pretty(const Json& value) {
    return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace skiff
