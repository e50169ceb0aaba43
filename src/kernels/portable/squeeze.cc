// SQUEEZE: removes dimensions of 1: those named (negative: from the end), or all.
#include "kernels/portable/factories.h"
#include "kernels/portable/reshape.h"

namespace skiff::kernels {

namespace {

class Squeeze final : public Kernel {
 public:
    explicit Squeeze(const SqueezeParams& params) : axes_(params.axes) {}

    Status prepare(PrepareContext& context) override {
        TRY(check_arity(context, 1));
        TRY(prepare_copy(context));
        const Shape& input = context.input(0)->shape;
        const int rank = input.rank();
        bool removed[Shape::max_rank] = {};
        for (const std::int32_t axis : axes_) {
            const std::int64_t own = axis < 0 ? std::int64_t{axis} + rank : axis;
            if (own < 0 || own >= rank || input[static_cast<int>(own)] != 1)
                return invalid(std::string("dimension ") + std::to_string(axis) + " of " +
                               input.to_string() + " is not 1");
            removed[own] = true;
        }
        Shape output;
        for (int i = 0; i < rank; ++i)
            if (!(axes_.rank() == 0 ? input[i] == 1 : removed[i])) output.push_back(input[i]);
        context.output().shape = output;
        return {};
    }

    Status invoke(InvokeContext& context) override {
        copy_bytes(context);
        return {};
    }

 private:
    Shape axes_;
};

}  // namespace

std::unique_ptr<Kernel> create_squeeze(const Params& params) {
    const auto* own = std::get_if<SqueezeParams>(&params);
    return own != nullptr ? std::make_unique<Squeeze>(*own) : nullptr;
}

}  // namespace skiff::kernels
