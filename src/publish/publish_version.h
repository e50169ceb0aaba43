// The publish job: files become the next version of a model.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "publish/candidate.h"
#include "publish/change.h"

namespace skiff::publish {

struct NewVersion {
    std::string model;
    std::string file;
    std::vector<std::string> with = {};              // files beside it: labels.txt
    std::map<std::string, std::string> builds = {};  // device class -> file
    std::vector<std::string> aliases = {};
    std::map<std::string, std::string> tags = {};
    std::string min_app = {};
    std::optional<int> min_runtime = {};  // absent: what the model needs
    std::vector<std::string> require = {};
    // Other inputs and outputs, or another format, than the newest version or the default one; or
    // an opaque build of a .tflite file.
    bool new_signature = false;
    std::string why = {};
};

struct Published {
    std::uint32_t version = 0;
    std::string sha256;
    Candidate main;            // without its bytes
    bool is_default = false;   // devices get it now
    bool has_default = false;  // some version is
    std::optional<std::uint32_t> same_bytes_as;
    std::vector<std::string> warnings;  // about this version, one line each
    Changed changed;
};

// done of total, and what is being done: "checking digits.tflite".
using OnStep = FunctionRef<void(int done, int total, const std::string& what)>;

// Errors beside those of read_candidate() and change(): invalid_argument (names, gates),
// incompatible (--min-runtime, another signature).
Result<Published> publish_version(const Publisher& publisher, const NewVersion& version,
                                  OnStep on_step);

}  // namespace skiff::publish
