#include "model/sparse.h"

#include <cstring>

#include "model/schema.h"

namespace skiff::model {

namespace {

// One of the format's three vector types.
class Indices {
 public:
    Indices() = default;
    Indices(tflite::SparseIndexVector type, const void* vector) : type_(type), vector_(vector) {}

    std::int64_t size() const {
        return visit([](const auto& values) { return static_cast<std::int64_t>(values.size()); });
    }
    std::int64_t operator[](std::int64_t i) const {
        return visit([i](const auto& values) {
            return static_cast<std::int64_t>(values.Get(static_cast<unsigned>(i)));
        });
    }

 private:
    template <typename F>
    std::int64_t visit(F f) const {
        switch (vector_ ? type_ : tflite::SparseIndexVector_NONE) {
            case tflite::SparseIndexVector_Int32Vector:
                return apply(static_cast<const tflite::Int32Vector*>(vector_), f);
            case tflite::SparseIndexVector_Uint16Vector:
                return apply(static_cast<const tflite::Uint16Vector*>(vector_), f);
            case tflite::SparseIndexVector_Uint8Vector:
                return apply(static_cast<const tflite::Uint8Vector*>(vector_), f);
            default:
                return 0;
        }
    }
    template <typename Table, typename F>
    static std::int64_t apply(const Table* table, F f) {
        return table->values() ? f(*table->values()) : 0;
    }

    tflite::SparseIndexVector type_ = tflite::SparseIndexVector_NONE;
    const void* vector_ = nullptr;
};

struct Level {
    std::int64_t size = 0;    // of the dimension that this level walks
    std::int64_t stride = 0;  // elements of the dense tensor from one index to the next
    bool is_dense = true;
    Indices segments, indices;
};

const tflite::SparsityParameters& parameters(const Tensor& tensor) {
    return *static_cast<const tflite::SparsityParameters*>(tensor.sparsity);
}

// The tree's levels, or why they do not fit the shape.
Result<std::vector<Level>> read_levels(const Tensor& tensor, const Place& place) {
    const tflite::SparsityParameters& sparsity = parameters(tensor);
    const auto* order = sparsity.traversal_order();
    const auto* block_map = sparsity.block_map();
    const auto* dims = sparsity.dim_metadata();
    const auto rank = static_cast<unsigned>(tensor.shape.rank());
    const unsigned blocks = block_map ? block_map->size() : 0;
    const unsigned count = rank + blocks;
    if (blocks > rank || !order || !dims || order->size() != count || dims->size() != count)
        return broken(place, "sparsity does not have one level per dimension and block");

    std::vector<int> level_of(count, -1);  // by dimension, then by block
    for (unsigned i = 0; i < count; ++i) {
        const std::int32_t dim = order->Get(i);
        if (dim < 0 || dim >= static_cast<std::int32_t>(count) ||
            level_of[static_cast<unsigned>(dim)] != -1)
            return broken(place, "sparsity's traversal order is not a permutation");
        level_of[static_cast<unsigned>(dim)] = static_cast<int>(i);
    }
    std::vector<std::int64_t> block_size(rank, 1), stride(rank, 1);
    for (unsigned dim = rank; dim-- > 1;) stride[dim - 1] = stride[dim] * tensor.shape[int(dim)];

    std::vector<Level> levels(count);
    for (unsigned b = 0; b < blocks; ++b) {
        const std::int32_t dim = block_map->Get(b);
        if (dim < 0 || dim >= static_cast<std::int32_t>(rank) ||
            block_size[static_cast<unsigned>(dim)] != 1)
            return broken(place, "sparsity's block map does not fit the shape");
        const auto at = static_cast<unsigned>(level_of[rank + b]);
        const std::int32_t size = dims->Get(at)->dense_size();
        if (size < 1 || tensor.shape[dim] % size != 0)
            return broken(place, "a sparsity block of " + std::to_string(size) +
                                     " does not divide dimension " + std::to_string(dim));
        block_size[static_cast<unsigned>(dim)] = size;
        levels[at].size = size;
        levels[at].stride = stride[static_cast<unsigned>(dim)];
    }
    for (unsigned dim = 0; dim < rank; ++dim) {
        Level& level = levels[static_cast<unsigned>(level_of[dim])];
        level.size = tensor.shape[int(dim)] / block_size[dim];
        level.stride = stride[dim] * block_size[dim];
    }
    for (unsigned i = 0; i < count; ++i) {
        const tflite::DimensionMetadata& dim = *dims->Get(i);
        levels[i].is_dense = dim.format() == tflite::DimensionType_DENSE;
        if (levels[i].is_dense && dim.dense_size() != levels[i].size)
            return broken(place, "sparsity level " + std::to_string(i) + " has " +
                                     std::to_string(dim.dense_size()) + " entries instead of " +
                                     std::to_string(levels[i].size));
        levels[i].segments = {dim.array_segments_type(), dim.array_segments()};
        levels[i].indices = {dim.array_indices_type(), dim.array_indices()};
    }
    return levels;
}

// A compressed level below `parents` entries of the level above.
Status check_compressed(const Level& level, std::int64_t parents, const Place& place) {
    if (level.segments.size() != parents + 1 || level.segments[0] != 0 ||
        level.segments[parents] != level.indices.size())
        return broken(place, "sparsity segments do not fit their indices");
    for (std::int64_t i = 0; i < parents; ++i)
        if (level.segments[i] > level.segments[i + 1] ||
            level.segments[i + 1] - level.segments[i] > level.size)
            return broken(place, "a sparsity segment runs backwards or is too long");
    for (std::int64_t i = 0; i < level.indices.size(); ++i)
        if (level.indices[i] < 0 || level.indices[i] >= level.size)
            return broken(place, "sparsity index " + std::to_string(level.indices[i]) +
                                     " is out of its dimension of " + std::to_string(level.size));
    return {};
}

struct Walk {
    const std::vector<Level>& levels;
    Bytes data;
    std::size_t element_bytes;
    std::vector<std::uint8_t>& dense;

