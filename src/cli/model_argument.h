// Where a command takes a model file it also takes a reference: digits:3, digits@champion,
// digits@sha256:....
#pragma once

#include <string>

#include "base/result.h"
#include "cli/workplace.h"

namespace skiff::cli {

// The path itself when a file is there, or when it looks like no reference; else the path of the
// version's verified bytes in the cache, fetched from the current home when they are not there yet.
Result<std::string> model_path(const std::string& argument);

// The same for a version that was found: <cache>/blobs/<sha256>/digits-3.tflite.
Result<std::string> cached_version(const Found& found);

// "digits-3.tflite"
std::string file_name_of(const publish::VersionState& version);

}  // namespace skiff::cli
