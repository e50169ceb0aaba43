#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "model/reader.h"
#include "model/sparse.h"

namespace skiff::model {

namespace {

constexpr std::int64_t most_bytes = std::int64_t{1} << 40;

// Bytes that `shape` takes, packed. Dimensions of 0 count as 1 for the limit, so that strides
// cannot overflow either.
Result<std::int64_t> bytes_needed(const Shape& shape, DType dtype, const Place& place) {
    std::int64_t elements = 1;
    for (const std::int32_t dim : shape)
        if (__builtin_mul_overflow(elements, std::max(dim, 1), &elements) || elements > most_bytes)
            return broken(place, "shape " + shape.to_string() + " is too large");
    const std::int64_t bits = std::max(dtype_bits(dtype), 1);
    if (elements > most_bytes / bits * 8)
        return broken(place, "shape " + shape.to_string() + " is too large");
    return (shape.elements() * bits + 7) / 8;
}

std::string dims_text(const flatbuffers::Vector<std::int32_t>& dims) {
    std::string text = "[";
    for (unsigned i = 0; i < std::min(dims.size(), 10u); ++i)
        text += (i ? "," : "") + std::to_string(dims.Get(i));
    return text + (dims.size() > 10 ? ",...]" : "]");
}

// Element types whose constants have bytes.
bool has_bytes(DType dtype) {
    return dtype_bits(dtype) != 0 || dtype == DType::string;
}

std::size_t alignment_of(DType dtype) {
    if (dtype == DType::string) return alignof(std::int32_t);
    return static_cast<std::size_t>(std::clamp(dtype_bits(dtype) / 8, 1, 8));
}

struct Range {
    std::int64_t low, high;
};
Range zero_point_range(DType dtype) {
    switch (dtype) {
        case DType::uint8:
            return {0, 255};
        case DType::int8:
            return {-128, 127};
        case DType::uint16:
            return {0, 65535};
        case DType::int16:
            return {-32768, 32767};
        case DType::uint4:
            return {0, 15};
        case DType::int4:
            return {-8, 7};
        case DType::int2:
            return {-2, 1};
        default:
            return {std::numeric_limits<std::int32_t>::min(),
                    std::numeric_limits<std::int32_t>::max()};
    }
}

}  // namespace

Result<Tensor> Reader::read_tensor(const tflite::Tensor& source, const Place& place) {
    Tensor tensor;
    tensor.name = text(source.name());
    const int type = source.type();
    if (type < tflite::TensorType_MIN || type > tflite::TensorType_MAX)
        return beyond(place, "element type " + std::to_string(type) +
                                 " is not known (the file is damaged, or newer than this reader)");
    tensor.dtype = static_cast<DType>(type);
    tensor.is_variable = source.is_variable();
    TRY(read_shape(source, place, tensor));
    TRY(read_data(source, place, tensor));
    TRY(read_quantization(source, place, tensor));
    return tensor;
}

Status Reader::read_shape(const tflite::Tensor& source, const Place& place, Tensor& tensor) {
    const auto* dims = source.shape();
    const auto* signature = source.shape_signature();
    const std::size_t rank = length(dims);
    if (rank > Shape::max_rank)
        return beyond(place, "rank " + std::to_string(rank) + "; this reader takes up to " +
                                 std::to_string(Shape::max_rank) +
                                 " dimensions (reshape the tensor before export)");
    // An empty signature says nothing; old converters wrote it.
    const bool has_signature = length(signature) != 0;
    if (has_signature && signature->size() != rank)
        return broken(place, "shape " + (dims ? dims_text(*dims) : "[]") + " and shape signature " +
                                 dims_text(*signature) + " differ in rank");
    for (unsigned i = 0; i < rank; ++i) {
        const std::int32_t dim = dims->Get(i);
        if (dim < 0)
            return broken(place, "shape " + dims_text(*dims) +
                                     " has a negative dimension; only a shape signature may");
        tensor.shape.push_back(dim);
        const std::int32_t signed_dim = has_signature ? signature->Get(i) : dim;
        if (signed_dim < -1)
            return broken(place,
                          "shape signature " + dims_text(*signature) + " has a dimension below -1");
        // Where both are known and differ (writers that changed only one), the shape is what holds.
        tensor.shape_signature.push_back(signed_dim == -1 ? -1 : dim);
    }
    tensor.has_rank = rank != 0 || source.has_rank() || !states_ranks_;
    return {};
}

Status Reader::read_data(const tflite::Tensor& source, const Place& place, Tensor& tensor) {
    const std::int64_t needed = TRY(bytes_needed(tensor.shape, tensor.dtype, place));
    if (source.external_buffer() != 0)
        return beyond(place, "its data lies in another file; this reader takes models in one file");
    // Models without any buffer are legal; tensors then name buffer 0.
    Bytes data;
    if (source.buffer() != 0 || length(model_->buffers()) != 0)
        data = TRY(buffer_bytes(source.buffer(), place));
    tensor.is_sparse = source.sparsity() != nullptr;
    if (data.empty()) {
        tensor.is_sparse = false;
        return {};
    }
    tensor.has_rank = true;
    tensor.is_constant = true;
    if (tensor.is_variable) return broken(place, "is both a variable and a constant");
    if (!has_bytes(tensor.dtype))
        return broken(place, "is a constant of type " + std::string(dtype_name(tensor.dtype)) +
                                 ", which has none");
    if (tensor.is_sparse) {
        tensor.data = TRY(aligned(data, alignment_of(tensor.dtype), place));
        tensor.sparsity = source.sparsity();
        return budget_.charge(TRY(check_sparsity(tensor, place)), place);
    }
    if (tensor.dtype != DType::string && static_cast<std::int64_t>(data.size()) != needed)
        return broken(place, std::string(dtype_name(tensor.dtype)) + tensor.shape.to_string() +
                                 " takes " + std::to_string(needed) + " bytes, and its buffer " +
                                 std::to_string(source.buffer()) + " has " +
                                 std::to_string(data.size()));
    tensor.data = TRY(aligned(data, alignment_of(tensor.dtype), place));
    if (tensor.dtype != DType::string) return {};
    TRY(budget_.charge(data.size(), place));
    return check_strings(tensor.data, tensor.shape.elements(), place);
}

Status Reader::read_quantization(const tflite::Tensor& source, const Place& place, Tensor& tensor) {
    const tflite::QuantizationParameters* from = source.quantization();
    if (!from) return {};
    TensorQuantization& to = tensor.quantization;
    to.has_details = from->details_type() != tflite::QuantizationDetails_NONE;
    const std::size_t scales = length(from->scale());
    const std::size_t zero_points = length(from->zero_point());
    if (scales == 0) return {};
    if (scales != zero_points)
        return broken(place, "quantization has " + std::to_string(scales) + " scales and " +
                                 std::to_string(zero_points) + " zero points");
    to.axis = from->quantized_dimension();
    const int rank = tensor.shape.rank();
    if (to.axis < 0 || (to.axis >= rank && (rank != 0 || scales > 1)))
        return broken(place, "quantization is along dimension " + std::to_string(to.axis) +
                                 ", and the shape is " + tensor.shape.to_string());
    if (scales > 1 && scales != static_cast<std::size_t>(tensor.shape[to.axis]))
        return broken(place, "quantization has " + std::to_string(scales) + " scales for the " +
                                 std::to_string(tensor.shape[to.axis]) + " of dimension " +
                                 std::to_string(to.axis));
    TRY(budget_.charge(scales * (sizeof(float) + sizeof(std::int64_t)), place));
    to.scales.assign(from->scale()->begin(), from->scale()->end());
    // flatbuffers' verifier aligns a vector's length, not its 8-byte elements: no access through
    // their type.
    to.zero_points.resize(zero_points);
    std::memcpy(to.zero_points.data(), from->zero_point()->Data(),
                zero_points * sizeof(std::int64_t));
    for (const float scale : to.scales)
        if (!std::isfinite(scale) || scale < 0)
            return broken(place, "a quantization scale is " + std::to_string(scale));
    const Range range = zero_point_range(tensor.dtype);
    for (const std::int64_t zero_point : to.zero_points)
        if (zero_point < range.low || zero_point > range.high)
            return broken(place, "zero point " + std::to_string(zero_point) +
                                     " is not a value of " + std::string(dtype_name(tensor.dtype)));
    return {};
}

Result<Bytes> Reader::buffer_bytes(std::uint32_t index, const Place& place) const {
    const std::size_t count = length(model_->buffers());
    if (index >= count)
        return broken(place, "names buffer " + std::to_string(index) + ", and there are " +
                                 std::to_string(count));
    const tflite::Buffer& buffer = *model_->buffers()->Get(index);
    // Offset 1 is the writers' placeholder for "not decided yet".
    if (buffer.offset() > 1) return outside_bytes(buffer.offset(), buffer.size(), place);
    if (!buffer.data()) return Bytes();
    return Bytes(buffer.data()->data(), buffer.data()->size());
}

Result<Bytes> Reader::outside_bytes(std::uint64_t offset, std::uint64_t size,
                                    const Place& place) const {
    if (offset > file_.size() || size > file_.size() - offset)
        return broken(place, "its data is said to be " + std::to_string(size) + " bytes at " +
                                 std::to_string(offset) + " of a file of " +
                                 std::to_string(file_.size()));
    return file_.subspan(offset, size);
}

Result<Bytes> Reader::aligned(Bytes bytes, std::size_t alignment, const Place& place) {
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment == 0) return bytes;
    const auto known = copied_.find(bytes.data());
    if (known != copied_.end() && known->second.size() == bytes.size()) return known->second;
    TRY(budget_.charge(bytes.size(), place));
    auto copy = std::make_unique<std::uint64_t[]>(bytes.size() / sizeof(std::uint64_t) + 1);
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    const Bytes view(reinterpret_cast<const std::uint8_t*>(copy.get()), bytes.size());
    contents_.aligned_copies.push_back(std::move(copy));
    copied_[bytes.data()] = view;
    return view;
}

Status check_strings(Bytes data, std::int64_t elements, const Place& place) {
    const auto word = [&](std::uint64_t i) {
        std::int32_t value;
        std::memcpy(&value, data.data() + 4 * i, sizeof value);
        return static_cast<std::int64_t>(value);
    };
    if (data.size() < 4) return broken(place, "string data of less than four bytes");
    const std::int64_t count = word(0);
    if (count < 0 || 4 * (count + 2) > static_cast<std::int64_t>(data.size()))
        return broken(place, "string data is cut off: it says " + std::to_string(count) +
                                 " strings in " + std::to_string(data.size()) + " bytes");
    if (count != elements)
        return broken(place, "string data has " + std::to_string(count) + " strings, the shape " +
                                 std::to_string(elements));
    std::int64_t last = 4 * (count + 2);
    for (std::int64_t i = 0; i <= count; ++i) {
        const std::int64_t offset = word(static_cast<std::uint64_t>(1 + i));
        if (offset < last || offset > static_cast<std::int64_t>(data.size()))
            return broken(place, "string " + std::to_string(i) + " is out of its data");
        last = offset;
    }
    return {};
}

}  // namespace skiff::model
