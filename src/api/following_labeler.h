// An image labeler that follows a delivered model from version to version.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "device/client.h"
#include "model/metadata.h"
#include "tasks/image_labeler.h"

namespace skiff::api {

// Of the model's classes, inside its file.
bool has_labels(const model::Metadata& metadata);

// One thread at a time.
class FollowingLabeler {
 public:
    // Errors: those of Model::interpreter(); invalid_argument for a model that labels no images.
    static Result<std::unique_ptr<FollowingLabeler>> create(std::shared_ptr<device::Model> model,
                                                            tasks::LabelerOptions options);

    // By the best version of now. One that labels no images is passed over: the one before goes on.
    // Texts live until the next call.
    Result<std::vector<tasks::ImageLabel>> process(const tasks::Image& image);

    std::size_t max_results() const;
    const device::Version& version() const { return engine_->version(); }
    std::uint64_t inference_id() const { return engine_->inference_id(); }

 private:
    FollowingLabeler(std::shared_ptr<device::Model> model, tasks::LabelerOptions options)
        : model_(std::move(model)), options_(std::move(options)) {}
    Status follow();
    Status take(std::unique_ptr<device::BorrowedEngine> engine);
    Result<std::vector<std::string>> published_labels(const device::Version& version);

    std::shared_ptr<device::Model> model_;
    tasks::LabelerOptions options_;
    device::BorrowedEngine* engine_ = nullptr;  // the labeler's
    std::unique_ptr<tasks::ImageLabeler> labeler_;
    std::optional<device::Version> refused_;
};

}  // namespace skiff::api
