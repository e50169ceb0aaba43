#include "tasks/scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tasks/fake_engine.h"

namespace skiff::tasks {
namespace {

using model::ScoreCalibration;
using Transform = ScoreCalibration::Transform;

TEST(Scores, AreDequantized) {
    EXPECT_EQ(dequantized(tensor_info(DType::uint8, {1, 3}, {0.5f, 10}),
                          bytes_of<std::uint8_t>({0, 10, 255})),
              (std::vector<float>{-5, 0, 122.5f}));
    EXPECT_EQ(dequantized(tensor_info(DType::int8, {1, 3}, {1.0f / 256, -128}),
                          bytes_of<std::int8_t>({-128, 0, 127})),
              (std::vector<float>{0, 0.5f, 255.0f / 256}));
    EXPECT_EQ(dequantized(tensor_info(DType::float32, {1, 2}), bytes_of<float>({0.25f, -3})),
              (std::vector<float>{0.25f, -3}));
}

TEST(Scores, CalibrationFollowsTheFormula) {
    const double e = 1e-5;
    ScoreCalibration c;
    c.sigmoids = {ScoreCalibration::Sigmoid{0.9f, 2, -1, std::nullopt}};
    EXPECT_NEAR(calibrated(c, 0, 0.7f), 0.9 / (1 + std::exp(-(2 * 0.7 - 1))), e);
    c.transform = Transform::log;
    EXPECT_NEAR(calibrated(c, 0, 0.7f), 0.9 / (1 + std::exp(-(2 * std::log(0.7) - 1))), e);
    c.transform = Transform::inverse_logistic;
    EXPECT_NEAR(calibrated(c, 0, 0.7f), 0.9 / (1 + std::exp(-(2 * std::log(0.7 / 0.3) - 1))), e);
}

TEST(Scores, CalibrationOfZeroAndOneIsFiniteAndKeepsTheOrder) {
    ScoreCalibration c;
    c.sigmoids = {ScoreCalibration::Sigmoid{1, 0.1f, 0, std::nullopt}};
    for (const Transform t : {Transform::log, Transform::inverse_logistic}) {
        c.transform = t;
        const float zero = calibrated(c, 0, 0), tiny = calibrated(c, 0, 1e-8f),
                    one = calibrated(c, 0, 1);
        EXPECT_GT(zero, 0);
        EXPECT_LT(zero, tiny);
        EXPECT_LT(tiny, one);
        EXPECT_LT(one, 1);
        EXPECT_LT(calibrated(c, 0, -1), zero);
    }
    c.sigmoids = {ScoreCalibration::Sigmoid{1, 1000, 0, std::nullopt}};
    EXPECT_EQ(calibrated(c, 0, 0), 0);
    EXPECT_EQ(calibrated(c, 0, 1), 1);
}

TEST(Scores, ClassesWithoutParametersAndLowScoresGetTheDefault) {
    ScoreCalibration c;
    c.default_score = 0.125f;
    c.sigmoids = {std::nullopt, ScoreCalibration::Sigmoid{1, 1, 0, 0.5f}};
    EXPECT_EQ(calibrated(c, 0, 0.9f), 0.125f);
    EXPECT_EQ(calibrated(c, 1, 0.49f), 0.125f);
    EXPECT_NE(calibrated(c, 1, 0.5f), 0.125f);
    EXPECT_EQ(calibrated(c, 2, 0.9f), 0.125f);
}

}  // namespace
}  // namespace skiff::tasks
