// `run --image`: what an image classifier sees in a picture.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/session.h"
#include "model/model.h"
#include "runtime/engine.h"

namespace skiff::cli {

struct LabelImageOptions {
    std::string image;
    int max_results = 10;
    double threshold = -1;        // below 0: the metadata's, else 0
    std::string labels;           // a file, one label a line; "": the metadata's
    std::vector<float> mean_std;  // of an input's value before normalization; empty: the metadata's
};

Result<ExitCode> label_image(const Session& session, const model::Model& model,
                             std::unique_ptr<runtime::Engine> engine,
                             const LabelImageOptions& options);

}  // namespace skiff::cli