    void descend(std::size_t depth, std::int64_t entry, std::int64_t offset) {
        if (depth == levels.size()) {
            std::memcpy(dense.data() + static_cast<std::size_t>(offset) * element_bytes,
                        data.data() + static_cast<std::size_t>(entry) * element_bytes,
                        element_bytes);
            return;
        }
        const Level& level = levels[depth];
        if (level.is_dense) {
            for (std::int64_t i = 0; i < level.size; ++i)
                descend(depth + 1, entry * level.size + i, offset + i * level.stride);
            return;
        }
        for (std::int64_t i = level.segments[entry]; i < level.segments[entry + 1]; ++i)
            descend(depth + 1, i, offset + level.indices[i] * level.stride);
    }
};

}  // namespace

Result<std::size_t> check_sparsity(const Tensor& tensor, const Place& place) {
    const int bits = dtype_bits(tensor.dtype);
    if (bits < 8)
        return beyond(place, "sparse " + std::string(dtype_name(tensor.dtype)) +
                                 " is not supported (export the tensor dense)");
    const std::vector<Level> levels = TRY(read_levels(tensor, place));
    std::int64_t entries = 1;  // at most the tensor's elements, so nothing overflows
    std::int64_t indices = 0;
    for (const Level& level : levels) {
        if (level.is_dense) {
            entries *= level.size;
            continue;
        }
        TRY(check_compressed(level, entries, place));
        indices += level.segments.size() + level.indices.size();
        entries = level.indices.size();
    }
    const auto element_bytes = static_cast<std::size_t>(bits / 8);
    if (tensor.data.size() / element_bytes != static_cast<std::size_t>(entries) ||
        tensor.data.size() % element_bytes != 0)
        return broken(place, "sparsity tells of " + std::to_string(entries) +
                                 " values, and its buffer has " +
                                 std::to_string(tensor.data.size()) + " bytes");
    return static_cast<std::size_t>(indices);
}

Result<std::vector<std::uint8_t>> densify(const Tensor& tensor) {
    CHECK(tensor.is_sparse && tensor.sparsity);
    const auto element_bytes = static_cast<std::size_t>(dtype_bits(tensor.dtype) / 8);
    const std::size_t size = static_cast<std::size_t>(tensor.shape.elements()) * element_bytes;
    if (size > (std::size_t{1} << 30))
        return error(Code::resource_exhausted,
                     "sparse constant " + quoted(tensor.name) + " takes more than 1 GB when dense");
    const std::vector<Level> levels = TRY(read_levels(tensor, {}));
    std::vector<std::uint8_t> dense(size, 0);
    Walk{levels, tensor.data, element_bytes, dense}.descend(0, 0, 0);
    return dense;
}

}  // namespace skiff::model
