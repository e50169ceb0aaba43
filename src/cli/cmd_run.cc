#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/describe_output.h"
#include "cli/engine_choice.h"
#include "cli/label_image.h"
#include "cli/model_argument.h"
#include "cli/profile.h"
#include "cli/run_inputs.h"
#include "cli/table.h"

namespace skiff::cli {
namespace {

struct Options {
    std::string model;
    std::vector<std::string> inputs, resizes;
    std::string signature;
    std::string output_dir;
    std::string engine = "skiff";
    std::uint64_t random_seed = 0;
    bool random = false;
    bool steps_given = false;
    int steps = 1;
    int threads = 1;
    bool allow_fp16 = false;
    bool profile = false;
    LabelImageOptions image;
};

// An input's file: one step's bytes, or those of all steps one after the other.
struct InputFile {
    std::size_t input;
    std::string path;
    std::string data;
};

class Run {
 public:
    Run(const Session& session, const Options& options) : session_(session), options_(options) {}

    Result<ExitCode> execute() {
        model_ = TRY(model::Model::load_file(TRY(model_path(options_.model))));
        TRY(open());
        for (const std::string& text : options_.resizes) {
            const auto argument = TRY(parse_input_argument(text));
            const std::size_t input = TRY(find_input(*engine_, argument.input));
            TRY(engine_->resize_input(input, TRY(parse_dims(argument.value))));
        }
        if (!options_.image.image.empty())
            return label_image(session_, *model_, std::move(engine_), options_.image);
        TRY(engine_->prepare());
        TRY(read_inputs());
        OrderedJson steps = OrderedJson::array();
        Table table({"step", "output", "type", "shape", "min", "max", "values", "name"});
        for (int step = 0; step < options_.steps; ++step) {
            TRY(fill_inputs(static_cast<std::size_t>(step)));
            const auto start = std::chrono::steady_clock::now();
            TRY(engine_->invoke());
            nanoseconds_ += std::chrono::duration_cast<std::chrono::nanoseconds>(
                                std::chrono::steady_clock::now() - start)
                                .count();
            TRY(write_outputs(step));
            steps.push_back(describe_step(step, table));
        }
        print(table, std::move(steps));
        return exit_done;
    }

 private:
    Status open() {
        if (options_.profile && options_.engine != "skiff")
            return error(Code::unimplemented,
                         "--profile shows the nodes of skiff's own engine only");
        if (options_.engine == "skiff") {
            runtime::InterpreterOptions own;
            own.threads = options_.threads;
            own.allow_fp16 = options_.allow_fp16;
            own.signature = options_.signature;
            auto interpreter = TRY(runtime::Interpreter::create(model_, std::move(own)));
            if (options_.profile) profile_.watch(*interpreter);
            engine_ = std::move(interpreter);
            return {};
        }
        runtime::EngineOptions options;
        options.threads = options_.threads;
        options.allow_fp16 = options_.allow_fp16;
        options.signature = options_.signature;
        engine_ = TRY(open_engine(TRY(resolve_engine(options_.engine)), model_, options));
        return {};
    }

    Status read_inputs() {
        for (const std::string& text : options_.inputs) {
            const auto argument = TRY(parse_input_argument(text));
            const std::size_t input = TRY(find_input(*engine_, argument.input));
            std::string bytes = TRY(read_file(argument.value));
            files_.push_back({input, argument.value, std::move(bytes)});
        }
        for (std::size_t i = 0; i < engine_->input_count() && !options_.random; ++i) {
            const auto has = [i](const InputFile& file) { return file.input == i; };
            if (std::ranges::none_of(files_, has))
                return error(Code::invalid_argument, "nothing for input " + std::to_string(i) +
                                                         ", " + engine_->input_info(i).name +
                                                         " (give --input " + std::to_string(i) +
                                                         "=FILE.bin, or --random SEED)");
        }
        return {};
    }

    Status fill_inputs(std::size_t step) {
        if (options_.random) TRY(fill_random_inputs(*engine_, options_.random_seed, step));
        for (const InputFile& file : files_) {
            Bytes data = as_bytes(file.data);
            const std::size_t size = engine_->input(file.input).size();
            const auto steps = static_cast<std::size_t>(options_.steps);
            if (steps > 1 && data.size() == size * steps) data = data.subspan(step * size, size);
            TRY(set_input(*engine_, file.input, data, file.path));
        }
        return {};
    }

    Status write_outputs(int step) const {
        if (options_.output_dir.empty()) return {};
        std::string folder = options_.output_dir;
        if (options_.steps_given) folder += "/step_" + std::to_string(step);
        TRY(make_folders(folder));
        for (std::size_t i = 0; i < engine_->output_count(); ++i)
            TRY(write_file(folder + "/output_" + std::to_string(i) + ".bin", engine_->output(i)));
        return {};
    }

