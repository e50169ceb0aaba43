#include "publish/requirement.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace skiff::publish {

namespace {

using Figure = Requirement::Figure;

struct Unit {
    std::string_view name;
    double factor;
};
constexpr Unit byte_units[] = {{"", 1},     {"B", 1},        {"kB", 1e3},      {"MB", 1e6},
                               {"GB", 1e9}, {"KiB", 1024.0}, {"MiB", 1048576}, {"GiB", 1073741824}};
constexpr Unit count_units[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
constexpr Unit time_units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};

struct FigureName {
    std::string_view name;
    Figure figure;
    std::span<const Unit> units;
};
constexpr FigureName figure_names[] = {{"size", Figure::size, byte_units},
                                       {"arena", Figure::arena, byte_units},
                                       {"macs", Figure::macs, count_units},
                                       {"latency", Figure::latency, time_units}};
constexpr std::string_view comparisons[] = {"<=", ">=", "<", ">"};

Error misused(std::string_view text, const std::string& why = "") {
    return error(
        Code::invalid_argument,
        "\"" + std::string(text) + "\" is no requirement: " +
            (why.empty() ? "write one like size<=10MB, arena<2MB, macs<=50M or latency<5ms" : why));
}

std::string units_of(const FigureName& figure) {
    std::string text;
    for (const Unit& unit : figure.units)
        if (!unit.name.empty()) text += (text.empty() ? "" : ", ") + std::string(unit.name);
    return "the units of " + std::string(figure.name) + " are " + text;
}

bool holds(double value, const std::string& comparison, double limit) {
    if (comparison == "<") return value < limit;
    if (comparison == ">") return value > limit;
    return comparison == "<=" ? value <= limit : value >= limit;
}

// In the unit of the demand, with four digits, or as many as it takes to see that it does not hold.
std::string shown(double value, const Requirement& requirement) {
    char text[40];
    for (int digits = 4; digits <= 17; ++digits) {
        std::snprintf(text, sizeof text, "%.*g", digits, value / requirement.factor);
        // Not 1.2e+04.
        if (std::string_view(text).find('e') != std::string_view::npos) continue;
        if (!holds(std::strtod(text, nullptr) * requirement.factor, requirement.comparison,
                   requirement.limit))
            break;
    }
    const bool counts = requirement.figure == Figure::macs;
    return text + (counts ? requirement.unit + " multiply-adds" : " " + requirement.unit);
}

std::optional<double> value_of(Figure figure, const Figures& figures) {
    const auto as_double = [](const auto& value) {
        return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
    };
    switch (figure) {
        case Figure::size:
            return static_cast<double>(figures.size_bytes);
        case Figure::arena:
            return as_double(figures.arena_bytes);
        case Figure::macs:
            return as_double(figures.macs);
        case Figure::latency:
            return as_double(figures.latency_ns);
    }
    return std::nullopt;
}

}  // namespace

Result<Requirement> parse_requirement(std::string_view given) {
    std::string text;
    for (const char c : given)
        if (c != ' ') text += c;
    std::string_view rest = text;
    const auto name = std::ranges::find_if(
        figure_names, [&](const FigureName& figure) { return rest.starts_with(figure.name); });
    if (name == std::end(figure_names)) return misused(given);
    rest.remove_prefix(name->name.size());
    const auto comparison = std::ranges::find_if(
        comparisons, [&](std::string_view sign) { return rest.starts_with(sign); });
    if (comparison == std::end(comparisons)) return misused(given);
    rest.remove_prefix(comparison->size());
    double number = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (problem != std::errc() || !(number >= 0 && number < 1e18)) return misused(given);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto unit = std::ranges::find(name->units, rest, &Unit::name);
    if (unit == name->units.end()) return misused(given, units_of(*name));
    const bool plain_bytes = unit->name.empty() && name->figure != Figure::macs;
    return Requirement{name->figure,          std::string(*comparison),
                       number * unit->factor, plain_bytes ? "B" : std::string(unit->name),
                       unit->factor,          std::string(given)};
}

Status check_requirement(const Requirement& requirement, const Figures& figures) {
    const auto name = std::ranges::find(figure_names, requirement.figure, &FigureName::figure);
    const auto value = value_of(requirement.figure, figures);
    if (!value)
        return error(Code::failed_precondition,
                     requirement.text + ": only a .tflite file has a known " +
                         std::string(name->name) + " (leave this requirement out)");
    if (holds(*value, requirement.comparison, requirement.limit)) return {};
    return error(Code::failed_precondition,
                 requirement.text + " does not hold: it is " + shown(*value, requirement));
}

}  // namespace skiff::publish
