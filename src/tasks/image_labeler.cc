#include "tasks/image_labeler.h"

#include <algorithm>
#include <cmath>

#include "tasks/scores.h"

namespace skiff::tasks {
namespace {

constexpr int default_max_results = 10;

Result<std::size_t> class_count(const runtime::TensorInfo& output) {
    const Shape& s = output.shape;
    const bool flat = s.rank() == 2 && s[0] == 1;
    const bool deep = s.rank() == 4 && s[0] == 1 && s[1] == 1 && s[2] == 1;
    const std::string what = std::string(dtype_name(output.dtype)) + s.to_string();
    if ((!flat && !deep) || s[s.rank() - 1] < 1)
        return error(Code::invalid_argument, "not a model that labels images: its output is " +
                                                 what +
                                                 ", and [1,classes] or [1,1,1,classes] is needed");
    const bool quantized = output.dtype == DType::uint8 || output.dtype == DType::int8;
    if (!quantized && output.dtype != DType::float32)
        return error(Code::invalid_argument, "not a model that labels images: its output is " +
                                                 what + ", and float32, uint8 or int8 is needed");
    if (quantized && output.quantization.scale <= 0)
        return error(Code::invalid_argument,
                     "the output " + what + " lacks its quantization: convert the model again");
    return static_cast<std::size_t>(s[s.rank() - 1]);
}

Status check_labels(const std::vector<std::string>& labels, std::size_t classes,
                    std::string_view whose) {
    if (labels.empty() || labels.size() == classes) return {};
    return error(Code::invalid_argument,
                 std::string(whose) + " have " + std::to_string(labels.size()) +
                     " lines, the model has " + std::to_string(classes) +
                     " classes: give one label a line for every class, in the output's order");
}

Result<float> threshold_of(const LabelerOptions& options, const model::TensorMetadata& output) {
    if (!options.confidence_threshold) return output.score_threshold.value_or(0);
    const float threshold = *options.confidence_threshold;
    if (!(threshold >= 0 && threshold <= 1))
        return error(Code::invalid_argument,
                     "the confidence threshold is " + std::to_string(threshold) + ": give 0 to 1");
    return threshold;
}

const model::LabelFile* file_of_locale(const std::vector<model::LabelFile>& files,
                                       const std::string& locale) {
    const auto found = std::find_if(files.begin(), files.end(),
                                    [&](const model::LabelFile& f) { return f.locale == locale; });
    return found == files.end() ? nullptr : &*found;
}

}  // namespace

Result<std::unique_ptr<ImageLabeler>> ImageLabeler::create(std::unique_ptr<runtime::Engine> engine,
                                                           const model::Metadata& metadata,
                                                           LabelerOptions options) {
    if (engine->input_count() != 1 || engine->output_count() < 1)
        return error(Code::invalid_argument,
                     "not a model that labels images: it has " +
                         std::to_string(engine->input_count()) + " inputs and " +
                         std::to_string(engine->output_count()) +
                         " outputs, and one image goes in, scores come out");
    const model::TensorMetadata none;
    const model::TensorMetadata& input = metadata.inputs.empty() ? none : metadata.inputs[0];
    const model::TensorMetadata& output = metadata.outputs.empty() ? none : metadata.outputs[0];
    const auto normalization = options.normalization ? options.normalization : input.normalization;
    TensorWriter writer = TRY(TensorWriter::create(engine->input_info(0), normalization));
    TRY(engine->prepare());
    std::unique_ptr<ImageLabeler> labeler(new ImageLabeler(std::move(engine), std::move(writer)));
    labeler->classes_ = TRY(class_count(labeler->engine_->output_info(0)));
    labeler->threshold_ = TRY(threshold_of(options, output));
    const int wanted =
        options.max_result_count > 0 ? options.max_result_count : default_max_results;
    labeler->max_results_ = std::min(labeler->classes_, static_cast<std::size_t>(wanted));
    labeler->calibration_ = output.calibration;
    if (!options.labels.empty()) {
        labeler->labels_ = std::move(options.labels);
    } else if (!output.axis_labels.empty()) {
        labeler->labels_ = output.axis_labels[0].labels;
        if (const model::LabelFile* names = file_of_locale(output.axis_labels, options.locale))
            labeler->display_names_ = names->labels;
    }
    TRY(check_labels(labeler->labels_, labeler->classes_, "the labels"));
    TRY(check_labels(labeler->display_names_, labeler->classes_, "the display names"));
    return labeler;
}

std::size_t ImageLabeler::max_results() const {
    return max_results_;
}

Result<std::vector<ImageLabel>> ImageLabeler::process(const Image& image) {
    const Pixels pixels = TRY(load_pixels(image));
    writer_.write(pixels, engine_->input(0));
    TRY(engine_->invoke());
    const runtime::TensorInfo info = engine_->output_info(0);
    if (TRY(class_count(info)) != classes_)
        return error(Code::failed_precondition,
                     "the model's output has changed its number of classes: only fixed ones can be "
                     "labelled");
    std::vector<float> scores = dequantized(info, engine_->output(0));
    if (calibration_)
        for (std::size_t i = 0; i < scores.size(); ++i)
            scores[i] = calibrated(*calibration_, i, scores[i]);
    return best_of(scores);
}

std::vector<ImageLabel> ImageLabeler::best_of(const std::vector<float>& scores) const {
    std::vector<ImageLabel> kept;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!(scores[i] >= threshold_)) continue;  // so written, NaN is left out
        ImageLabel label{static_cast<int>(i), scores[i], {}, {}};
        if (!labels_.empty()) label.text = labels_[i];
        label.display_name = display_names_.empty() ? label.text : display_names_[i];
        kept.push_back(label);
    }
    const std::size_t n = std::min(kept.size(), max_results_);
    const auto better = [](const ImageLabel& a, const ImageLabel& b) {
        return a.confidence != b.confidence ? a.confidence > b.confidence : a.index < b.index;
    };
    std::partial_sort(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(n), kept.end(),
                      better);
    kept.resize(n);
    return kept;
}

}  // namespace skiff::tasks
