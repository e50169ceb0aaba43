#include "tests/differential/run.h"

#include <cmath>
#include <cstring>

#include "base/files.h"
#include "cli/compare.h"
#include "runtime/engine.h"
#include "tests/differential/draw.h"

namespace skiff::differential {
namespace {

using Values = std::map<std::int32_t, std::vector<std::uint8_t>>;  // by tensor of the net

// What one side made of a net.
struct Side {
    Status status;
    std::vector<runtime::TensorInfo> infos;          // of the outputs
    std::vector<std::vector<std::uint8_t>> outputs;  // of all invocations, one after the other
};

std::vector<std::uint8_t> input_values(const Net& net, std::size_t i, std::size_t bytes,
                                       Draft& draft) {
    const std::int32_t tensor = net.inputs[i];
    if (const auto given = net.given.find(tensor); given != net.given.end()) return given->second;
    const DType dtype = net.tensor(tensor).dtype;
    const auto magnitude = net.magnitudes.find(tensor);
    const std::size_t n = bytes * 8 / static_cast<std::size_t>(dtype_bits(dtype));
    return draft.values(dtype, n, magnitude == net.magnitudes.end() ? 1 : magnitude->second);
}

// `values` overrides what would be drawn.
Side run_engine(const std::string& spec, int threads, const Net& net,
                const std::shared_ptr<const model::Model>& model, std::uint64_t seed,
                const Values* values, int invocations) {
    Side side;
    side.status = [&]() -> Status {
        runtime::EngineOptions options;
        options.threads = threads;
        const auto engine = TRY(runtime::create_engine(spec, model, options));
        for (const Resize& r : net.resizes) TRY(engine->resize_input(r.input, r.shape));
        TRY(engine->prepare());
        Draft draft(seed ^ 0xABCDEF);
        for (int step = 0; step < invocations; ++step) {
            for (std::size_t i = 0; i < engine->input_count(); ++i) {
                const MutableBytes to = engine->input(i);
                const auto from = values != nullptr ? values->at(net.inputs[i])
                                                    : input_values(net, i, to.size(), draft);
                if (from.size() != to.size())
                    return error(Code::internal, "input " + std::to_string(i) + " has " +
                                                     std::to_string(to.size()) + " bytes, not " +
                                                     std::to_string(from.size()));
                if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
            }
            TRY(engine->invoke());
            for (std::size_t i = 0; i < engine->output_count(); ++i) {
                side.infos.push_back(engine->output_info(i));
                const Bytes bytes = engine->output(i);
                side.outputs.emplace_back(bytes.begin(), bytes.end());
            }
        }
        return {};
    }();
    return side;
}

struct Compared {
    bool equal = true;
    std::string reason;
};

std::string value_at(DType dtype, const std::vector<std::uint8_t>& bytes, std::int64_t index) {
    const std::uint8_t* at = bytes.data() + index * dtype_bits(dtype) / 8;
    const auto text = [at]<typename T>(T value) {
        std::memcpy(&value, at, sizeof value);
        return std::to_string(+value);
    };
    switch (dtype) {
        case DType::float32:
            return text(float{});
        case DType::int8:
            return text(std::int8_t{});
        case DType::int16:
            return text(std::int16_t{});
        case DType::int32:
            return text(std::int32_t{});
        case DType::int64:
            return text(std::int64_t{});
        default:
            return text(std::uint8_t{});
    }
}

std::string worst(DType dtype, std::int64_t index, const std::vector<std::uint8_t>& ours,
                  const std::vector<std::uint8_t>& theirs) {
    if (index < 0) return {};
    return ": ours " + value_at(dtype, ours, index) + ", theirs " + value_at(dtype, theirs, index);
}

// The largest absolute value of an operator's first input, if it is of floats.
double largest_float(const Net& net, const Values& values) {
    const std::int32_t input = net.nodes.back().spec.inputs[0];
    const auto found = values.find(input);
    if (found == values.end() || net.tensor(input).dtype != DType::float32) return 0;
    double largest = 0;
    for (std::size_t at = 0; at + 4 <= found->second.size(); at += 4) {
        float value;
        std::memcpy(&value, found->second.data() + at, 4);
        largest = std::max(largest, static_cast<double>(std::fabs(value)));
    }
    return largest;
}

// Where a sum of floats cancels out to little, the sides may be as far apart as the last bits of
// the inputs are.
Compared compare_sides(const Side& ours, const Side& theirs, double largest_input = 0) {
    for (std::size_t i = 0; i < theirs.outputs.size(); ++i) {
        const runtime::TensorInfo &a = theirs.infos[i], &b = ours.infos[i];
        if (!(a.shape == b.shape) || a.dtype != b.dtype ||
            theirs.outputs[i].size() != ours.outputs[i].size())
            return {false, "shape " + b.shape.to_string() + ", theirs " + a.shape.to_string()};
        const auto c = cli::compare_values(a.dtype, theirs.outputs[i], ours.outputs[i]);
        if (!c.ok()) return {false, c.error().message};
        if (c->match != cli::Match::exact && c->max_abs_diff > 4e-6 * largest_input)
            return {false,
                    c->reason + worst(a.dtype, c->worst_index, ours.outputs[i], theirs.outputs[i])};
    }
    return {};
}

struct Loaded {
    std::vector<std::uint8_t> bytes;
    std::shared_ptr<const model::Model> model;
};

Result<Loaded> load(const Net& net) {
    Loaded loaded;
    loaded.bytes = TRY(build(net));
    loaded.model = TRY(model::Model::load_memory(loaded.bytes, "net.tflite"));
    return loaded;
}

class Trial {
 public:
    Trial(std::uint64_t seed, const RunOptions& options)
        : seed_(seed), options_(options), net_(draw_net(seed)) {}

