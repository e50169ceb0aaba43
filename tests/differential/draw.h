// Random legal models.
#pragma once

#include "tests/differential/net.h"
#include "tests/differential/random.h"

namespace skiff::differential {

struct Quantization {
    float scale;
    std::int64_t zero_point;
};

constexpr std::int64_t most_elements = 30'000, most_macs = 1'500'000;

// A net in the making. Tensors of `pool` may become inputs of the next operator.
class Draft {
 public:
    explicit Draft(std::uint64_t seed) : random(seed) {}

    Random random;
    Net net;
    std::vector<std::int32_t> pool;
    // Axes, paddings and shapes are inputs, not constants.
    bool variable_indices = false;

    const model::TensorSpec& tensor(std::int32_t i) const { return net.tensor(i); }
    std::vector<std::int32_t> shape(std::int32_t i) const { return tensor(i).shape; }

    Quantization quantization(DType dtype);
    std::int64_t zero_point(DType dtype);
    // A scale near `usual`; sometimes far from it, sometimes a power of two.
    float scale_near(double usual);

    // An int8, uint8 or int16 tensor gets `q`.
    std::int32_t add_tensor(DType dtype, std::vector<std::int32_t> shape, Quantization q);
    std::int32_t add_input(DType dtype, std::vector<std::int32_t> shape, Quantization q);
    std::int32_t add_constant(DType dtype, std::vector<std::int32_t> shape, Quantization q,
                              float magnitude = 1);
    std::int32_t add_variable_or_constant(DType dtype, std::vector<std::int32_t> shape,
                                          Quantization q, int constant_percent);
    std::int32_t add_indices(const std::vector<std::int64_t>& values,
                             std::vector<std::int32_t> shape, DType dtype);
    std::vector<std::uint8_t> values(DType dtype, std::size_t elements, float magnitude = 1);

    // `output` goes to the pool. Always true, so that drawing functions end with it.
    bool add_node(model::OperatorSpec spec, const std::string& op, std::int32_t typed_by);

    std::vector<std::int32_t> image_shape();  // rank 4
    std::vector<std::int32_t> any_shape(int max_rank);
    model::ops::Activation activation();

 private:
    std::string next_name();
};

bool is_stored(DType dtype);  // int8, uint8, int16
std::int64_t elements(const std::vector<std::int32_t>& shape);

// Each adds its operator to `input` of the draft, or returns false when that is no input for it.
bool draw_conv(Draft& d, std::int32_t input);
bool draw_depthwise(Draft& d, std::int32_t input);
bool draw_fully_connected(Draft& d, std::int32_t input);
bool draw_pool(Draft& d, std::int32_t input);
bool draw_arithmetic(Draft& d, std::int32_t input);
bool draw_mean(Draft& d, std::int32_t input);
bool draw_pad(Draft& d, std::int32_t input);
bool draw_reshape(Draft& d, std::int32_t input);
bool draw_squeeze(Draft& d, std::int32_t input);
bool draw_concatenation(Draft& d, std::int32_t input);
bool draw_softmax(Draft& d, std::int32_t input);
bool draw_table(Draft& d, std::int32_t input);  // LOGISTIC, RELU, RELU6, HARD_SWISH
bool draw_quantize(Draft& d, std::int32_t input);
bool draw_dequantize(Draft& d, std::int32_t input);

Net draw_net(std::uint64_t seed);

}  // namespace skiff::differential
