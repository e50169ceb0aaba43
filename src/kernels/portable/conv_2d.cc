// CONV_2D: input [N, H, W, C], weights [O, h, w, C / groups], output [N, H', W', O].
//
// Patches of input values are gathered into rows, some at a time, and multiplied by the weights.
// Output rows are split into strips, each with scratch of its own, so that threads share nothing.
#include "kernels/portable/checks.h"
#include "kernels/portable/conv_geometry.h"
#include "kernels/portable/dynamic_range.h"
#include "kernels/portable/factories.h"
#include "kernels/portable/float_output.h"
#include "kernels/portable/matrix.h"
#include "kernels/portable/output_stage.h"
#include "kernels/portable/parallel.h"
#include "kernels/portable/scratch.h"

namespace skiff::kernels {

namespace {

constexpr std::int64_t max_block = 8;  // pixels gathered at a time
constexpr std::int64_t max_strips = 8;
// Very long rows are gathered one by one, and few strips of them: scratch stays below this, or is
// one row.
constexpr std::int64_t max_block_bytes = 1 << 18;
constexpr std::int64_t max_strips_bytes = 1 << 22;

class Conv2d final : public Kernel {
 public:
    explicit Conv2d(const Conv2dParams& params) : params_(params) {}

    Status prepare(PrepareContext& context) override {
        TRY(prepare_shapes(context));
        TRY(prepare_form(context));
        weights_.prepare(*context.input(1), groups_, group_outputs_, depth_);
        context.scratch_bytes = plan_scratch();
        return {};
    }

    Status invoke(InvokeContext& context) override {
        weights_.load(*context.input(1), context.scratch + weights_offset_);
        switch (form_) {
            case Form::float32:
                run_float(context);
                break;
            case Form::int8:
                run_stored<std::int8_t>(context);
                break;
            case Form::uint8:
                run_stored<std::uint8_t>(context);
                break;
            case Form::hybrid_images:
                run_hybrid_images(context);
                break;
            case Form::hybrid_pixels:
                run_hybrid_pixels(context);
                break;
        }
        return {};
    }

 private:
    enum class Form {
        float32,
        int8,
        uint8,
        hybrid_images,  // float input, int8 weights: one input scale for an image
        hybrid_pixels   // or for a pixel
    };

    Status prepare_shapes(PrepareContext& context) {
        if (context.inputs.size() < 2 || context.inputs.size() > 3 || !context.input(0) ||
            !context.input(1) || context.outputs.size() != 1)
            return invalid("CONV_2D has an input, weights, perhaps a bias, and one output");
        const Tensor &input = *context.input(0), &weights = *context.input(1);
        if (input.shape.rank() != 4 || weights.shape.rank() != 4)
            return invalid("input and weights must have 4 dimensions, not " +
                           input.shape.to_string() + " and " + weights.shape.to_string());
        const std::int64_t channels = input.shape[3], outputs = weights.shape[0];
        group_channels_ = weights.shape[3];
        if (group_channels_ < 1 || channels < 1 || channels % group_channels_ != 0)
            return invalid("the weights have " + std::to_string(group_channels_) +
                           " input channels, the input " + std::to_string(channels));
        groups_ = channels / group_channels_;
        if (outputs < 1 || outputs % groups_ != 0)
            return invalid(std::to_string(outputs) + " output channels cannot be split into " +
                           std::to_string(groups_) + " groups");
        group_outputs_ = outputs / groups_;
        geometry_ = TRY(conv_geometry(input, weights, outputs, params_, context.output()));
        depth_ = geometry_.y.filter * geometry_.x.filter * group_channels_;
        return {};
    }

