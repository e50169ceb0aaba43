// `skiff device run`: what an app does with its model, by the version that runs here now.
#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "api/following_labeler.h"
#include "base/files.h"
#include "base/hex.h"
#include "cli/arguments.h"
#include "cli/describe_output.h"
#include "cli/device/options.h"
#include "cli/device/verbs.h"
#include "cli/run_inputs.h"
#include "cli/table.h"

namespace skiff::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct RunOptions {
    DeviceOptions device;
    std::string image;
    int max_results = 10;
    std::vector<std::string> inputs;
    int repeat = 1;
    double loop_s = 0;
};

const char* source_name(device::ModelStatus::Source source) {
    constexpr const char* names[] = {"none", "bundled", "active", "previous"};
    return names[static_cast<int>(source)];
}

// What one inference of the app is: labels of a picture, or outputs of raw inputs.
class Task {
 public:
    virtual ~Task() = default;
    virtual Status once() = 0;
    virtual device::Version version() const = 0;  // that answered
    virtual OrderedJson json() const = 0;
    virtual std::string answer() const = 0;  // in one word: the best label
    virtual Table table() const = 0;
};

class LabelTask final : public Task {
 public:
    static Result<std::unique_ptr<Task>> create(std::shared_ptr<device::Model> model,
                                                const std::string& path, int max_results) {
        std::unique_ptr<LabelTask> task(new LabelTask);
        task->path_ = path;
        task->file_ = TRY(read_file(path));
        task->labeler_ =
            TRY(api::FollowingLabeler::create(std::move(model), {.max_result_count = max_results}));
        return std::unique_ptr<Task>(std::move(task));
    }
    Status once() override {
        tasks::Image image;
        image.bytes = as_bytes(file_);
        auto labels = labeler_->process(image);
        if (!labels.ok()) return with_context(labels.take_error(), path_);
        labels_ = std::move(labels).value();
        return {};
    }
    device::Version version() const override { return labeler_->version(); }
    std::string answer() const override {
        return labels_.empty() ? std::string() : std::string(labels_.front().display_name);
    }
    OrderedJson json() const override {
        OrderedJson all = OrderedJson::array();
        for (const tasks::ImageLabel& label : labels_)
            all.push_back({{"index", label.index},
                           {"label", label.text},
                           {"display_name", label.display_name},
                           {"confidence", label.confidence}});
        return {{"labels", std::move(all)}};
    }
    Table table() const override {
        Table table({"index", "label", "confidence"});
        for (const tasks::ImageLabel& label : labels_)
            table.add({std::to_string(label.index), std::string(label.display_name),
                       compact(label.confidence)});
        return table;
    }

 private:
    LabelTask() = default;
    std::string path_, file_;
    std::unique_ptr<api::FollowingLabeler> labeler_;
    std::vector<tasks::ImageLabel> labels_;
};

class RawTask final : public Task {
 public:
    static Result<std::unique_ptr<Task>> create(std::shared_ptr<device::Model> model,
                                                const std::vector<std::string>& inputs) {
        std::unique_ptr<RawTask> task(new RawTask);
        task->model_ = std::move(model);
        for (const std::string& text : inputs) {
            const InputArgument argument = TRY(parse_input_argument(text));
            std::string bytes = TRY(read_file(argument.value));
            task->files_.push_back({argument, std::move(bytes)});
        }
        return std::unique_ptr<Task>(std::move(task));
    }
    Status once() override {
        engine_.reset();  // a borrow per inference, as apps do
        engine_ = TRY(model_->interpreter());
        for (const auto& [argument, data] : files_)
            TRY(set_input(*engine_, TRY(find_input(*engine_, argument.input)), as_bytes(data),
                          argument.value));
        return engine_->invoke();
    }
    device::Version version() const override { return engine_->version(); }
    std::string answer() const override { return {}; }
    OrderedJson json() const override {
        OrderedJson all = OrderedJson::array();
        for (std::size_t i = 0; i < engine_->output_count(); ++i) {
            const runtime::TensorInfo info = engine_->output_info(i);
            all.push_back(summary_json(info, summarize(info, engine_->output(i))));
        }
        return {{"outputs", std::move(all)}};
    }
    Table table() const override {
        Table table({"output", "type", "shape", "values", "name"});
        for (std::size_t i = 0; i < engine_->output_count(); ++i) {
            const runtime::TensorInfo info = engine_->output_info(i);
            table.add({std::to_string(i), std::string(dtype_name(info.dtype)),
                       info.shape.to_string(), summary_text(summarize(info, engine_->output(i))),
                       info.name});
        }
        return table;
    }

 private:
    RawTask() = default;
    std::shared_ptr<device::Model> model_;
    std::vector<std::pair<InputArgument, std::string>> files_;
    std::unique_ptr<device::BorrowedEngine> engine_;
};

class Run {
 public:
    Run(const Session& session, const RunOptions& options) : session_(session), options_(options) {}

