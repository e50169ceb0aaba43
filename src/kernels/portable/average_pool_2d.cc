// AVERAGE_POOL_2D: the mean over the taps inside the image. Stored integers: sum and count, rounded
// half away from zero, clamped (TACT); the scales are not looked at.
#include "kernels/portable/activation.h"
#include "kernels/portable/checks.h"
#include "kernels/portable/factories.h"
#include "kernels/portable/pool.h"

namespace skiff::kernels {

namespace {

// Calls finish(sum) for each channel of the window and stores what it returns.
template <typename T, typename Sum, typename Finish>
void average_window(const PoolWindow<T>& w, const Finish& finish) {
    constexpr std::int64_t block = 64;
    for (std::int64_t c0 = 0; c0 < w.channels; c0 += block) {
        const std::int64_t n = std::min(block, w.channels - c0);
        Sum sums[block] = {};
        for (std::int64_t row = 0; row < w.rows; ++row)
            for (std::int64_t column = 0; column < w.columns; ++column) {
                const T* pixel = w.first + row * w.row_stride + column * w.channels + c0;
                for (std::int64_t c = 0; c < n; ++c) sums[c] += pixel[c];
            }
        for (std::int64_t c = 0; c < n; ++c) w.output[c0 + c] = finish(sums[c]);
    }
}

class AveragePool2d final : public Kernel {
 public:
    explicit AveragePool2d(const Pool2dParams& params) : params_(params) {}

    Status prepare(PrepareContext& context) override {
        bounds_ = TRY(float_activation(params_.activation));
        geometry_ = TRY(prepare_pool(context, params_));
        const Tensor& output = context.output();
        if (output.dtype == DType::float32) return {};
        // The sums are 32 bits wide.
        const std::int64_t rows = std::min(geometry_.y.filter, geometry_.y.input);
        const std::int64_t columns = std::min(geometry_.x.filter, geometry_.x.input);
        if (rows * columns > std::int64_t{1} << 23)
            return unimplemented("AVERAGE_POOL_2D over more than 2^23 pixels");
        range_ = builtin_activation(bounds_, output.quantization.scale(),
                                    output.quantization.zero_point(), output.dtype);
        return {};
    }

    Status invoke(InvokeContext& context) override {
        switch (context.input(0)->dtype) {
            case DType::float32:
                run_float(context);
                break;
            case DType::int8:
                run_stored<std::int8_t>(context);
                break;
            default:
                run_stored<std::uint8_t>(context);
                break;
        }
        return {};
    }

 private:
    void run_float(InvokeContext& context) {
        for_each_window<float>(geometry_, context, [this](const PoolWindow<float>& w) {
            const auto count = static_cast<float>(w.rows * w.columns);
            average_window<float, float>(w, [&](float sum) {
                return std::min(std::max(sum / count, bounds_.lo), bounds_.hi);
            });
        });
    }

    template <typename T>
    void run_stored(InvokeContext& context) {
        for_each_window<T>(geometry_, context, [this](const PoolWindow<T>& w) {
            const auto count = static_cast<std::int32_t>(w.rows * w.columns);
            average_window<T, std::int32_t>(w, [&](std::int32_t sum) {
                const std::int32_t half = sum > 0 ? count / 2 : -(count / 2);
                return static_cast<T>(std::clamp((sum + half) / count, range_.lo, range_.hi));
            });
        });
    }

    Pool2dParams params_;
    PoolGeometry geometry_;
    FloatRange bounds_;
    IntegerRange range_;
};

}  // namespace

std::unique_ptr<Kernel> create_average_pool_2d(const Params& params) {
    const auto* own = std::get_if<Pool2dParams>(&params);
    return own != nullptr ? std::make_unique<AveragePool2d>(*own) : nullptr;
}

}  // namespace skiff::kernels