    Status prepare_form(PrepareContext& context) {
        const Tensor &input = *context.input(0), &weights = *context.input(1);
        const Tensor& output = context.output();
        const Tensor* bias = context.input(2);
        bounds_ = TRY(float_activation(params_.activation));
        if (input.dtype != output.dtype)
            return invalid("input and output have different element types");
        const bool stored = input.dtype == DType::int8 || input.dtype == DType::uint8;
        const bool same = weights.dtype == input.dtype;
        const bool narrow =
            input.dtype == DType::int8 && weights.dtype == DType::int4 && weights.constant;
        if (stored && (same || narrow)) return prepare_stored(input, weights, bias, output);
        TRY(check_bias(bias, DType::float32, geometry_.outputs));
        if (input.dtype == DType::float32 && same) {
            form_ = Form::float32;
            return {};
        }
        if (input.dtype == DType::float32 && weights.dtype == DType::int8 && weights.constant)
            return prepare_hybrid(weights, bias);
        return unimplemented("no CONV_2D of " + std::string(dtype_name(input.dtype)) +
                             " input and " + (weights.constant ? "" : "variable ") +
                             std::string(dtype_name(weights.dtype)) + " weights");
    }

    Status prepare_stored(const Tensor& input, const Tensor& weights, const Tensor* bias,
                          const Tensor& output) {
        if (bias == nullptr) return invalid("a quantized CONV_2D needs a bias");
        TRY(check_bias(bias, DType::int32, geometry_.outputs));
        TRY(check_quantized(input, "input"));
        TRY(check_quantized(output, "output"));
        TRY(check_weight_quantization(weights, 0, geometry_.outputs));
        if (weights.dtype != DType::uint8 && weights.quantization.zero_point() != 0)
            return invalid("int8 weights of CONV_2D need zero point 0");
        form_ = input.dtype == DType::int8 ? Form::int8 : Form::uint8;
        // What is not accelerated, the library gives to its matrix code, or to a plain loop when
        // there are groups.
        const Scaling builtin = groups_ == 1 ? Scaling::ties_up : Scaling::ties_away;
        const bool fast = accelerated(weights, bias) && weights.dtype != DType::int4;
        return stage_.prepare(input, weights, output, geometry_.outputs, bounds_,
                              fast ? Scaling::float_ratio : builtin);
    }

    Status prepare_hybrid(const Tensor& weights, const Tensor* bias) {
        TRY(check_hybrid_bias(bias));
        TRY(check_weight_quantization(weights, 0, geometry_.outputs));
        if (weights.quantization.zero_point() != 0)
            return invalid("int8 weights of CONV_2D need zero point 0");
        weight_scales_ = scales_per_channel(weights, geometry_.outputs);
        const WindowAxis &y = geometry_.y, &x = geometry_.x;
        const bool pointwise = y.filter == 1 && x.filter == 1 && y.stride == 1 && x.stride == 1;
        const bool depthwise = group_channels_ == 1 && group_outputs_ == 1;
        form_ = pointwise && groups_ == 1 && !depthwise ? Form::hybrid_pixels : Form::hybrid_images;
        return {};
    }

    std::size_t plan_scratch() {
        const bool is_float = form_ == Form::float32, per_image = form_ == Form::hybrid_images;
        row_elements_ = is_float ? depth_ : padded_depth(depth_);
        const auto element =
            static_cast<std::int64_t>(is_float ? sizeof(float) : sizeof(std::int16_t));
        const std::int64_t row_bytes = row_elements_ * element;
        block_ = std::clamp<std::int64_t>(max_block_bytes / row_bytes, 1, max_block);
        const auto sums_bytes = static_cast<std::size_t>(block_ * group_outputs_) * sizeof(float);
        sums_offset_ = ScratchLayout::aligned(static_cast<std::size_t>(block_ * row_bytes));
        strip_bytes_ = sums_offset_ + ScratchLayout::aligned(sums_bytes);
        const std::int64_t rows = per_image ? geometry_.y.output : geometry_.output_rows();
        const std::int64_t fit = max_strips_bytes / static_cast<std::int64_t>(strip_bytes_);
        strips_ = std::min(std::clamp<std::int64_t>(fit, 1, max_strips), rows);
        const std::int64_t image = per_image ? geometry_.image_elements() : 0;
        ScratchLayout layout;
        weights_offset_ = layout.add(weights_.scratch_bytes());
        image_offset_ = layout.add(static_cast<std::size_t>(image) * sizeof(std::int16_t));
        strips_offset_ = layout.add(static_cast<std::size_t>(strips_) * strip_bytes_);
        return layout.total();
    }

