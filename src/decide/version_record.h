// What signed metadata says about a version of a model: the custom object of its main target
// (docs/formats/project.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace skiff::decide {

struct VersionFile {
    std::string name;  // as the app knows it: "labels.txt"
    std::string path;  // of the target: "models/digits/3.labels.txt"
};

struct SmokeTest {
    std::uint64_t seed = 0;
    std::string digest;  // runtime/smoke.h
};

struct VersionRecord {
    std::string model;
    std::uint32_t version = 0;
    bool is_tflite = true;                // else opaque: hash and signature are all that is known
    std::vector<VersionFile> files = {};  // beside the main one
    std::map<std::string, std::string> builds;  // device class -> target path
    std::string min_app = {};                   // "": any
    int min_runtime = 0;
    std::string io_signature = {};  // runtime/io_signature.h; "" for opaque ones
    std::optional<SmokeTest> smoke = {};
    std::map<std::string, std::string> tags = {};
};

Json write_version_record(const VersionRecord& record);
// Unknown members are ignored: publishers may be newer than devices.
Result<VersionRecord> read_version_record(const Json& custom, std::string_view what);

// "digits": 1 to 63 of a-z, 0-9, '-', '_' and '.', not beginning with a dot or dash. The error says
// so.
Status check_model_name(std::string_view name);

// "models/digits/3.tflite"; `extension` with its dot, or "".
std::string main_target(std::string_view model, std::uint32_t version, std::string_view extension);
std::string file_target(std::string_view model, std::uint32_t version, std::string_view name);
std::string build_target(std::string_view model, std::uint32_t version,
                         std::string_view device_class, std::string_view extension);
std::string ruleset_target(std::string_view model);  // "rulesets/digits.json"

}  // namespace skiff::decide
