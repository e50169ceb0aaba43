#pragma once

#include <optional>
#include <vector>

#include "model/metadata.h"
#include "runtime/engine.h"

namespace skiff::tasks {

// Real values of an output tensor of float32, uint8 or int8: scale x (stored - zero point).
std::vector<float> dequantized(const runtime::TensorInfo& output, Bytes bytes);

// The score of class `index` after the metadata's per-class calibration:
//
//   t = score | log(score) | log(score) - log(1 - score)     as the transform says; log continues
//   as a straight
//                                                            mirror image below 1e-16 instead of
//                                                            running to -infinity
//   scale / (1 + exp(-(slope x t + offset)))
//
// or the default score when the class has no parameters or the score is below its minimum.
float calibrated(const model::ScoreCalibration& calibration, std::size_t index, float score);

}  // namespace skiff::tasks
