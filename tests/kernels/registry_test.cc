#include <gtest/gtest.h>

#include "kernels/kernel.h"

namespace skiff::kernels {

TEST(Registry, FindsEveryEntryAndNothingElse) {
    for (const Registration& entry : all_kernels()) {
        EXPECT_EQ(find_kernel(static_cast<std::int32_t>(entry.opcode)), &entry);
        EXPECT_GE(entry.max_version, 1);
    }
    for (const std::int32_t code : {-1, 5, 7, 1000000}) EXPECT_EQ(find_kernel(code), nullptr);
}

}  // namespace skiff::kernels