    OrderedJson describe_step(int step, Table& table) const {
        OrderedJson outputs = OrderedJson::array();
        for (std::size_t i = 0; i < engine_->output_count(); ++i) {
            const runtime::TensorInfo info = engine_->output_info(i);
            const OutputSummary summary = summarize(info, engine_->output(i));
            outputs.push_back(summary_json(info, summary));
            table.add({std::to_string(step), std::to_string(i), std::string(dtype_name(info.dtype)),
                       info.shape.to_string(), compact(summary.min), compact(summary.max),
                       summary_text(summary), info.name});
        }
        return {{"step", step}, {"outputs", std::move(outputs)}};
    }

    void print(const Table& table, OrderedJson steps) const {
        const model::Subgraph& subgraph = subgraph_of(*model_, options_.signature);
        if (session_.json()) {
            OrderedJson out = {{"model", options_.model},
                               {"engine", engine_->name()},
                               {"threads", options_.threads},
                               {"allow_fp16", options_.allow_fp16},
                               {"mean_invoke_ns", nanoseconds_ / options_.steps},
                               {"steps", std::move(steps)}};
            if (options_.profile) out["profile"] = profile_.json(subgraph);
            session_.print_json(out);
            return;
        }
        session_.print_table(table);
        session_.say(std::string(engine_->name()) + ": " +
                     human_time(nanoseconds_ / options_.steps) +
                     (options_.steps > 1 ? " per step" : "") +
                     (options_.output_dir.empty() ? "" : ", outputs in " + options_.output_dir));
        if (options_.profile) session_.print_table(profile_.table(subgraph));
    }

    const Session& session_;
    const Options& options_;
    std::shared_ptr<const model::Model> model_;
    NodeProfile profile_;
    std::unique_ptr<runtime::Engine> engine_;
    std::vector<InputFile> files_;
    std::int64_t nanoseconds_ = 0;
};

std::string check_input_option(const std::string& text) {
    const auto argument = parse_input_argument(text);
    return argument.ok() ? "" : argument.error().message;
}

std::string check_resize_option(const std::string& text) {
    const auto argument = parse_input_argument(text);
    if (!argument.ok()) return argument.error().message;
    const auto shape = parse_dims(argument->value);
    return shape.ok() ? "" : shape.error().message;
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("run", "Run a model on given inputs");
    verb->add_option("MODEL", options->model,
                     "a .tflite file, or a reference: NAME:VERSION, NAME@ALIAS")
        ->required();
    verb->add_option("--input", options->inputs,
                     "I=FILE.bin: an input (index or name) as raw little-endian values; with "
                     "--steps the file may hold one after the other")
        ->check(check_input_option)
        ->allow_extra_args(false);
    CLI::Option* random = verb->add_option("--random", options->random_seed,
                                           "SEED: random values for inputs without a file");
    CLI::Option* image = verb->add_option("--image", options->image.image,
                                          "a JPEG, PNG, BMP or WebP file: prints its labels");
    image->excludes(random);
    verb->add_option("--max-results", options->image.max_results, "most labels of --image")
        ->needs(image);
    verb->add_option("--threshold", options->image.threshold,
                     "least confidence of a label (else the metadata's)")
        ->check(CLI::Range(0.0, 1.0))
        ->needs(image);
    verb->add_option("--labels", options->image.labels,
                     "FILE, one label a line, for --image (else the metadata's)")
        ->needs(image);
    verb->add_option("--normalize", options->image.mean_std,
                     "MEAN STD: a float input is (value - MEAN) / STD (else the metadata's)")
        ->expected(2)
        ->needs(image);
    verb->add_option("--resize", options->resizes, "I=DIMS: an input's shape, e.g. 0=1x224x224x3")
        ->check(check_resize_option)
        ->allow_extra_args(false);
    verb->add_option("--signature", options->signature,
                     "run this signature, not the main subgraph");
    CLI::Option* steps =
        verb->add_option("--steps", options->steps, "invocations in a row, state kept between them")
            ->check(CLI::Range(1, 1'000'000));
    verb->add_option("--output-dir", options->output_dir,
                     "write output_0.bin, ... here, with --steps below step_0/, ...");
    verb->add_option("--threads", options->threads)->check(CLI::Range(1, 256));
    verb->add_option("--engine", options->engine, "skiff, litert[:LIB] or tflite[:LIB]")
        ->check(check_engine_choice);
    verb->add_flag("--allow-fp16", options->allow_fp16, "half precision may stand in for float32");
    verb->add_flag("--profile", options->profile, "time of every node");
    verb->callback([&session, options, random, steps] {
        options->random = random->count() > 0;
        options->steps_given = steps->count() > 0;
        session.run([&] { return Run(session, *options).execute(); });
    });
}

}  // namespace skiff::cli
