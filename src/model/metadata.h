// TFLite metadata: what the model's maker says about inputs, outputs and labels (the flatbuffer
// named TFLITE_METADATA, and the files in the zip appended to the model).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace skiff::model {

struct Normalization {  // value = (x - mean) / std, per channel or one for all
    std::vector<float> mean, std;
};
struct LabelFile {
    std::string name;    // in the appended zip
    std::string locale;  // "" = the class names themselves
    std::vector<std::string> labels;
};
struct ScoreCalibration {  // one line per class; absent lines keep the default score
    struct Sigmoid {
        float scale = 0, slope = 0, offset = 0;
        std::optional<float> min_score;
    };
    std::vector<std::optional<Sigmoid>> sigmoids;
    enum class Transform { identity, log, inverse_logistic } transform = Transform::identity;
    float default_score = 0;
};
struct TensorMetadata {
    std::string name, description;
    std::optional<Normalization> normalization;
    bool is_image = false;
    enum class ColorSpace { unknown, rgb, grayscale } color_space = ColorSpace::unknown;
    std::optional<float> score_threshold;
    std::vector<LabelFile>
        axis_labels;  // in the order of the metadata: the first is the class name
    std::optional<ScoreCalibration> calibration;
};
struct Metadata {
    bool present = false;  // a TFLITE_METADATA buffer is there
    std::string name, description, version, author, license, min_parser_version;
    std::vector<TensorMetadata> inputs, outputs;  // may be shorter than the model's
};

// Metadata{present = false} when the model has none. Errors: metadata that cannot be read, or names
// a file that is not in the zip.
Result<Metadata> read_metadata(const Model& model);

// One label per line; a trailing newline adds none; CRLF is taken.
std::vector<std::string> parse_labels(std::string_view text);

}  // namespace skiff::model
