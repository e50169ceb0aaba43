// MAX_POOL_2D: the largest stored value of the window, clamped (XACT).
#include "kernels/portable/activation.h"
#include "kernels/portable/checks.h"
#include "kernels/portable/factories.h"
#include "kernels/portable/pool.h"

namespace skiff::kernels {

namespace {

template <typename T>
void max_pool(const PoolGeometry& geometry, InvokeContext& context, T lo, T hi) {
    for_each_window<T>(geometry, context, [lo, hi](const PoolWindow<T>& w) {
        std::fill_n(w.output, w.channels, lo);
        for (std::int64_t row = 0; row < w.rows; ++row)
            for (std::int64_t column = 0; column < w.columns; ++column) {
                const T* pixel = w.first + row * w.row_stride + column * w.channels;
                for (std::int64_t c = 0; c < w.channels; ++c)
                    w.output[c] = std::max(w.output[c], pixel[c]);
            }
        for (std::int64_t c = 0; c < w.channels; ++c) w.output[c] = std::min(w.output[c], hi);
    });
}

class MaxPool2d final : public Kernel {
 public:
    explicit MaxPool2d(const Pool2dParams& params) : params_(params) {}

    Status prepare(PrepareContext& context) override {
        bounds_ = TRY(float_activation(params_.activation));
        geometry_ = TRY(prepare_pool(context, params_));
        const Tensor& output = context.output();
        if (output.dtype == DType::float32) return {};
        const TensorQuantization &in = context.input(0)->quantization, &out = output.quantization;
        if (in.scale() != out.scale() || in.zero_point() != out.zero_point())
            return invalid("MAX_POOL_2D needs the same scale and zero point on both sides");
        // The library's accelerated path does not take a pool that leaves pixels out.
        const bool skips =
            params_.stride_h > params_.filter_h || params_.stride_w > params_.filter_w;
        range_ = (skips ? builtin_activation : stored_activation)(bounds_, out.scale(),
                                                                  out.zero_point(), output.dtype);
        return {};
    }

    Status invoke(InvokeContext& context) override {
        switch (context.input(0)->dtype) {
            case DType::float32:
                max_pool<float>(geometry_, context, bounds_.lo, bounds_.hi);
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
    template <typename T>
    void run_stored(InvokeContext& context) {
        max_pool<T>(geometry_, context, static_cast<T>(range_.lo), static_cast<T>(range_.hi));
    }

    Pool2dParams params_;
    PoolGeometry geometry_;
    FloatRange bounds_;
    IntegerRange range_;
};

}  // namespace

std::unique_ptr<Kernel> create_max_pool_2d(const Params& params) {
    const auto* own = std::get_if<Pool2dParams>(&params);
    return own != nullptr ? std::make_unique<MaxPool2d>(*own) : nullptr;
}

}  // namespace skiff::kernels