    // For the pixels of output rows [first, last): gather(batch, oy, ox, group, row) fills a row of
    // inputs and returns their scale, if it has one; the row's products with the weights go to
    // finish(scale, pixel, first channel, sums).
    template <typename Row, typename Sum, typename Gather, typename Finish>
    void run(InvokeContext& context, std::int64_t first, std::int64_t last, const Gather& gather,
             const Finish& finish) {
        parallel_for(context.pool, strips_, 1, [&](std::int64_t begin, std::int64_t end) {
            std::uint8_t* memory =
                context.scratch + strips_offset_ + static_cast<std::size_t>(begin) * strip_bytes_;
            const Strip<Row, Sum> strip{
                first + (last - first) * begin / strips_, first + (last - first) * end / strips_,
                reinterpret_cast<Row*>(memory), reinterpret_cast<Sum*>(memory + sums_offset_)};
            run_strip(strip, gather, finish);
        });
    }

    template <typename Row, typename Sum>
    struct Strip {
        std::int64_t first, last;  // output rows
        Row* rows;
        Sum* sums;
    };

    template <typename Row, typename Sum, typename Gather, typename Finish>
    void run_strip(const Strip<Row, Sum>& strip, const Gather& gather, const Finish& finish) {
        const std::int64_t height = geometry_.y.output, width = geometry_.x.output;
        for (std::int64_t row = strip.first; row < strip.last; ++row)
            for (std::int64_t ox = 0; ox < width; ox += block_) {
                const std::int64_t n = std::min(block_, width - ox);
                for (std::int64_t group = 0; group < groups_; ++group) {
                    float scales[max_block];
                    for (std::int64_t i = 0; i < n; ++i)
                        scales[i] = gather(row / height, row % height, ox + i, group,
                                           strip.rows + i * row_elements_);
                    multiply_group(strip.rows, n, group, strip.sums);
                    for (std::int64_t i = 0; i < n; ++i)
                        finish(scales[i], row * width + ox + i, group * group_outputs_,
                               strip.sums + i * group_outputs_);
                }
            }
    }
    void multiply_group(const float* rows, std::int64_t n, std::int64_t group, float* sums) const {
        multiply(rows, n, weights_.panels(group), group_outputs_, depth_, sums, group_outputs_);
    }
    void multiply_group(const std::int16_t* rows, std::int64_t n, std::int64_t group,
                        std::int32_t* sums) const {
        multiply(rows, n, weights_.integers(group), group_outputs_, row_elements_, sums,
                 group_outputs_);
    }

    template <typename In, typename Out, typename Convert>
    void gather(const In* image, std::int64_t oy, std::int64_t ox, std::int64_t group, Out* row,
                const Convert& convert) const {
        gather_patch(geometry_, image, oy, ox, group * group_channels_, group_channels_, row,
                     convert);
        std::fill(row + depth_, row + row_elements_, Out{0});
    }

    void run_float(InvokeContext& context) {
        const float* input = context.input(0)->as<float>();
        const float* bias = context.input(2) ? context.input(2)->as<float>() : nullptr;
        float* output = context.output().as<float>();
        run<float, float>(
            context, 0, geometry_.output_rows(),
            [&](auto batch, auto oy, auto ox, auto group, float* row) {
                gather(input + batch * geometry_.image_elements(), oy, ox, group, row,
                       [](float x) { return x; });
                return 1.f;
            },
            [&](float, auto pixel, auto channel, const float* sums) {
                store_float(sums, bias ? bias + channel : nullptr, group_outputs_, bounds_,
                            output + pixel * geometry_.outputs + channel);
            });
    }

