#pragma once

#include "tasks/image.h"

namespace skiff::tasks {

// Bilinear, to exactly width x height; the aspect ratio is not kept, as the TFLite Task Library and
// ML Kit do for image labelling. Samples at half-pixel centres ((i + 0.5) * in / out - 0.5, clamped
// to the image) without averaging over what lies between when shrinking; nearest byte, ties up.
// These bytes are equal to those that the corpus's photos were judged with.
Pixels resize(const Pixels& pixels, int width, int height);

}  // namespace skiff::tasks
