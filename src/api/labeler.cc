#include <algorithm>
#include <cmath>

#include <skiff/c.h>

#include "api/client.h"
#include "api/error.h"
#include "api/following_labeler.h"
#include "api/loaded_model.h"
#include "api/values.h"
#include "model/metadata.h"
#include "runtime/interpreter.h"
#include "tasks/image_labeler.h"

using skiff::Code;
using skiff::Result;
using skiff::api::fail;
using skiff::api::FollowingLabeler;
using skiff::tasks::ImageLabeler;

// Of the two one is there.
struct skiff_labeler {
    std::shared_ptr<const void> keep;  // goes last: what the following one counts into
    std::unique_ptr<ImageLabeler> labeler;
    std::unique_ptr<FollowingLabeler> following;
};

namespace {

Result<skiff::tasks::LabelerOptions> read_options(const skiff_labeler_options& o) {
    skiff::tasks::LabelerOptions options;
    if (o.confidence_threshold >= 0) options.confidence_threshold = o.confidence_threshold;
    options.max_result_count = o.max_result_count;
    if (o.labels) options.labels = skiff::model::parse_labels(o.labels);
    if (o.normalize) {
        if (!(std::isfinite(o.mean) && std::isfinite(o.std) && o.std != 0))
            return skiff::error(Code::invalid_argument,
                                "normalization needs a finite mean and a std that is not 0");
        options.normalization = skiff::model::Normalization{{o.mean}, {o.std}};
    }
    return options;
}

Result<std::unique_ptr<ImageLabeler>> create(const skiff_loaded_model& model,
                                             const skiff_labeler_options& o) {
    const skiff::model::Metadata metadata = TRY(skiff::model::read_metadata(*model.model));
    skiff::runtime::InterpreterOptions interpreter;
    interpreter.threads = std::clamp(o.threads, 1, 256);
    auto engine = TRY(skiff::runtime::Interpreter::create(model.model, interpreter));
    auto options = TRY(read_options(o));
    if (options.labels.empty() && !skiff::api::has_labels(metadata)) options.labels = model.labels;
    return ImageLabeler::create(std::move(engine), metadata, std::move(options));
}

skiff::Error bad_arguments(const char* function) {
    return skiff::error(Code::invalid_argument,
                        std::string(function) +
                            ": give a model, options whose size is set or NULL, and a place for "
                            "the labeler");
}

// The views lie in strings that live as long as the labeler, whole: what is behind them ends with
// 0.
const char* c_string(std::string_view text) {
    return text.empty() ? "" : text.data();
}

}  // namespace

int32_t skiff_labeler_create(skiff_loaded_model* model, const skiff_labeler_options* options,
                             skiff_labeler** labeler, skiff_error* error) {
    skiff_labeler_options o{};
    o.confidence_threshold = -1;
    if (!model || !labeler || (options && !skiff::api::read_versioned(options, &o, sizeof o)))
        return fail(bad_arguments("skiff_labeler_create"), error);
    auto made = create(*model, o);
    if (!made.ok()) return fail(made.error(), error);
    *labeler = new skiff_labeler{nullptr, std::move(made).value(), nullptr};
    return SKIFF_OK;
}

int32_t skiff_model_labeler_create(skiff_model* model, const skiff_labeler_options* options,
                                   skiff_labeler** labeler, skiff_error* error) {
    skiff_labeler_options o{};
    o.confidence_threshold = -1;
    if (!model || !labeler || (options && !skiff::api::read_versioned(options, &o, sizeof o)))
        return fail(bad_arguments("skiff_model_labeler_create"), error);
    auto chosen = read_options(o);
    if (!chosen.ok()) return fail(chosen.error(), error);
    auto made = FollowingLabeler::create(model->model, std::move(chosen).value());
    if (!made.ok()) return fail(made.error(), error);
    *labeler = new skiff_labeler{model->client, nullptr, std::move(made).value()};
    return SKIFF_OK;
}

void skiff_labeler_destroy(skiff_labeler* labeler) {
    delete labeler;
}

size_t skiff_labeler_max_results(const skiff_labeler* labeler) {
    return labeler->following ? labeler->following->max_results() : labeler->labeler->max_results();
}

void skiff_labeler_version(const skiff_labeler* labeler, skiff_model_version* version) {
    *version = labeler->following ? skiff::api::to_c(labeler->following->version())
                                  : skiff_model_version{};
}

uint64_t skiff_labeler_inference_id(const skiff_labeler* labeler) {
    return labeler->following ? labeler->following->inference_id() : 0;
}

int32_t skiff_labeler_process(skiff_labeler* labeler, const skiff_image* image, skiff_label* labels,
                              size_t capacity, size_t* count, skiff_error* error) {
    skiff_image i{};
    if (!image || !count || (!labels && capacity) ||
        !skiff::api::read_versioned(image, &i, sizeof i) || i.format < SKIFF_IMAGE_ENCODED ||
        i.format > SKIFF_IMAGE_YUYV)
        return fail(skiff::error(Code::invalid_argument,
                                 "skiff_labeler_process: give an image whose size and format are "
                                 "set, and a place for "
                                 "the labels and their count"),
                    error);
    skiff::tasks::Image picture;
    picture.bytes = {static_cast<const uint8_t*>(i.data), i.bytes};
    picture.width = i.width;
    picture.height = i.height;
    picture.stride = i.stride;
    picture.rotation = i.rotation;
    picture.format = static_cast<skiff::tasks::PixelFormat>(i.format);
    auto found = labeler->following ? labeler->following->process(picture)
                                    : labeler->labeler->process(picture);
    if (!found.ok()) return fail(found.error(), error);
    *count = std::min(capacity, found->size());
    for (size_t k = 0; k < *count; ++k) {
        const skiff::tasks::ImageLabel& label = (*found)[k];
        labels[k] = {label.index, label.confidence, c_string(label.text),
                     c_string(label.display_name)};
    }
    return SKIFF_OK;
}
