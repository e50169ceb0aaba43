// DEPTHWISE_CONV_2D: input [N, H, W, C], weights [1, h, w, C * multiplier], output [N, H', W', C *
// multiplier]; output channel o reads input channel o / multiplier.
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

constexpr std::int64_t channel_block = 64;

// Integers wrap, and so are added unsigned.
inline void add_product(std::int32_t& sum, std::int16_t x, std::int16_t weight) {
    const std::int32_t product = std::int32_t{x} * weight;
    sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) +
                                    static_cast<std::uint32_t>(product));
}
inline void add_product(float& sum, float x, float weight) {
    sum += x * weight;
}

class DepthwiseConv2d final : public Kernel {
 public:
    explicit DepthwiseConv2d(const DepthwiseConv2dParams& params) : params_(params) {}

    Status prepare(PrepareContext& context) override {
        TRY(prepare_shapes(context));
        TRY(prepare_form(context));
        const Tensor& weights = *context.input(1);
        ScratchLayout layout;
        if (form_ != Form::float32) {
            weights_.prepare(weights, 1, 1, weights.shape.elements());
            weights_offset_ = layout.add(weights_.scratch_bytes());
        }
        const std::int64_t image = form_ == Form::hybrid ? geometry_.image_elements() : 0;
        image_offset_ = layout.add(static_cast<std::size_t>(image) * sizeof(std::int16_t));
        context.scratch_bytes = layout.total();
        return {};
    }

