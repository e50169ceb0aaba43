#include "tasks/tensor_writer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tasks/decoders.h"
#include "tasks/resize.h"

namespace skiff::tasks {
namespace {

// BT.601 in thousandths; equal channels give exactly their value.
std::uint8_t luma(const std::uint8_t* rgb) {
    return static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
}

Error bad_input(const runtime::TensorInfo& input, std::string why) {
    return error(Code::invalid_argument, "not a model for images: its input is " +
                                             std::string(dtype_name(input.dtype)) +
                                             input.shape.to_string() + ", " + why);
}

Status check_shape(const runtime::TensorInfo& input) {
    const Shape& s = input.shape;
    if (s.rank() != 4 || s[0] != 1) return bad_input(input, "and [1,height,width,3] is needed");
    if (s[3] != 3 && s[3] != 1) {
        if (s[1] == 3 || s[1] == 1)
            return bad_input(input, "channels first: convert the model to channels last");
        return bad_input(input, "and 3 channels (RGB) or 1 (gray) are needed");
    }
    if (s[1] <= 1 && s[2] <= 1)
        return bad_input(input, "whose height and width are not fixed: resize the input first");
    return check_size(s[2], s[1]);
}

Status check_normalization(const model::Normalization& n, int channels) {
    const auto fits = [&](const std::vector<float>& values) {
        return values.size() == 1 || values.size() == static_cast<std::size_t>(channels);
    };
    if (!fits(n.mean) || !fits(n.std))
        return error(Code::invalid_argument, "the normalization has " +
                                                 std::to_string(n.mean.size()) + " means and " +
                                                 std::to_string(n.std.size()) +
                                                 " deviations: give one, or one for each of " +
                                                 std::to_string(channels) + " channels");
    const auto finite = [](float v) { return std::isfinite(v); };
    const auto usable = [](float v) { return std::isfinite(v) && v != 0; };
    if (!std::all_of(n.mean.begin(), n.mean.end(), finite) ||
        !std::all_of(n.std.begin(), n.std.end(), usable))
        return error(Code::invalid_argument,
                     "the normalization's values must be finite and its deviations not zero");
    return {};
}

float at(const std::vector<float>& values, std::size_t channel) {
    return values.size() == 1 ? values[0] : values[channel];
}

// As the QUANTIZE operator rounds: nearest, ties to even.
std::uint8_t quantized(float value, const Quantization& q) {
    const float steps = std::nearbyint(value * (1 / q.scale)) + static_cast<float>(q.zero_point);
    return static_cast<std::uint8_t>(static_cast<std::int8_t>(std::clamp(steps, -128.0f, 127.0f)));
}

}  // namespace

Result<TensorWriter> TensorWriter::create(
    const runtime::TensorInfo& input, const std::optional<model::Normalization>& normalization) {
    TRY(check_shape(input));
    TensorWriter writer(input);
    writer.height_ = input.shape[1];
    writer.width_ = input.shape[2];
    writer.channels_ = input.shape[3];
    TRY(writer.fill_tables(input, normalization));
    return writer;
}

Status TensorWriter::fill_tables(const runtime::TensorInfo& input,
                                 const std::optional<model::Normalization>& normalization) {
    const bool is_float = dtype_ == DType::float32;
    if (!is_float && dtype_ != DType::uint8 && dtype_ != DType::int8)
        return bad_input(input, "and uint8, float32 or int8 is needed");
    if (is_float && !normalization)
        return error(
            Code::invalid_argument,
            "the float model does not say how to normalize images: add NormalizationOptions to its "
            "metadata, or give mean and std");
    const bool normalizes = normalization && dtype_ != DType::uint8;
    if (normalizes) TRY(check_normalization(*normalization, channels_));
    if (normalizes && !is_float && input.quantization.scale <= 0)
        return bad_input(input, "which lacks its quantization: convert the model again");
    const auto n = static_cast<std::size_t>(channels_);
    if (is_float)
        floats_.resize(n);
    else
        bytes_.resize(n);
    for (std::size_t c = 0; c < n; ++c)
        for (std::size_t pixel = 0; pixel < 256; ++pixel) {
            const float value = normalizes
                                    ? (static_cast<float>(pixel) - at(normalization->mean, c)) /
                                          at(normalization->std, c)
                                    : 0;
            if (is_float)
                floats_[c][pixel] = value;
            else if (normalizes)
                bytes_[c][pixel] = quantized(value, input.quantization);
            else  // int8 - 128 has the bits of uint8 with the highest turned round
                bytes_[c][pixel] =
                    static_cast<std::uint8_t>(pixel ^ (dtype_ == DType::int8 ? 0x80 : 0));
        }
    return {};
}

void TensorWriter::write(const Pixels& pixels, MutableBytes tensor) const {
    const Pixels small = resize(pixels, width_, height_);
    const auto n = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
    const auto channels = static_cast<std::size_t>(channels_);
    const std::size_t element = dtype_ == DType::float32 ? sizeof(float) : 1;
    CHECK(tensor.size() == n * channels * element);
    std::uint8_t* out = tensor.data();
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t c = 0; c < channels; ++c, out += element) {
            const std::uint8_t* rgb = &small.rgb[3 * i];
            const std::uint8_t pixel = channels == 1 ? luma(rgb) : rgb[c];
            if (dtype_ == DType::float32)
                std::memcpy(out, &floats_[c][pixel], sizeof(float));
            else
                *out = bytes_[c][pixel];
        }
}

}  // namespace skiff::tasks