    Report run() {
        Report report;
        report.culprit = net_.text();
        const auto loaded = load(net_);
        if (!loaded.ok()) {
            report.outcome = Outcome::invalid;
            report.reason = loaded.error().message;
            return report;
        }
        if (!options_.save_as.empty() && !write_file(options_.save_as, loaded->bytes).ok())
            report.reason = "cannot write " + options_.save_as;
        const int invocations = seed_ % 3 == 0 ? 2 : 1;
        const Side ours =
            run_ours(net_, loaded->model, nullptr, invocations, seed_ % 5 == 0 ? 3 : 1);
        const Side theirs = run_theirs(net_, loaded->model, nullptr, invocations);
        report.details = describe(net_);
        if (!ours.status.ok() || !theirs.status.ok()) return refused(report, ours, theirs);
        const Compared compared = compare_sides(ours, theirs);
        if (compared.equal) return report;
        report.reason = compared.reason;
        find_culprit(report);
        return report;
    }

 private:
    Side run_ours(const Net& net, const std::shared_ptr<const model::Model>& model,
                  const Values* values, int invocations, int threads) {
        if (options_.stage) options_.stage(false);
        return run_engine("skiff", threads, net, model, seed_, values, invocations);
    }
    Side run_theirs(const Net& net, const std::shared_ptr<const model::Model>& model,
                    const Values* values, int invocations) {
        if (options_.stage) options_.stage(true);
        return run_engine(net.has_variable_indices ? options_.tflite : options_.litert, 1, net,
                          model, seed_, values, invocations);
    }

    Report refused(Report report, const Side& ours, const Side& theirs) {
        const std::string we = ours.status.ok() ? "" : ours.status.error().message;
        const std::string they = theirs.status.ok() ? "" : theirs.status.error().message;
        if (they.find("depends on values") != std::string::npos) {
            report.outcome = Outcome::not_asked;
            report.reason = they;
        } else if (!we.empty() && !they.empty()) {
            report.outcome = Outcome::both_refuse;
            report.reason = we + " | " + they;
        } else {
            report.outcome = we.empty() ? Outcome::theirs_refuses : Outcome::ours_refuses;
            report.reason = we.empty() ? they : we;
        }
        return report;
    }

    // Each operator alone, on what the official library computed before it.
    void find_culprit(Report& report) {
        report.outcome = Outcome::differs;
        Values values;
        if (!inner_values(values)) return;
        if (one_by_one(report, values)) return;
        report.reason += " (each operator alone agrees)";
        if (values_agree(values)) report.outcome = Outcome::inconsistent;
    }

