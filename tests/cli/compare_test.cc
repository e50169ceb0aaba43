#include "cli/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace skiff::cli {
namespace {

template <typename T>
Bytes bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)};
}

template <typename T>
Comparison compare(DType dtype, const std::vector<T>& reference, const std::vector<T>& actual,
                   double loose = float_bound) {
    CompareOptions options;
    options.loose_float_bound = loose;
    return compare_values(dtype, bytes_of(reference), bytes_of(actual), options).value();
}

TEST(Compare, IntegersEqual) {
    const Comparison c = compare<std::int8_t>(DType::int8, {-128, 0, 127}, {-128, 0, 127});
    EXPECT_EQ(c.match, Match::exact);
    EXPECT_EQ(c.values, 3);
    EXPECT_EQ(c.differing, 0);
    EXPECT_EQ(c.worst_index, -1);
    EXPECT_TRUE(c.reason.empty());
}

TEST(Compare, OneStepInAThousandIsClose) {
    std::vector<std::uint8_t> reference(1000, 7), actual(1000, 7);
    actual[500] = 8;
    const Comparison c = compare(DType::uint8, reference, actual);
    EXPECT_EQ(c.match, Match::close);
    EXPECT_EQ(c.differing, 1);
    EXPECT_EQ(c.max_quant_steps, 1);
    EXPECT_EQ(c.worst_index, 500);
    EXPECT_DOUBLE_EQ(c.differing_fraction(), 0.001);
}

TEST(Compare, OneStepInNineHundredAndNinetyNineDiffers) {
    std::vector<std::uint8_t> reference(999, 7), actual(999, 7);
    actual[500] = 6;
    EXPECT_EQ(compare(DType::uint8, reference, actual).match, Match::differs);
}

TEST(Compare, TwoStepsDiffer) {
    std::vector<std::int8_t> reference(5000, 0), actual(5000, 0);
    actual[1] = 2;
    const Comparison c = compare(DType::int8, reference, actual);
    EXPECT_EQ(c.match, Match::differs);
    EXPECT_EQ(c.max_quant_steps, 2);
    EXPECT_EQ(c.reason, "1 of 5,000 values off by at most 2 steps (most at value 1)");
}

TEST(Compare, WideIntegersDoNotOverflow) {
    const auto low = std::numeric_limits<std::int64_t>::min(),
               high = std::numeric_limits<std::int64_t>::max();
    const Comparison c = compare<std::int64_t>(DType::int64, {low}, {high});
    EXPECT_EQ(c.max_quant_steps, high);
    const Comparison d = compare<std::int32_t>(DType::int32, {INT32_MIN}, {INT32_MAX});
    EXPECT_EQ(d.max_quant_steps, 4294967295LL);
}

TEST(Compare, FloatsWithinTheBoundOfTheLargestAreExact) {
    // 1e-5 of 100 is 1e-3, for the small value too.
    const Comparison c = compare<float>(DType::float32, {100, 0.5f}, {100, 0.5009f});
    EXPECT_EQ(c.match, Match::exact);
    EXPECT_EQ(c.differing, 0);
    EXPECT_NEAR(c.max_abs_diff, 0.0009, 1e-6);
    EXPECT_DOUBLE_EQ(c.max_abs_reference, 100);
    EXPECT_EQ(compare<float>(DType::float32, {100, 0.5f}, {100, 0.5012f}).match, Match::differs);
}

TEST(Compare, LooseBoundMakesCloseOnly) {
    const Comparison c = compare<float>(DType::float32, {1, 0}, {1, 0.004f}, dynamic_range_bound);
    EXPECT_EQ(c.match, Match::close);
    EXPECT_EQ(c.differing, 1);
    EXPECT_FALSE(c.reason.empty());
    EXPECT_EQ(compare<float>(DType::float32, {1, 0}, {1, 0.006f}, dynamic_range_bound).match,
              Match::differs);
}

TEST(Compare, AllZeroReferenceAllowsNothing) {
    EXPECT_EQ(compare<float>(DType::float32, {0, 0}, {0, 1e-20f}).match, Match::differs);
    EXPECT_EQ(compare<float>(DType::float32, {0, 0}, {0, -0.0f}).match, Match::exact);
}

TEST(Compare, NotANumberEqualsOnlyItself) {
    const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
    EXPECT_EQ(compare<float>(DType::float32, {nan, infinity, 1}, {nan, infinity, 1}).match,
              Match::exact);
    for (const auto& [a, b] :
         {std::pair{nan, 1.f}, {1.f, nan}, {infinity, 1.f}, {infinity, -infinity}}) {
        const Comparison c = compare<float>(DType::float32, {1, a}, {1, b}, dynamic_range_bound);
        EXPECT_EQ(c.match, Match::differs) << a << " " << b;
        EXPECT_TRUE(std::isinf(c.max_abs_diff));
        EXPECT_EQ(c.worst_index, 1);
    }
}

TEST(Compare, HeadIsJudgedByTheWholesLargest) {
    CompareOptions options;
    options.max_abs_reference = 1000;
    const std::vector<float> reference = {1}, actual = {1.009f};
    EXPECT_EQ(compare_values(DType::float32, bytes_of(reference), bytes_of(actual), options)->match,
              Match::exact);
    EXPECT_EQ(compare_values(DType::float32, bytes_of(reference), bytes_of(actual))->match,
              Match::differs);
}

TEST(Compare, HalfPrecision) {
    // 1, -2, smallest subnormal, infinity; then 1 -> 1 + 2^-10.
    const std::vector<std::uint16_t> reference = {0x3C00, 0xC000, 0x0001, 0x7C00};
    EXPECT_EQ(compare(DType::float16, reference, reference).max_abs_reference, 2);
    const Comparison c = compare<std::uint16_t>(DType::float16, {0x3C00}, {0x3C01});
    EXPECT_DOUBLE_EQ(c.max_abs_diff, 1.0 / 1024);
}

TEST(Compare, StringsAreRefused) {
    EXPECT_EQ(compare_values(DType::string, {}, {}).error().code, Code::unimplemented);
}

TEST(Compare, MergeKeepsTheWorst) {
    Comparison total = compare<std::uint8_t>(DType::uint8, {1, 2}, {1, 2});
    total.merge(compare<std::uint8_t>(DType::uint8, {1, 2}, {1, 5}));
    total.merge(compare<std::uint8_t>(DType::uint8, {1, 2}, {2, 2}));
    EXPECT_EQ(total.match, Match::differs);
    EXPECT_EQ(total.values, 6);
    EXPECT_EQ(total.differing, 2);
    EXPECT_EQ(total.max_quant_steps, 3);
    EXPECT_EQ(total.max_abs_diff, 3);
    EXPECT_EQ(total.reason, "1 of 2 values off by at most 3 steps (most at value 1)");
}

}  // namespace
}  // namespace skiff::cli
