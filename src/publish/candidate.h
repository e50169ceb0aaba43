// A file on its way to becoming a version: read, checked, measured.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "decide/version_record.h"
#include "publish/requirement.h"

namespace skiff::publish {

struct Candidate {
    std::string file;       // where it came from
    std::string extension;  // ".tflite", ".onnx", ""
    std::string bytes;
    bool is_tflite = false;  // by its name; else opaque: nothing below is known but the size
    Figures figures;
    std::string io_signature;
    std::optional<decide::SmokeTest> smoke;
};

struct CandidateChecks {
    std::vector<Requirement> requirements = {};
    std::chrono::milliseconds time_limit = std::chrono::seconds(60);  // for the smoke test
};

// Of a .tflite file: it loads, every operator is known to this runtime, its metadata can be read,
// and it runs on the smoke test's inputs in time and gives finite values. Of every file: what is
// required. Errors name the file: not_found, failed_precondition, those of loading and running.
Result<Candidate> read_candidate(const std::string& file, const CandidateChecks& checks);

}  // namespace skiff::publish
