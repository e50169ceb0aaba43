// What runs and why: a pure function of what the store knows and who asks.
//
// What runs is what the rules want, if it is installed and good; else the last good one (active),
// else the one before it, else the bundled one. What may not run (withdrawn, below the floor,
// gated, of another interface, bad) is never chosen, also not as a last resort. Who computes
// passes over files that only another runtime can read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "device/store.h"
#include "device/types.h"

namespace skiff::device {

struct ChoiceContext {
    std::string model;
    const Json* attributes = nullptr;  // all of them, ids included; an object
    std::string io_signature = {};     // what the app can use; empty: anything
    bool has_bundled = false;
    // Versions that do not load in this process now, by sha256, with the reason.
    const std::map<std::string, std::string>* unloadable = nullptr;
    std::int64_t now_s = 0;
    std::string store_failure = {};  // why the store cannot be used; empty: it can
    bool computes = false;  // only what our interpreter can run: opaque files are passed over
};

struct Choice {
    enum class Wanted {
        nothing,    // no rules, or they name no version
        unusable,   // named, but this device may not or can not run it
        missing,    // to be fetched
        installed,  // and good
    };
    Wanted wanted = Wanted::nothing;
    std::uint32_t wanted_number = 0;    // of all but nothing
    std::optional<std::uint32_t> runs;  // 0: bundled
    ModelStatus::Source source = ModelStatus::Source::none;
    std::string why = {};
    std::string wanted_reason = {};  // why the rules want it
    // The experiment that the wanted version comes from, and whether this device counts in it yet.
    std::string experiment = {}, variant = {};
    bool counts = false;
};

Choice choose(const ModelState& state, const ChoiceContext& context);

// Nothing: this device may run version `number` (installed or not). Else the reason, which goes on
// after the version's name: "needs app 3.2.0, this one is 3.1.0".
std::optional<std::string> obstacle(const ModelState& state, const ChoiceContext& context,
                                    std::uint32_t number);

// "digits:3", "digits (bundled)".
std::string version_name(const std::string& model, std::uint32_t number);

std::string text_attribute(const Json& attributes, const char* name);  // "" when absent

}  // namespace skiff::device
