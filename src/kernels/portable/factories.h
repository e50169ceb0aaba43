// Creators of the portable kernels, one per operator. Each takes the Params alternative of its
// operator; with another alternative it returns null.
#pragma once

#include <memory>

#include "kernels/kernel.h"

namespace skiff::kernels {

std::unique_ptr<Kernel> create_add(const Params& params);
std::unique_ptr<Kernel> create_average_pool_2d(const Params& params);
std::unique_ptr<Kernel> create_concatenation(const Params& params);
std::unique_ptr<Kernel> create_conv_2d(const Params& params);
std::unique_ptr<Kernel> create_depthwise_conv_2d(const Params& params);
std::unique_ptr<Kernel> create_dequantize(const Params& params);
std::unique_ptr<Kernel> create_fully_connected(const Params& params);
std::unique_ptr<Kernel> create_hard_swish(const Params& params);
std::unique_ptr<Kernel> create_logistic(const Params& params);
std::unique_ptr<Kernel> create_max_pool_2d(const Params& params);
std::unique_ptr<Kernel> create_mean(const Params& params);
std::unique_ptr<Kernel> create_mul(const Params& params);
std::unique_ptr<Kernel> create_pad(const Params& params);
std::unique_ptr<Kernel> create_quantize(const Params& params);
std::unique_ptr<Kernel> create_relu(const Params& params);
std::unique_ptr<Kernel> create_relu6(const Params& params);
std::unique_ptr<Kernel> create_reshape(const Params& params);
std::unique_ptr<Kernel> create_softmax(const Params& params);
std::unique_ptr<Kernel> create_squeeze(const Params& params);
std::unique_ptr<Kernel> create_sub(const Params& params);

}  // namespace skiff::kernels
