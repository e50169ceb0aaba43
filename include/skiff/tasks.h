// skiff/tasks.h: image labelling, what ML Kit's custom image labeler does.
#pragma once

#include <optional>
#include <vector>

#include <skiff/client.h>
#include <skiff/runtime.h>

namespace skiff {

struct Image {
    Bytes bytes;
    int width = 0, height = 0,
        stride = 0;  // stride 0: rows without gaps; all three ignored when encoded
    enum Format { encoded, rgb, rgba, gray, nv12, nv21, yuyv } format = encoded;
    int rotation = 0;  // degrees clockwise that make it upright
};
struct LabelerOptions {
    std::optional<float> confidence_threshold = {};  // else the metadata's, else 0
    int max_result_count = 10;
    std::string labels = {};  // one a line; empty: the metadata's
    struct Normalization {
        float mean = 0, std = 1;
    };
    std::optional<Normalization> normalization = {};  // for a float model whose metadata has none
    int threads = 1;
};
struct ImageLabel {
    int index = 0;
    float confidence = 0;
    std::string text, display_name;
};

// One thread at a time.
class ImageLabeler {
 public:
    // Errors: invalid_argument when the model is no image classifier, with what is missing.
    static Result<ImageLabeler> create(const LoadedModel& model,
                                       const LabelerOptions& options = {}) {
        return create(skiff_labeler_create, model.handle(), options);
    }
    // Follows the model: each image is labelled by the best version of that moment. A version that
    // is no image classifier is passed over. options.threads is not used.
    static Result<ImageLabeler> create(const Model& model, const LabelerOptions& options = {}) {
        return create(skiff_model_labeler_create, model.handle(), options);
    }
    static Result<ImageLabeler> create(const LocalModel& model,
                                       const LabelerOptions& options = {}) {
        return create(SKIFF_TRY(LoadedModel::load(model)), options);
    }

    Result<std::vector<ImageLabel>> process(const Image& image) {
        skiff_image i{};
        i.size = sizeof i;
        i.data = image.bytes.data();
        i.bytes = image.bytes.size();
        i.format = image.format;
        i.width = image.width;
        i.height = image.height;
        i.stride = image.stride;
        i.rotation = image.rotation;
        std::size_t count = 0;
        skiff_error e;
        if (skiff_labeler_process(handle_.get(), &i, buffer_.data(), buffer_.size(), &count, &e) !=
            SKIFF_OK)
            return detail::to_error(e);
        std::vector<ImageLabel> labels;
        for (std::size_t k = 0; k < count; ++k)
            labels.push_back({buffer_[k].index, buffer_[k].confidence, buffer_[k].text,
                              buffer_[k].display_name});
        return labels;
    }

    // Of a delivered model: which version labelled the newest image, and that inference's id for
    // Model::record_outcome.
    Version version() const {
        skiff_model_version v;
        skiff_labeler_version(handle_.get(), &v);
        return Version{v.model, v.number, v.sha256};
    }
    std::uint64_t inference_id() const { return skiff_labeler_inference_id(handle_.get()); }

 private:
    template <typename Make, typename From>
    static Result<ImageLabeler> create(Make make, From* from, const LabelerOptions& options) {
        skiff_labeler_options o{};
        o.size = sizeof o;
        o.confidence_threshold = options.confidence_threshold.value_or(-1.f);
        o.max_result_count = options.max_result_count;
        o.threads = options.threads;
        o.labels = options.labels.empty() ? nullptr : options.labels.c_str();
        o.normalize = options.normalization.has_value();
        o.mean = options.normalization.value_or(LabelerOptions::Normalization{}).mean;
        o.std = options.normalization.value_or(LabelerOptions::Normalization{}).std;
        skiff_labeler* made = nullptr;
        skiff_error e;
        if (make(from, &o, &made, &e) != SKIFF_OK) return detail::to_error(e);
        return ImageLabeler(made);
    }
    explicit ImageLabeler(skiff_labeler* handle)
        : handle_(handle), buffer_(skiff_labeler_max_results(handle)) {}
    detail::Handle<skiff_labeler, skiff_labeler_destroy> handle_;
    std::vector<skiff_label> buffer_;
};

}  // namespace skiff
