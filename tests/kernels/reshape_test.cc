#include "tests/kernels/kernel_tester.h"

namespace skiff::kernels::testing {

namespace {

struct ReshapeRow {
    const char* what;
    Shape input;
    bool has_input_shape;  // a second input
    std::vector<std::int32_t> input_shape;
    bool has_options;
    Shape options;
    bool fits;
    Shape output;
};

// What the official library gives for the same models.
const ReshapeRow rows[] = {
    {"input", {2, 3}, true, {3, 2}, false, {}, true, {3, 2}},
    {"options", {2, 3}, false, {}, true, {6}, true, {6}},
    {"the input wins", {2, 3}, true, {3, 2}, true, {6}, true, {3, 2}},
    {"-1", {2, 3}, true, {-1, 2}, false, {}, true, {3, 2}},
    {"-1 in options", {2, 3}, false, {}, true, {-1, 3}, true, {2, 3}},
    {"-1 leaves 1", {2, 3}, true, {2, -1, 3}, false, {}, true, {2, 1, 3}},
    {"-1 twice", {2, 3}, true, {-1, -1}, false, {}, false, {}},
    {"-2", {2, 3}, true, {-2, 3}, false, {}, false, {}},
    {"-1 with a remainder", {2, 3}, true, {-1, 4}, false, {}, false, {}},
    {"too many", {2, 3}, true, {4, 2}, false, {}, false, {}},
    {"no shape", {2, 3}, false, {}, false, {}, false, {}},
    {"to a scalar", {1}, true, {}, false, {}, true, {}},
    {"to a scalar by options", {1, 1}, false, {}, true, {}, true, {}},
    {"old converters' scalar", {1}, false, {}, true, {0}, true, {}},
    {"from a scalar", {}, true, {1, 1}, false, {}, true, {1, 1}},
    {"0 keeps", {2, 3}, true, {0, 3}, false, {}, true, {2, 3}},
    {"0 keeps in options", {2, 3}, false, {}, true, {0, 3}, true, {2, 3}},
    {"0 beyond the rank", {2, 3}, true, {2, 3, 0}, false, {}, false, {}},
    {"empty", {0, 3}, true, {3, 0}, false, {}, true, {3, 0}},
    {"empty with -1", {0, 3}, true, {-1, 3}, false, {}, true, {0, 3}},
    {"empty with -1 and 0", {0, 3}, true, {-1, 0}, false, {}, true, {3, 0}},
    {"empty to something", {0, 3}, true, {1}, false, {}, false, {}},
    {"overflow", {0, 3}, true, {INT32_MAX, INT32_MAX, INT32_MAX, 0}, false, {}, false, {}},
    {"overflow behind a 0",
     {0, 3},
     true,
     {0, INT32_MAX, INT32_MAX, INT32_MAX, -1},
     false,
     {},
     false,
     {}},
    {"overflow with -1", {2, 3}, true, {INT32_MAX, INT32_MAX, INT32_MAX, -1}, false, {}, false, {}},
    {"nine dimensions", {1}, true, {1, 1, 1, 1, 1, 1, 1, 1, 1}, false, {}, false, {}},
};

TEST(Reshape, Table) {
    for (const ReshapeRow& row : rows)
        for (const bool constant : {true, false}) {
            KernelTester t(Opcode::reshape, ReshapeParams{row.has_options, row.options});
            std::vector<float> values(static_cast<std::size_t>(row.input.elements()));
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
            t.input(row.input, values);
            const Shape shape_shape{static_cast<std::int32_t>(row.input_shape.size())};
            if (row.has_input_shape && constant) t.constant(shape_shape, row.input_shape);
            if (row.has_input_shape && !constant) t.input(shape_shape, row.input_shape);
            t.output(DType::float32);
            if (!row.fits) {
                EXPECT_FALSE(t.run()) << row.what;
                continue;
            }
            ASSERT_TRUE(t.run()) << row.what;
            EXPECT_EQ(t.shape(), row.output) << row.what;
            EXPECT_EQ(t.values<float>(), values) << row.what;
            EXPECT_EQ(t.context().in_place_input, 0);
        }
}

TEST(Reshape, Int64ShapeIsNotReadButTheOptionsAre) {
    KernelTester t(Opcode::reshape, ReshapeParams{true, {6}});
    t.input(Shape{2, 3}, std::vector<std::int8_t>(6));
    t.constant(Shape{2}, std::vector<std::int64_t>{3, 2});
    t.output(DType::int8);
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.shape(), Shape{6});

    KernelTester without(Opcode::reshape, ReshapeParams{});
    without.input(Shape{2, 3}, std::vector<std::int8_t>(6));
    without.constant(Shape{2}, std::vector<std::int64_t>{3, 2});
    without.output(DType::int8);
    EXPECT_TRUE(without.refuses(Code::invalid_argument));
}

TEST(Reshape, LeftOutShapeInput) {
    KernelTester t(Opcode::reshape, ReshapeParams{true, {3}});
    t.input(Shape{1, 3}, std::vector<std::int64_t>{1, 2, 3});
    t.no_input();
    t.output(DType::int64);
    ASSERT_TRUE(t.run());
    EXPECT_EQ(t.values<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST(Reshape, RefusesOtherTypes) {
    KernelTester t(Opcode::reshape, ReshapeParams{true, {3}});
    t.input(Shape{3}, std::vector<float>(3));
    t.output(DType::int32);
    EXPECT_TRUE(t.refuses(Code::invalid_argument));

    KernelTester strings(Opcode::reshape, ReshapeParams{true, {3}});
    strings.input(Shape{3}, std::vector<float>(3));
    strings.input_tensor(0).dtype = DType::string;
    strings.output(DType::string);
    EXPECT_TRUE(strings.refuses(Code::unimplemented));
}

TEST(Squeeze, Table) {
    struct Row {
        Shape input, axes;
        bool fits;
        Shape output;
    };
    const Row squeezes[] = {
        {{1, 2, 1, 3}, {}, true, {2, 3}},
        {{1, 2, 1, 3}, {0}, true, {2, 1, 3}},
        {{1, 2, 1, 3}, {-2}, true, {1, 2, 3}},
        {{1, 2, 1, 3}, {0, -4}, true, {2, 1, 3}},
        {{1, 2, 1, 3}, {2, 0}, true, {2, 3}},
        {{1, 2, 1, 3}, {1}, false, {}},
        {{1, 2, 1, 3}, {4}, false, {}},
        {{1, 2, 1, 3}, {-5}, false, {}},
        {{1, 2}, {INT32_MIN}, false, {}},
        {{1}, {}, true, {}},
        {{}, {}, true, {}},
        {{}, {0}, false, {}},
        {{1, 0, 1}, {}, true, {0}},
        {{1, 1, 1, 1, 1, 1, 1, 1}, {}, true, {}},
        {{2, 3}, {}, true, {2, 3}},
    };
    for (const Row& row : squeezes) {
        KernelTester t(Opcode::squeeze, SqueezeParams{row.axes});
        std::vector<std::int16_t> values(static_cast<std::size_t>(row.input.elements()), 7);
        t.input(row.input, values);
        t.output(DType::int16);
        if (!row.fits) {
            EXPECT_TRUE(t.refuses(Code::invalid_argument)) << row.axes.to_string();
            continue;
        }
        ASSERT_TRUE(t.run());
        EXPECT_EQ(t.shape(), row.output) << row.input.to_string() << row.axes.to_string();
        EXPECT_EQ(t.values<std::int16_t>(), values);
        EXPECT_EQ(t.context().in_place_input, 0);
    }
}

}  // namespace

}  // namespace skiff::kernels::testing
