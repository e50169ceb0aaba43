#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tools/digits/net.h"
#include "tools/digits/quantize.h"

namespace skiff::digits {

// What the file says about itself.
struct ModelText {
    std::string name, description;
};

// The net as a .tflite file: RGB [1,28,28,3] in, ten probabilities out, with metadata for image
// labelling. Float without `ranges`, int8 throughout with them (calibrate()).
Result<std::vector<std::uint8_t>> write_model(const Net& net, const ModelText& text,
                                              const std::vector<ActivationRange>& ranges = {});

}  // namespace skiff::digits
