// RESHAPE. The new shape is the int32 second input, else the options'. One dimension may be -1
// (what is left); 0 in a tensor that has elements keeps the input's dimension at that place.
#include "kernels/portable/reshape.h"

#include "kernels/portable/factories.h"

namespace skiff::kernels {

namespace {

// The product of the dimensions that are not 0; 0 when it is too large.
std::int64_t nonzero_elements(const Shape& shape) {
    std::int64_t n = 1;
    for (const std::int32_t dim : shape)
        if (dim != 0 && __builtin_mul_overflow(n, dim, &n)) return 0;
    return n;
}

// `wanted` with its -1 and 0 replaced.
Result<Shape> resolve(const Shape& input, Shape wanted) {
    const Error mismatch =
        invalid(std::string("shape ") + input.to_string() + " cannot become " + wanted.to_string());
    const std::int64_t elements = input.elements();
    int rest = -1;  // where the -1 is
    for (int i = 0; i < wanted.rank(); ++i) {
        if (wanted[i] == 0 && elements != 0 && i < input.rank()) wanted[i] = input[i];
        if (wanted[i] < -1 || (wanted[i] == -1 && rest >= 0)) return mismatch;
        if (wanted[i] == -1) rest = i;
    }
    if (rest >= 0) {
        wanted[rest] = 1;
        TRY(check_size(wanted));
        std::int64_t have = elements, others = wanted.elements();
        if (have == 0 && others == 0) {  // leave the zeros out on both sides
            have = nonzero_elements(input);
            others = nonzero_elements(wanted);
        }
        if (others == 0 || have % others != 0 || have / others > INT32_MAX) return mismatch;
        wanted[rest] = static_cast<std::int32_t>(have / others);
    }
    TRY(check_size(wanted));
    if (wanted.elements() != elements) return mismatch;
    return wanted;
}

class Reshape final : public Kernel {
 public:
    explicit Reshape(const ReshapeParams& params) : params_(params) {}

    Status prepare(PrepareContext& context) override {
        if (context.input(0) == nullptr || context.inputs.size() > 2 || context.outputs.size() != 1)
            return invalid("RESHAPE has a tensor, perhaps a shape, and one output");
        TRY(prepare_copy(context));
        const Shape& input = context.input(0)->shape;
        Shape wanted = params_.shape;
        if (context.input(1) != nullptr && context.input(1)->dtype == DType::int32) {
            const Tensor& source = *context.input(1);
            if (source.data == nullptr && source.shape.elements() != 0) {
                context.shape_needs_data = true;
                return {};
            }
            if (source.shape.elements() > Shape::max_rank)
                return unimplemented("a shape of more than 8 dimensions");
            wanted = Shape(std::span(source.as<std::int32_t>(),
                                     static_cast<std::size_t>(source.shape.elements())));
        } else if (!params_.has_shape) {
            return invalid("there is no int32 shape, neither as an input nor in the options");
        } else if (wanted == Shape{0} && input.elements() == 1) {
            wanted = {};  // how old converters wrote a scalar
        }
        context.output().shape = TRY(resolve(input, wanted));
        return {};
    }

    Status invoke(InvokeContext& context) override {
        copy_bytes(context);
        return {};
    }

 private:
    ReshapeParams params_;
};

}  // namespace

std::unique_ptr<Kernel> create_reshape(const Params& params) {
    const auto* own = std::get_if<ReshapeParams>(&params);
    return own != nullptr ? std::make_unique<Reshape>(*own) : nullptr;
}

}  // namespace skiff::kernels
