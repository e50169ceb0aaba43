#pragma once

#include <string>
#include <vector>

#include "tools/digits/draw.h"
#include "tools/digits/net.h"

namespace skiff::digits {

struct TestPicture {
    std::string name;  // "7", "hard_5"
    Sample sample;
};

// One picture of each digit that both nets know, then `hard` that the small net gets wrong and the
// better one right, all by a clear margin, so that neither int8 nor another CPU's last bit turns an
// answer round.
std::vector<TestPicture> choose_test_pictures(const Net& small, const Net& better,
                                              const std::vector<int>& hard, std::uint64_t seed);

}  // namespace skiff::digits