    Result<ExitCode> execute() {
        device_ = TRY(open_device(options_.device));
        if (!device_.model)
            return error(Code::invalid_argument, "no model is named (give --model NAME)");
        task_ = TRY(make_task());
        const auto start = Clock::now();
        const auto end = start + std::chrono::duration<double>(options_.loop_s);
        do {
            TRY(run_once());
        } while (options_.loop_s > 0 ? Clock::now() < end : runs_ < options_.repeat);
        print(nanoseconds_since(start));
        return exit_done;
    }

 private:
    static std::int64_t nanoseconds_since(Clock::time_point start) {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
    }

    Result<std::unique_ptr<Task>> make_task() const {
        if (options_.image.empty()) return RawTask::create(device_.model, options_.inputs);
        return LabelTask::create(device_.model, options_.image, options_.max_results);
    }

    Status run_once() {
        const auto start = Clock::now();
        TRY(task_->once());
        slowest_ns_ = std::max(slowest_ns_, nanoseconds_since(start));
        ++runs_;
        ++answers_[{task_->version().number, task_->answer()}];
        note_version();
        return {};
    }

    // In a loop each change is said as it happens: other programs wait for these lines.
    void note_version() {
        const std::string now = device::to_string(task_->version());
        if (!versions_.empty() && versions_.back() == now) return;
        versions_.push_back(now);
        if (options_.loop_s > 0) {
            session_.say(now + " answers: " + device_.model->status().why);
            std::fflush(stdout);
        }
    }

    // Of the version that answered: status() speaks of the one that the rules give.
    const char* source_of_answer(const device::ModelStatus& status) const {
        using Source = device::ModelStatus::Source;
        const device::Version& version = task_->version();
        if (status.running == version) return source_name(status.source);
        return source_name(version.number == 0 ? Source::bundled : Source::previous);
    }

    void print(std::int64_t spent_ns) const {
        const device::ModelStatus status = device_.model->status();
        if (session_.json()) {
            OrderedJson out = {{"model", options_.device.model},
                               {"version", versions_.back()},
                               {"number", task_->version().number},
                               {"source", source_of_answer(status)},
                               {"why", status.why},
                               {"runs", runs_},
                               {"mean_ns", spent_ns / runs_},
                               {"slowest_ns", slowest_ns_},
                               {"versions", versions_}};
            for (const auto& [answer, runs] : answers_)
                out["answers"].push_back(
                    {{"number", answer.first}, {"answer", answer.second}, {"runs", runs}});
            out.update(task_->json());
            session_.print_json(out);
            return;
        }
        session_.print_table(task_->table());
        session_.say(versions_.back() + " answered, " + source_of_answer(status) + ", " +
                     human_time(spent_ns / runs_) +
                     (runs_ > 1 ? " each of " + with_commas(runs_) : ""));
        session_.say("why: " + status.why);
    }

    const Session& session_;
    const RunOptions& options_;
    OpenDevice device_;
    std::unique_ptr<Task> task_;  // goes before the device
    std::vector<std::string> versions_;
    std::map<std::pair<std::uint32_t, std::string>, std::int64_t> answers_;  // how often each
    std::int64_t runs_ = 0, slowest_ns_ = 0;
};

std::string check_input(const std::string& text) {
    const auto argument = parse_input_argument(text);
    return argument.ok() ? "" : argument.error().message;
}

}  // namespace

void add_device_run(CLI::App& device, Session& session) {
    const auto options = std::make_shared<RunOptions>();
    CLI::App* verb = device.add_subcommand(
        "run", "Label an image, or compute raw inputs, with the version that runs here");
    add_store_options(*verb, options->device);
    CLI::Option* image = verb->add_option("--image", options->image,
                                          "a JPEG, PNG, BMP or WebP file: prints its labels")
                             ->check(CLI::ExistingFile);
    verb->add_option("--max-results", options->max_results, "most labels of --image")
        ->check(CLI::Range(1, 1'000'000))
        ->needs(image);
    CLI::Option* input =
        verb->add_option("--input", options->inputs,
                         "I=FILE.bin: an input (index or name) as raw little-endian values")
            ->check(check_input)
            ->allow_extra_args(false)
            ->excludes(image);
    CLI::Option* repeat = verb->add_option("--repeat", options->repeat, "N inferences")
                              ->check(CLI::Range(1, 100'000'000));
    verb->add_option("--loop", options->loop_s,
                     "SECONDS of inferences; says each version as it begins to answer")
        ->check(CLI::Range(0.0, 1e9))
        ->excludes(repeat);
    // Taken as the other verbs take them, so that one set of options serves all; run fetches
    // nothing.
    add_source_options(*verb, options->device);
    add_condition_options(*verb, options->device);
    add_fact_options(*verb, options->device);
    verb->callback([&session, options, image, input] {
        session.run([&]() -> Result<ExitCode> {
            if (image->empty() && input->empty())
                return error(Code::invalid_argument,
                             "nothing to compute (give --image FILE or --input I=FILE.bin)");
            return Run(session, *options).execute();
        });
    });
}

}  // namespace skiff::cli
