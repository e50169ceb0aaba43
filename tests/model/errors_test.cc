#include "model/errors.h"

#include <gtest/gtest.h>

namespace skiff::model {
namespace {

TEST(Errors, QuotedNamesFitOneLine) {
    EXPECT_EQ(quoted("conv/weights"), "'conv/weights'");
    EXPECT_EQ(quoted("a\nb\x7f\x01"), "'a\\x0ab\\x7f\\x01'");
    EXPECT_EQ(model::quoted(std::string(80, 'x')), "'" + std::string(80, 'x') + "'");
    EXPECT_EQ(model::quoted(std::string(81, 'x')), "'" + std::string(80, 'x') + "...'");
    EXPECT_EQ(model::quoted(std::string(79, 'x') + "é!"), "'" + std::string(79, 'x') + "...'");
    EXPECT_EQ(model::quoted(std::string(200, '\x80')), "'...'");
}

TEST(Errors, Places) {
    EXPECT_EQ(Place{}.text(), "");
    EXPECT_EQ(Place{2}.text(), "subgraph 2");
    EXPECT_EQ(tensor_place(0, 5, "w").text(), "subgraph 0, tensor 5 'w'");
    EXPECT_EQ(operator_place(0, 5, "").text(), "subgraph 0, operator 5");
    EXPECT_EQ(beyond({-1, "signature", 1, "s"}, "no").message, "signature 1 's': no");
}

}  // namespace
}  // namespace skiff::model
