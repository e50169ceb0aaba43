// FULLY_CONNECTED: input taken as rows [N, K], weights [O, K], output [N, O].
//
// Rows go some at a time; threads share the outputs of those rows.
#include "kernels/portable/checks.h"
#include "kernels/portable/dynamic_range.h"
#include "kernels/portable/factories.h"
#include "kernels/portable/float_output.h"
#include "kernels/portable/matrix.h"
#include "kernels/portable/output_stage.h"
#include "kernels/portable/parallel.h"
#include "kernels/portable/scratch.h"

namespace skiff::kernels {

namespace {

constexpr std::int64_t max_block = 8;  // rows at a time
constexpr std::int64_t output_grain = 2 * panel_width;

class FullyConnected final : public Kernel {
 public:
    explicit FullyConnected(const FullyConnectedParams& params) : params_(params) {}

    Status prepare(PrepareContext& context) override {
        TRY(prepare_shapes(context));
        TRY(prepare_form(context));
        weights_.prepare(*context.input(1), 1, outputs_, depth_);
        const std::int64_t block = std::min(max_block, rows_);
        const bool is_float = form_ == Form::float32;
        const std::int64_t gathered = is_float ? 0 : block * padded_depth(depth_);
        ScratchLayout layout;
        weights_offset_ = layout.add(weights_.scratch_bytes());
        rows_offset_ = layout.add(static_cast<std::size_t>(gathered) * sizeof(std::int16_t));
        sums_offset_ = layout.add(static_cast<std::size_t>(block * outputs_) * sizeof(float));
        context.scratch_bytes = layout.total();
        return {};
    }

    Status invoke(InvokeContext& context) override {
        weights_.load(*context.input(1), context.scratch + weights_offset_);
        for (std::int64_t first = 0; first < rows_; first += max_block) {
            const std::int64_t n = std::min(max_block, rows_ - first);
            switch (form_) {
                case Form::float32:
                    run_float(context, first, n);
                    break;
                case Form::int8:
                    run_stored<std::int8_t>(context, first, n);
                    break;
                case Form::uint8:
                    run_stored<std::uint8_t>(context, first, n);
                    break;
                case Form::hybrid:
                    run_hybrid(context, first, n);
                    break;
            }
        }
        return {};
    }

 private:
    enum class Form { float32, int8, uint8, hybrid };  // hybrid: float input, int8 or int4 weights

    Status prepare_shapes(PrepareContext& context) {
        if (context.inputs.size() < 2 || context.inputs.size() > 3 || !context.input(0) ||
            !context.input(1) || context.outputs.size() != 1)
            return invalid("FULLY_CONNECTED has an input, weights, perhaps a bias, and one output");
        if (params_.shuffled_weights)
            return unimplemented("the shuffled weights format of FULLY_CONNECTED has no kernel");
        const Shape &input = context.input(0)->shape, &weights = context.input(1)->shape;
        if (weights.rank() != 2)
            return invalid("the weights must have 2 dimensions, not " + weights.to_string());
        outputs_ = weights[0];
        depth_ = weights[1];
        if (outputs_ < 1 || depth_ < 1) return invalid("the weights are empty");
        if (input.elements() % depth_ != 0)
            return invalid("the input " + input.to_string() + " does not split into rows of " +
                           std::to_string(depth_));
        rows_ = input.elements() / depth_;
        if (rows_ > std::numeric_limits<std::int32_t>::max())
            return invalid("the input has too many rows");
        Shape& output = context.output().shape;
        if (!params_.keep_num_dims) {
            output = Shape{static_cast<std::int32_t>(rows_), weights[0]};
            return {};
        }
        if (input.rank() < 1 || input[input.rank() - 1] != weights[1])
            return invalid("the last dimension of " + input.to_string() + " is not " +
                           std::to_string(depth_));
        output = input;
        output[input.rank() - 1] = weights[0];
        return {};
    }

    Status prepare_form(PrepareContext& context) {
        const Tensor &input = *context.input(0), &weights = *context.input(1);
        const Tensor& output = context.output();
        const Tensor* bias = context.input(2);
        bounds_ = TRY(float_activation(params_.activation));
        if (input.dtype != output.dtype)
            return unimplemented("no FULLY_CONNECTED from " + std::string(dtype_name(input.dtype)) +
                                 " to " + std::string(dtype_name(output.dtype)));
        const bool stored = input.dtype == DType::int8 || input.dtype == DType::uint8;
        const bool same = weights.dtype == input.dtype;
        const bool int4 = weights.dtype == DType::int4 && weights.constant;
        if (stored && (same || (int4 && input.dtype == DType::int8)))
            return prepare_stored(input, weights, bias, output);
        TRY(check_bias(bias, DType::float32, outputs_));
        if (input.dtype == DType::float32 && same) {
            form_ = Form::float32;
            return {};
        }
        const bool int8 = weights.dtype == DType::int8 && weights.constant;
        if (input.dtype == DType::float32 && (int8 || int4)) return prepare_hybrid(weights, bias);
        return unimplemented("no FULLY_CONNECTED of " + std::string(dtype_name(input.dtype)) +
                             " input and " + (weights.constant ? "" : "variable ") +
                             std::string(dtype_name(weights.dtype)) + " weights");
    }

