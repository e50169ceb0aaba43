#include "cli/label_image.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "cli/table.h"
#include "model/metadata.h"
#include "tasks/image_labeler.h"

namespace skiff::cli {

namespace {

Result<tasks::LabelerOptions> labeler_options(const LabelImageOptions& options) {
    tasks::LabelerOptions out;
    out.max_result_count = options.max_results;
    if (options.threshold >= 0) out.confidence_threshold = static_cast<float>(options.threshold);
    if (!options.labels.empty()) {
        out.labels = model::parse_labels(TRY(read_file(options.labels)));
        if (out.labels.empty())
            return error(Code::invalid_argument,
                         options.labels + " is empty: it must have one label per line and class");
    }
    if (!options.mean_std.empty())
        out.normalization = model::Normalization{{options.mean_std[0]}, {options.mean_std[1]}};
    return out;
}

}  // namespace

Result<ExitCode> label_image(const Session& session, const model::Model& model,
                             std::unique_ptr<runtime::Engine> engine,
                             const LabelImageOptions& options) {
    const std::string engine_name(engine->name());
    const auto labeler = TRY(tasks::ImageLabeler::create(
        std::move(engine), TRY(model::read_metadata(model)), TRY(labeler_options(options))));
    const std::string file = TRY(read_file(options.image));
    tasks::Image image;
    image.bytes = as_bytes(file);
    const auto start = std::chrono::steady_clock::now();
    auto labels = labeler->process(image);
    const auto spent = std::chrono::steady_clock::now() - start;
    if (!labels.ok()) return with_context(labels.take_error(), options.image);

    OrderedJson json = OrderedJson::array();
    Table table({"index", "label", "confidence"});
    for (const tasks::ImageLabel& label : *labels) {
        json.push_back({{"index", label.index},
                        {"label", label.text},
                        {"display_name", label.display_name},
                        {"confidence", label.confidence}});
        table.add({std::to_string(label.index), std::string(label.display_name),
                   compact(label.confidence)});
    }
    if (session.json()) {
        session.print_json(
            {{"image", options.image}, {"engine", engine_name}, {"labels", std::move(json)}});
        return exit_done;
    }
    session.print_table(table);
    session.say(engine_name + ": " +
                human_time(std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count()) +
                ", decoding and resizing included");
    return exit_done;
}

}  // namespace skiff::cli
