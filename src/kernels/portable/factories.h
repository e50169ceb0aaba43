// Creators of the portable kernels, one per operator. Each takes the Params alternative of its
// operator; with another alternative it returns null.
#pragma once

#include <memory>

#include "kernels/kernel.h"

namespace skiff::kernels {

std::unique_ptr<Kernel> create_average_pool_2d(const Params& params);
std::unique_ptr<Kernel> create_conv_2d(const Params& params);
std::unique_ptr<Kernel> create_depthwise_conv_2d(const Params& params);
std::unique_ptr<Kernel> create_fully_connected(const Params& params);
std::unique_ptr<Kernel> create_max_pool_2d(const Params& params);

}  // namespace skiff::kernels