    // True when one of the operators was found to differ.
    bool one_by_one(Report& report, const Values& values) {
        bool all_asked = true;
        for (std::size_t i = 0; i < net_.nodes.size(); ++i) {
            if (net_.unpacks_constant(net_.nodes[i])) continue;
            Net one = only(net_, i);
            for (const std::int32_t input : one.inputs)
                one.tensors[static_cast<std::size_t>(input)].shape = shapes_.at(input);
            const auto loaded = load(one);
            if (!loaded.ok()) continue;
            Values own;
            for (const std::int32_t input : one.inputs) own[input] = values.at(input);
            const Side ours = run_ours(one, loaded->model, &own, 1, 1);
            const Side theirs = run_theirs(one, loaded->model, &own, 1);
            if (!ours.status.ok() || !theirs.status.ok()) {
                all_asked = false;
                continue;
            }
            const Compared compared = compare_sides(ours, theirs, largest_float(one, own));
            if (compared.equal) continue;
            report.culprit = net_.nodes[i].name;
            report.reason = "operator " + std::to_string(i) + ": " + compared.reason;
            report.details =
                describe(one) + (net_.nodes.size() > 1 ? "  of\n" + describe(net_) : "");
            return true;
        }
        bool floats = false;
        for (const Node& node : net_.nodes)
            floats = floats || net_.tensor(node.spec.inputs[0]).dtype == DType::float32;
        if (floats && all_asked) report.outcome = Outcome::amplified;
        return false;
    }

    // Whether the whole net with all inner values as outputs, which the library then cannot fuse or
    // overwrite, is the same on both sides.
    bool values_agree(const Values& values) {
        const Net all = with_inner_outputs(net_);
        const auto loaded = load(all);
        if (!loaded.ok()) return false;
        const Side ours = run_ours(all, loaded->model, nullptr, 1, 1);
        if (!ours.status.ok()) return false;
        for (std::size_t i = 0; i < all.outputs.size(); ++i)
            if (ours.outputs[i] != values.at(all.outputs[i])) return false;
        return true;
    }

    // Inputs, and what the official library computes of the first of them.
    bool inner_values(Values& values) {
        const Net all = with_inner_outputs(net_);
        const auto loaded = load(all);
        if (!loaded.ok()) return false;
        const Side theirs = run_theirs(all, loaded->model, nullptr, 1);
        if (!theirs.status.ok()) return false;
        Draft draft(seed_ ^ 0xABCDEF);
        for (std::size_t i = 0; i < all.inputs.size(); ++i) {
            const model::TensorSpec& spec = all.tensor(all.inputs[i]);
            std::vector<std::int32_t>& shape = shapes_[all.inputs[i]] = spec.shape;
            for (const Resize& r : all.resizes)
                if (r.input == i) shape.assign(r.shape.begin(), r.shape.end());
            const auto n = static_cast<std::size_t>(elements(shape));
            values[all.inputs[i]] = input_values(
                all, i, n * static_cast<std::size_t>(dtype_bits(spec.dtype)) / 8, draft);
        }
        for (std::size_t i = 0; i < all.outputs.size(); ++i) {
            values[all.outputs[i]] = theirs.outputs[i];
            const Shape& shape = theirs.infos[i].shape;
            shapes_[all.outputs[i]].assign(shape.begin(), shape.end());
        }
        return true;
    }

    std::uint64_t seed_;
    const RunOptions& options_;
    Net net_;
    std::map<std::int32_t, std::vector<std::int32_t>> shapes_;  // with inner_values()
};

}  // namespace

Report run_seed(std::uint64_t seed, const RunOptions& options) {
    return Trial(seed, options).run();
}

const char* outcome_name(Outcome outcome) {
    switch (outcome) {
        case Outcome::same:
            return "same";
        case Outcome::differs:
            return "DIFFERS";
        case Outcome::ours_refuses:
            return "we refuse";
        case Outcome::theirs_refuses:
            return "they refuse";
        case Outcome::both_refuse:
            return "both refuse";
        case Outcome::amplified:
            return "amplified";
        case Outcome::inconsistent:
            return "they differ from themselves";
        case Outcome::not_asked:
            return "not asked";
        default:
            return "invalid";
    }
}

}  // namespace skiff::differential
