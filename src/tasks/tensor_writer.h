#pragma once

#include <array>
#include <optional>
#include <vector>

#include "model/metadata.h"
#include "runtime/engine.h"
#include "tasks/image.h"

namespace skiff::tasks {

// Writes images into an image model's input: resized, in the tensor's element type.
//
//   uint8    the pixel as it is; normalization is not looked at
//   float32  (pixel - mean) / std
//   int8     the same, quantized with the tensor's scale and zero point; without a normalization
//   pixel - 128
//
// One channel takes the luma of BT.601 (a gray image's own value). Immutable: any thread.
class TensorWriter {
 public:
    // Errors (invalid_argument): not one image of fixed size in [1,height,width,channels] with 3
    // channels or 1, another element type, float32 without a normalization, a normalization that is
    // neither one value nor one per channel or divides by zero.
    static Result<TensorWriter> create(const runtime::TensorInfo& input,
                                       const std::optional<model::Normalization>& normalization);

    int width() const { return width_; }
    int height() const { return height_; }
    // `tensor` has the input's size.
    void write(const Pixels& pixels, MutableBytes tensor) const;

 private:
    TensorWriter(const runtime::TensorInfo& input) : dtype_(input.dtype) {}
    Status fill_tables(const runtime::TensorInfo& input,
                       const std::optional<model::Normalization>& normalization);

    DType dtype_;
    int width_ = 0, height_ = 0, channels_ = 0;
    // What each of the 256 pixel values becomes, per channel: floats, or bytes (int8 as its bits).
    std::vector<std::array<float, 256>> floats_;
    std::vector<std::array<std::uint8_t, 256>> bytes_;
};

}  // namespace skiff::tasks