    Status invoke(InvokeContext& context) override {
        if (form_ != Form::float32)
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
            case Form::hybrid:
                run_hybrid(context);
                break;
        }
        return {};
    }

 private:
    enum class Form { float32, int8, uint8, hybrid };  // hybrid: float input, int8 weights

    Status prepare_shapes(PrepareContext& context) {
        if (context.inputs.size() < 2 || context.inputs.size() > 3 || !context.input(0) ||
            !context.input(1) || context.outputs.size() != 1)
            return invalid(
                "DEPTHWISE_CONV_2D has an input, weights, perhaps a bias, and one output");
        const Tensor &input = *context.input(0), &weights = *context.input(1);
        if (input.shape.rank() != 4 || weights.shape.rank() != 4 || weights.shape[0] != 1)
            return invalid("the input must have 4 dimensions, the weights [1,h,w,c], not " +
                           input.shape.to_string() + " and " + weights.shape.to_string());
        const std::int64_t channels = input.shape[3], outputs = weights.shape[3];
        if (channels < 1 || outputs < 1 || outputs % channels != 0)
            return invalid("the weights' " + std::to_string(outputs) +
                           " channels are not a multiple of the input's " +
                           std::to_string(channels));
        multiplier_ = outputs / channels;
        geometry_ = TRY(conv_geometry(input, weights, outputs, params_, context.output()));
        return {};
    }

    Status prepare_form(PrepareContext& context) {
        const Tensor &input = *context.input(0), &weights = *context.input(1);
        const Tensor& output = context.output();
        const Tensor* bias = context.input(2);
        bounds_ = TRY(float_activation(params_.activation));
        if (input.dtype != output.dtype)
            return invalid("input and output have different element types");
        const bool same = weights.dtype == input.dtype;
        if (same && (input.dtype == DType::int8 || input.dtype == DType::uint8))
            return prepare_stored(input, weights, bias, output);
        TRY(check_bias(bias, DType::float32, geometry_.outputs));
        if (input.dtype == DType::float32 && same) {
            form_ = Form::float32;
            return {};
        }
        if (input.dtype == DType::float32 && weights.dtype == DType::int8)
            return prepare_hybrid(weights);
        return unimplemented("no DEPTHWISE_CONV_2D of " + std::string(dtype_name(input.dtype)) +
                             " input and " + std::string(dtype_name(weights.dtype)) + " weights");
    }

    Status prepare_stored(const Tensor& input, const Tensor& weights, const Tensor* bias,
                          const Tensor& output) {
        if (bias == nullptr) return invalid("a quantized DEPTHWISE_CONV_2D needs a bias");
        TRY(check_bias(bias, DType::int32, geometry_.outputs));
        TRY(check_quantized(input, "input"));
        TRY(check_quantized(output, "output"));
        TRY(check_weight_quantization(weights, 3, geometry_.outputs));
        const bool int8 = input.dtype == DType::int8;
        if (int8 && weights.quantization.zero_point() != 0)
            return invalid("int8 weights of DEPTHWISE_CONV_2D need zero point 0");
        form_ = int8 ? Form::int8 : Form::uint8;
        const Scaling builtin = int8 ? Scaling::ties_up_by_eights : Scaling::ties_away;
        return stage_.prepare(input, weights, output, geometry_.outputs, bounds_,
                              accelerated(weights, bias) ? Scaling::float_ratio : builtin);
    }

    Status prepare_hybrid(const Tensor& weights) {
        TRY(check_weight_quantization(weights, 3, geometry_.outputs));
        if (static_cast<std::int64_t>(weights.quantization.scales.size()) != geometry_.outputs)
            return invalid("int8 weights under a float input need a scale for each channel");
        if (weights.quantization.zero_point() != 0)
            return invalid("int8 weights of DEPTHWISE_CONV_2D need zero point 0");
        weight_scales_ = scales_per_channel(weights, geometry_.outputs);
        form_ = Form::hybrid;
        return {};
    }

    // One output pixel's place: the taps inside the image, and the input under the first of them.
    template <typename In>
    struct Window {
        WindowAxis::Taps ty, tx;
        const In* first;
    };

    // Sums of one pixel over its taps, for channels [c0, c0 + n).
    template <typename In, typename Value, typename Sum, typename Convert>
    void accumulate(const Window<In>& window, const Value* weights, std::int64_t c0, std::int64_t n,
                    const Convert& convert, Sum* sums) const {
        const WindowAxis &y = geometry_.y, &x = geometry_.x;
        std::fill_n(sums, n, Sum{0});
        for (std::int64_t ty = window.ty.begin; ty < window.ty.end; ++ty)
            for (std::int64_t tx = window.tx.begin; tx < window.tx.end; ++tx) {
                const std::int64_t dy = (ty - window.ty.begin) * y.dilation;
                const std::int64_t dx = (tx - window.tx.begin) * x.dilation;
                const In* pixel = window.first + (dy * x.input + dx) * geometry_.channels;
                const Value* w = weights + (ty * x.filter + tx) * geometry_.outputs + c0;
                if (multiplier_ == 1) {
                    for (std::int64_t i = 0; i < n; ++i)
                        add_product(sums[i], convert(pixel[c0 + i]), w[i]);
                    continue;
                }
                std::int64_t channel = c0 / multiplier_, phase = c0 % multiplier_;
                for (std::int64_t i = 0; i < n; ++i) {
                    add_product(sums[i], convert(pixel[channel]), w[i]);
                    if (++phase == multiplier_) phase = 0, ++channel;
                }
            }
    }

    // For all pixels of `batches` images from `first_batch`, whose values start at `images`: gives
    // the sums to finish(pixel, first channel, number, sums).
    template <typename Sum, typename In, typename Value, typename Convert, typename Finish>
    void run(InvokeContext& context, const In* images, std::int64_t first_batch,
             std::int64_t batches, const Value* weights, const Convert& convert,
             const Finish& finish) {
        const WindowAxis &y = geometry_.y, &x = geometry_.x;
        parallel_for(
            context.pool, batches * y.output, 1, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t row = begin; row < end; ++row) {
                    const In* image = images + row / y.output * geometry_.image_elements();
                    const auto ty = y.inside(row % y.output);
                    const std::int64_t iy = y.start(row % y.output) + ty.begin * y.dilation;
                    for (std::int64_t ox = 0; ox < x.output; ++ox) {
                        const auto tx = x.inside(ox);
                        const std::int64_t ix = x.start(ox) + tx.begin * x.dilation;
                        const bool empty = ty.begin == ty.end || tx.begin == tx.end;
                        const Window<In> window{
                            ty, tx,
                            empty ? image : image + (iy * x.input + ix) * geometry_.channels};
                        const std::int64_t pixel = (first_batch * y.output + row) * x.output + ox;
                        for (std::int64_t c = 0; c < geometry_.outputs; c += channel_block) {
                            const std::int64_t n = std::min(channel_block, geometry_.outputs - c);
                            Sum sums[channel_block];
                            accumulate(window, weights, c, n, convert, sums);
                            finish(pixel, c, n, sums);
                        }
                    }
                }
            });
    }

    void run_float(InvokeContext& context) {
        const float* bias = context.input(2) ? context.input(2)->as<float>() : nullptr;
        float* output = context.output().as<float>();
        run<float>(
            context, context.input(0)->as<float>(), 0, geometry_.batches,
            context.input(1)->as<float>(), [](float x) { return x; },
            [&](auto pixel, auto c, auto n, const float* sums) {
                store_float(sums, bias ? bias + c : nullptr, n, bounds_,
                            output + pixel * geometry_.outputs + c);
            });
    }

    template <typename T>
    void run_stored(InvokeContext& context) {
        const std::int32_t zero_point = context.input(0)->quantization.zero_point();
        const std::int32_t* bias = context.input(2)->as<std::int32_t>();
        std::uint8_t* output = context.output().data;
        run<std::int32_t>(
            context, context.input(0)->as<T>(), 0, geometry_.batches, weights_.integers(0),
            [zero_point](T x) { return static_cast<std::int16_t>(x - zero_point); },
            [&](auto pixel, auto c, auto n, const std::int32_t* sums) {
                stage_.store(sums, bias, c, n, output + pixel * geometry_.outputs + c);
            });
    }

    void run_hybrid(InvokeContext& context) {
        const std::int64_t image_elements = geometry_.image_elements();
        const float* bias = context.input(2) ? context.input(2)->as<float>() : nullptr;
        float* output = context.output().as<float>();
        auto* image = reinterpret_cast<std::int16_t*>(context.scratch + image_offset_);
        for (std::int64_t batch = 0; batch < geometry_.batches; ++batch) {
            const float* input = context.input(0)->as<float>() + batch * image_elements;
            const float scale = quantize_group_builtin(input, image_elements, image);
            run<std::int32_t>(
                context, image, batch, 1, weights_.integers(0), [](std::int16_t x) { return x; },
                [&](auto pixel, auto c, auto n, const std::int32_t* sums) {
                    store_hybrid_builtin(sums, scale, weight_scales_.data() + c,
                                         bias ? bias + c : nullptr, n, bounds_,
                                         output + pixel * geometry_.outputs + c);
                });
        }
    }

    DepthwiseConv2dParams params_;
    ConvGeometry geometry_;
    std::int64_t multiplier_ = 1;
    Form form_ = Form::float32;
    FloatRange bounds_;
    OutputStage stage_;
    std::vector<float> weight_scales_;  // hybrid, per channel
    Weights weights_;                   // integers only
    std::size_t weights_offset_ = 0, image_offset_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> create_depthwise_conv_2d(const Params& params) {
    const auto* own = std::get_if<DepthwiseConv2dParams>(&params);
    return own != nullptr ? std::make_unique<DepthwiseConv2d>(*own) : nullptr;
}

}  // namespace skiff::kernels
