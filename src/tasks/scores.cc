#include "tasks/scores.h"

#include <cmath>
#include <cstring>

namespace skiff::tasks {
namespace {

// log(x), and below the limit its mirror image about that point: smooth, finite and still rising,
// so that scores of zero keep their order.
double limited_log(double x) {
    constexpr double limit = 1e-16;
    return x < limit ? 2 * std::log(limit) - std::log(2 * limit - x) : std::log(x);
}

double transformed(model::ScoreCalibration::Transform transform, double score) {
    using Transform = model::ScoreCalibration::Transform;
    switch (transform) {
        case Transform::log:
            return limited_log(score);
        case Transform::inverse_logistic:
            return limited_log(score) - limited_log(1 - score);
        case Transform::identity:
            break;
    }
    return score;
}

}  // namespace

std::vector<float> dequantized(const runtime::TensorInfo& output, Bytes bytes) {
    std::vector<float> scores(bytes.size() / (output.dtype == DType::float32 ? sizeof(float) : 1));
    if (output.dtype == DType::float32) {
        std::memcpy(scores.data(), bytes.data(), scores.size() * sizeof(float));
        return scores;
    }
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const int stored =
            output.dtype == DType::int8 ? static_cast<std::int8_t>(bytes[i]) : bytes[i];
        scores[i] =
            static_cast<float>(stored - output.quantization.zero_point) * output.quantization.scale;
    }
    return scores;
}

float calibrated(const model::ScoreCalibration& calibration, std::size_t index, float score) {
    if (index >= calibration.sigmoids.size() || !calibration.sigmoids[index])
        return calibration.default_score;
    const model::ScoreCalibration::Sigmoid& sigmoid = *calibration.sigmoids[index];
    if (sigmoid.min_score && score < *sigmoid.min_score) return calibration.default_score;
    const double t = transformed(calibration.transform, score);
    return static_cast<float>(sigmoid.scale /
                              (1 + std::exp(-(sigmoid.slope * t + sigmoid.offset))));
}

}  // namespace skiff::tasks