    Status prepare_stored(const Tensor& input, const Tensor& weights, const Tensor* bias,
                          const Tensor& output) {
        TRY(check_bias(bias, DType::int32, outputs_));
        TRY(check_quantized(input, "input"));
        TRY(check_quantized(output, "output"));
        TRY(check_weight_quantization(weights, 0, outputs_));
        form_ = input.dtype == DType::int8 ? Form::int8 : Form::uint8;
        // The accelerated path of the official library takes signed weights only around zero.
        const bool centred =
            weights.dtype == DType::uint8 || weights.quantization.zero_point() == 0;
        return stage_.prepare(
            input, weights, output, outputs_, bounds_,
            accelerated(weights, bias) && centred ? Scaling::float_ratio : Scaling::ties_up, true);
    }

    Status prepare_hybrid(const Tensor& weights, const Tensor* bias) {
        TRY(check_hybrid_bias(bias));
        TRY(check_weight_quantization(weights, 0, outputs_));
        if (weights.quantization.zero_point() != 0)
            return unimplemented("weights with a zero point under a float input have no kernel");
        weight_scales_ = scales_per_channel(weights, outputs_);
        form_ = Form::hybrid;
        return {};
    }

    // Calls multiply_and_store(first output, number) for all outputs.
    template <typename Body>
    void for_outputs(InvokeContext& context, const Body& multiply_and_store) {
        const std::int64_t panels = panel_count(outputs_);
        parallel_for(context.pool, panels, output_grain / panel_width,
                     [&](std::int64_t begin, std::int64_t end) {
                         const std::int64_t first = begin * panel_width;
                         multiply_and_store(first, std::min(end * panel_width, outputs_) - first);
                     });
    }

    void run_float(InvokeContext& context, std::int64_t first_row, std::int64_t n_rows) {
        const float* rows = context.input(0)->as<float>() + first_row * depth_;
        const float* bias = context.input(2) ? context.input(2)->as<float>() : nullptr;
        float* sums = reinterpret_cast<float*>(context.scratch + sums_offset_);
        float* output = context.output().as<float>() + first_row * outputs_;
        for_outputs(context, [&](std::int64_t first, std::int64_t n) {
            multiply(rows, n_rows, weights_.panels(0) + first * depth_, n, depth_, sums + first,
                     outputs_);
            for (std::int64_t r = 0; r < n_rows; ++r)
                store_float(sums + r * outputs_ + first, bias ? bias + first : nullptr, n, bounds_,
                            output + r * outputs_ + first);
        });
    }

    // Multiplies the gathered rows; store(row, first output, number, sums of that row and output).
    template <typename Store>
    void run_integers(InvokeContext& context, std::int64_t n_rows, const Store& store) {
        const std::int64_t depth = padded_depth(depth_);
        const std::int16_t* rows = gathered(context, 0);
        auto* sums = reinterpret_cast<std::int32_t*>(context.scratch + sums_offset_);
        for_outputs(context, [&](std::int64_t first, std::int64_t n) {
            multiply(rows, n_rows, weights_.integers(0) + first * depth, n, depth, sums + first,
                     outputs_);
            for (std::int64_t r = 0; r < n_rows; ++r)
                store(r, first, n, sums + r * outputs_ + first);
        });
    }

    // Place of a gathered row, its padding zeroed.
    std::int16_t* gathered(InvokeContext& context, std::int64_t row) const {
        const std::int64_t depth = padded_depth(depth_);
        auto* to = reinterpret_cast<std::int16_t*>(context.scratch + rows_offset_) + row * depth;
        std::fill(to + depth_, to + depth, std::int16_t{0});
        return to;
    }

    template <typename T>
    void run_stored(InvokeContext& context, std::int64_t first_row, std::int64_t n_rows) {
        const T* input = context.input(0)->as<T>() + first_row * depth_;
        const std::int32_t zero_point = context.input(0)->quantization.zero_point();
        for (std::int64_t r = 0; r < n_rows; ++r, input += depth_) {
            std::int16_t* row = gathered(context, r);
            for (std::int64_t k = 0; k < depth_; ++k)
                row[k] = static_cast<std::int16_t>(input[k] - zero_point);
        }
        const std::int32_t* bias =
            context.input(2) ? context.input(2)->as<std::int32_t>() : nullptr;
        std::uint8_t* output = context.output().data + first_row * outputs_;
        run_integers(context, n_rows, [&](auto r, auto first, auto n, const std::int32_t* sums) {
            stage_.store(sums, bias, first, n, output + r * outputs_ + first);
        });
    }

    void run_hybrid(InvokeContext& context, std::int64_t first_row, std::int64_t n_rows) {
        const float* input = context.input(0)->as<float>() + first_row * depth_;
        float scales[max_block];
        for (std::int64_t r = 0; r < n_rows; ++r)
            scales[r] = quantize_group(input + r * depth_, depth_, gathered(context, r));
        const float* bias = context.input(2) ? context.input(2)->as<float>() : nullptr;
        float* output = context.output().as<float>() + first_row * outputs_;
        run_integers(context, n_rows, [&](auto r, auto first, auto n, const std::int32_t* sums) {
            store_hybrid(sums, scales[r], weight_scales_.data() + first,
                         bias ? bias + first : nullptr, n, bounds_, output + r * outputs_ + first);
        });
    }

    FullyConnectedParams params_;
    std::int64_t rows_ = 0, outputs_ = 0, depth_ = 0;
    Form form_ = Form::float32;
    FloatRange bounds_;
    OutputStage stage_;
    std::vector<float> weight_scales_;  // hybrid, per output
    Weights weights_;
    std::size_t weights_offset_ = 0, rows_offset_ = 0, sums_offset_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> create_fully_connected(const Params& params) {
    const auto* own = std::get_if<FullyConnectedParams>(&params);
    return own != nullptr ? std::make_unique<FullyConnected>(*own) : nullptr;
}

}  // namespace skiff::kernels
