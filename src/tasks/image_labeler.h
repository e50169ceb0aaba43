// What an image shows, by an image classification model: what ML Kit's custom image labeler does.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/metadata.h"
#include "runtime/engine.h"
#include "tasks/image.h"
#include "tasks/tensor_writer.h"

namespace skiff::tasks {

struct LabelerOptions {
    std::optional<float> confidence_threshold = {};  // 0 to 1; none: the metadata's, else 0
    int max_result_count = 10;                       // 0 or less: 10
    // These three replace what the metadata says.
    std::vector<std::string> labels = {};  // one per class
    std::optional<model::Normalization> normalization = {};
    std::string locale = "en";  // of the display names
};

struct ImageLabel {
    int index = 0;
    float confidence = 0;
    // Live as long as the labeler. Text is "" when neither the metadata nor the caller has labels;
    // the display name is the metadata's for the locale, else the text.
    std::string_view text, display_name;
};

// One thread at a time.
class ImageLabeler {
 public:
    // Takes a model with one input that is one image (TensorWriter) and a first output [1,N] or
    // [1,1,1,N] of float32, uint8 or int8. Errors: invalid_argument, with what is wrong and what to
    // do; what the engine reports.
    static Result<std::unique_ptr<ImageLabeler>> create(std::unique_ptr<runtime::Engine> engine,
                                                        const model::Metadata& metadata,
                                                        LabelerOptions options = {});

    // The most labels process() can give.
    std::size_t max_results() const;
    // Classes whose confidence is at or above the threshold, most confident first, equal ones by
    // index. The whole image is looked at, squeezed to the model's input without keeping its aspect
    // ratio.
    Result<std::vector<ImageLabel>> process(const Image& image);

 private:
    ImageLabeler(std::unique_ptr<runtime::Engine> engine, TensorWriter writer)
        : engine_(std::move(engine)), writer_(std::move(writer)) {}
    std::vector<ImageLabel> best_of(const std::vector<float>& scores) const;

    std::unique_ptr<runtime::Engine> engine_;
    TensorWriter writer_;
    std::size_t classes_ = 0, max_results_ = 0;
    float threshold_ = 0;
    std::vector<std::string> labels_, display_names_;  // one per class, or empty
    std::optional<model::ScoreCalibration> calibration_;
};

}  // namespace skiff::tasks