    template <typename T>
    void run_stored(InvokeContext& context) {
        const T* input = context.input(0)->as<T>();
        const std::int32_t zero_point = context.input(0)->quantization.zero_point();
        const std::int32_t* bias = context.input(2)->as<std::int32_t>();
        std::uint8_t* output = context.output().data;
        run<std::int16_t, std::int32_t>(
            context, 0, geometry_.output_rows(),
            [&](auto batch, auto oy, auto ox, auto group, std::int16_t* row) {
                gather(input + batch * geometry_.image_elements(), oy, ox, group, row,
                       [=](T x) { return static_cast<std::int16_t>(x - zero_point); });
                return 1.f;
            },
            [&](float, auto pixel, auto channel, const std::int32_t* sums) {
                stage_.store(sums, bias, channel, group_outputs_,
                             output + pixel * geometry_.outputs + channel);
            });
    }

    auto hybrid_finish(InvokeContext& context) const {
        const float* bias = context.input(2) ? context.input(2)->as<float>() : nullptr;
        float* output = context.output().as<float>();
        return
            [this, bias, output](float scale, auto pixel, auto channel, const std::int32_t* sums) {
                store_hybrid(sums, scale, weight_scales_.data() + channel,
                             bias ? bias + channel : nullptr, group_outputs_, bounds_,
                             output + pixel * geometry_.outputs + channel);
            };
    }

    void run_hybrid_images(InvokeContext& context) {
        const std::int64_t image_elements = geometry_.image_elements(), height = geometry_.y.output;
        auto* image = reinterpret_cast<std::int16_t*>(context.scratch + image_offset_);
        const auto finish = hybrid_finish(context);
        for (std::int64_t batch = 0; batch < geometry_.batches; ++batch) {
            const float* input = context.input(0)->as<float>() + batch * image_elements;
            const float scale = quantize_group(input, image_elements, image);
            run<std::int16_t, std::int32_t>(
                context, batch * height, (batch + 1) * height,
                [&](auto, auto oy, auto ox, auto group, std::int16_t* row) {
                    gather(image, oy, ox, group, row, [](std::int16_t x) { return x; });
                    return scale;
                },
                finish);
        }
    }

    void run_hybrid_pixels(InvokeContext& context) {
        const float* input = context.input(0)->as<float>();
        run<std::int16_t, std::int32_t>(
            context, 0, geometry_.output_rows(),
            [&](auto batch, auto oy, auto ox, auto, std::int16_t* row) {
                const std::int64_t pixel =
                    (batch * geometry_.y.input + oy) * geometry_.x.input + ox;
                std::fill(row + depth_, row + row_elements_, std::int16_t{0});
                return quantize_group(input + pixel * depth_, depth_, row);
            },
            hybrid_finish(context));
    }

    Conv2dParams params_;
    ConvGeometry geometry_;
    std::int64_t groups_ = 0, group_channels_ = 0, group_outputs_ = 0;
    std::int64_t depth_ = 0;         // products per output
    std::int64_t row_elements_ = 0;  // depth_, padded for integers
    Form form_ = Form::float32;
    FloatRange bounds_;
    OutputStage stage_;
    std::vector<float> weight_scales_;  // hybrid, per channel
    Weights weights_;
    std::int64_t block_ = 1, strips_ = 0;
    std::size_t weights_offset_ = 0, image_offset_ = 0, strips_offset_ = 0;
    std::size_t strip_bytes_ = 0, sums_offset_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> create_conv_2d(const Params& params) {
    const auto* own = std::get_if<Conv2dParams>(&params);
    return own != nullptr ? std::make_unique<Conv2d>(*own) : nullptr;
}

}  // namespace skiff::kernels
