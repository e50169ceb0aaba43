#include "api/following_labeler.h"

#include "base/files.h"
#include "model/metadata.h"

namespace skiff::api {

namespace {

constexpr std::size_t default_max_results = 10;
constexpr std::size_t max_label_file_bytes = 16u << 20;

}  // namespace

bool has_labels(const model::Metadata& metadata) {
    return !metadata.outputs.empty() && !metadata.outputs.front().axis_labels.empty();
}

Result<std::unique_ptr<FollowingLabeler>> FollowingLabeler::create(
    std::shared_ptr<device::Model> model, tasks::LabelerOptions options) {
    std::unique_ptr<FollowingLabeler> made(
        new FollowingLabeler(std::move(model), std::move(options)));
    TRY(made->follow());
    return made;
}

std::size_t FollowingLabeler::max_results() const {
    // Not bounded by the classes of now: another version may have more.
    return options_.max_result_count > 0 ? static_cast<std::size_t>(options_.max_result_count)
                                         : default_max_results;
}

Result<std::vector<tasks::ImageLabel>> FollowingLabeler::process(const tasks::Image& image) {
    TRY(follow());
    auto labels = TRY(labeler_->process(image));
    if (!labels.empty()) model_->record_confidence(labels.front().confidence);
    return labels;
}

Status FollowingLabeler::follow() {
    if (engine_ && !engine_->stale()) return {};
    auto borrowed = model_->interpreter();
    if (!borrowed.ok()) {
        if (engine_) return {};
        return borrowed.take_error();
    }
    const device::Version version = (*borrowed)->version();
    if (engine_ && (version == refused_ || version == engine_->version())) return {};
    const Status taken = take(std::move(borrowed).value());
    if (taken.ok() || !engine_) return taken;
    refused_ = version;
    return {};
}

Status FollowingLabeler::take(std::unique_ptr<device::BorrowedEngine> engine) {
    const auto metadata = TRY(model::read_metadata(*engine->model()));
    tasks::LabelerOptions options = options_;
    if (options.labels.empty() && !has_labels(metadata))
        options.labels = TRY(published_labels(engine->version()));
    device::BorrowedEngine* const borrowed = engine.get();
    labeler_ = TRY(tasks::ImageLabeler::create(std::move(engine), metadata, std::move(options)));
    engine_ = borrowed;
    return {};
}

// Labels that lie beside the model rather than in it: published with the version, or AutoML's.
Result<std::vector<std::string>> FollowingLabeler::published_labels(
    const device::Version& version) {
    const auto file = model_->file();
    if (!file.ok() || !(file->version == version)) return std::vector<std::string>();
    // (Beside a bundled model nothing lies but a manifest's labels, whatever their name is.)
    for (const auto& [name, path] : file->files)
        if (name == "labels.txt" || name == "dict.txt" || version.number == 0)
            return model::parse_labels(TRY(read_file(path, max_label_file_bytes)));
    return std::vector<std::string>();
}

}  // namespace skiff::api
