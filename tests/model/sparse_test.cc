#include "model/sparse.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <variant>

#include "model/schema.h"
#include "tests/model/corpus.h"
#include "tests/model/samples.h"

namespace skiff::model {
namespace {

struct Compressed {
    std::vector<std::int32_t> segments;
    std::vector<std::uint8_t> indices;
};
using LevelSpec = std::variant<int, Compressed>;  // dense size, or compressed

struct Encoding {
    std::vector<std::int32_t> order, block_map;
    std::vector<LevelSpec> levels;
    std::vector<std::int32_t> shape;
    std::vector<float> values;
};

std::vector<std::uint8_t> model_of(const Encoding& e) {
    flatbuffers::FlatBufferBuilder fbb;
    std::vector<flatbuffers::Offset<tflite::DimensionMetadata>> levels;
    for (const LevelSpec& level : e.levels) {
        if (const int* size = std::get_if<int>(&level)) {
            levels.push_back(
                tflite::CreateDimensionMetadata(fbb, tflite::DimensionType_DENSE, *size));
            continue;
        }
        const auto& compressed = std::get<Compressed>(level);
        const auto segments = tflite::CreateInt32VectorDirect(fbb, &compressed.segments);
        const auto indices = tflite::CreateUint8VectorDirect(fbb, &compressed.indices);
        levels.push_back(tflite::CreateDimensionMetadata(
            fbb, tflite::DimensionType_SPARSE_CSR, 0, tflite::SparseIndexVector_Int32Vector,
            segments.Union(), tflite::SparseIndexVector_Uint8Vector, indices.Union()));
    }
    const auto sparsity =
        tflite::CreateSparsityParametersDirect(fbb, &e.order, &e.block_map, &levels);
    const auto shape = fbb.CreateVector(e.shape);
    const std::vector tensors{tflite::CreateTensor(fbb, shape, tflite::TensorType_FLOAT32, 1,
                                                   fbb.CreateString("s"), 0, false, sparsity)};
    const std::vector subgraphs{tflite::CreateSubGraphDirect(fbb, &tensors)};
    const std::vector<std::uint8_t> data = bytes_of(e.values);
    const std::vector buffers{tflite::CreateBuffer(fbb), tflite::CreateBufferDirect(fbb, &data)};
    tflite::FinishModelBuffer(
        fbb, tflite::CreateModelDirect(fbb, 3, nullptr, &subgraphs, nullptr, &buffers));
    return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
}

const Encoding blocks_of_2x2{{0, 1, 2, 3},
                             {0, 1},
                             {2, Compressed{{0, 1, 2}, {1, 0}}, 2, 2},
                             {4, 4},
                             {1, 2, 3, 4, 5, 6, 7, 8}};
const Encoding columns_first{
    {1, 0}, {}, {4, Compressed{{0, 2, 3, 3, 4}, {0, 2, 1, 0}}}, {3, 4}, {1, 2, 3, 4}};

// The dense values are what the official library's DENSIFY makes of the same tensors.
TEST(Sparse, Densify) {
    const struct {
        Encoding encoding;
        std::vector<float> dense;
    } cases[] = {
        {blocks_of_2x2, {0, 0, 1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 7, 8, 0, 0}},
        {{{1, 0, 2}, {1}, {2, Compressed{{0, 2, 3}, {0, 2, 1}}, 2}, {3, 4}, {1, 2, 3, 4, 5, 6}},
         {1, 2, 0, 0, 0, 0, 5, 6, 3, 4, 0, 0}},
        {columns_first, {1, 0, 0, 4, 0, 3, 0, 0, 2, 0, 0, 0}},
    };
    for (const auto& c : cases) {
        const auto file = model_of(c.encoding);
        const auto model = Model::load_memory(file);
        ASSERT_TRUE(model.ok()) << model.error().message;
        const Tensor& tensor = (*model)->main().tensors[0];
        EXPECT_TRUE(tensor.is_sparse);
        EXPECT_EQ(densify(tensor).value(), bytes_of(c.dense));
    }
}

// Checksums of what the official library's DENSIFY gives.
TEST(Sparse, Corpus) {
    SKIP_WITHOUT_CORPUS();
    const auto model = Model::load_file(corpus_model("fdl_face_detection_full_range_sparse"));
    ASSERT_TRUE(model.ok()) << model.error().message;
    const struct {
        std::size_t tensor;
        std::uint32_t crc;
    } cases[] = {{14, 0x82af9006}, {26, 0x27a5655a}, {306, 0x56537699}, {544, 0xaceb3985}};
    for (const auto& c : cases) {
        const auto dense = densify((*model)->main().tensors[c.tensor]).value();
        EXPECT_EQ(crc32_z(0, dense.data(), dense.size()), c.crc) << c.tensor;
    }
}

TEST(Sparse, Broken) {
    const struct {
        const char* message;
        Encoding encoding;
        std::function<void(Encoding&)> edit;
    } cases[] = {
        {"does not have one level per dimension and block", columns_first,
         [](Encoding& e) { e.levels.pop_back(); }},
        {"does not have one level per dimension and block", columns_first,
         [](Encoding& e) {
             e.order = {0, 1, 2};
         }},
        {"traversal order is not a permutation", columns_first,
         [](Encoding& e) {
             e.order = {1, 1};
         }},
        {"traversal order is not a permutation", columns_first,
         [](Encoding& e) {
             e.order = {2, 0};
         }},
        {"block map does not fit the shape", blocks_of_2x2,
         [](Encoding& e) {
             e.block_map = {0, 0};
         }},
        {"block map does not fit the shape", blocks_of_2x2,
         [](Encoding& e) {
             e.block_map = {0, 2};
         }},
        {"a sparsity block of 3 does not divide dimension 0", blocks_of_2x2,
         [](Encoding& e) { e.levels[2] = 3; }},
        {"sparsity level 0 has 3 entries instead of 4", columns_first,
         [](Encoding& e) { e.levels[0] = 3; }},
        {"segments do not fit their indices", columns_first,
         [](Encoding& e) {
             e.levels[1] = Compressed{{0, 2, 3, 4}, {0, 2, 1, 0}};
         }},
        {"segments do not fit their indices", columns_first,
         [](Encoding& e) {
             e.levels[1] = Compressed{{0, 2, 3, 3, 5}, {0, 2, 1, 0}};
         }},
        {"segments do not fit their indices", columns_first,
         [](Encoding& e) {
             e.levels[1] = Compressed{{1, 2, 3, 3, 4}, {0, 2, 1, 0}};
         }},
        {"a sparsity segment runs backwards or is too long", columns_first,
         [](Encoding& e) {
             e.levels[1] = Compressed{{0, 2, 1, 3, 4}, {0, 2, 1, 0}};
         }},
        {"a sparsity segment runs backwards or is too long", columns_first,
         [](Encoding& e) {
             e.levels[1] = Compressed{{0, 4, 4, 4, 4}, {0, 2, 1, 0}};
         }},
        {"sparsity index 3 is out of its dimension of 3", columns_first,
         [](Encoding& e) {
             e.levels[1] = Compressed{{0, 2, 3, 3, 4}, {0, 3, 1, 0}};
         }},
        {"sparsity tells of 4 values, and its buffer has 12 bytes", columns_first,
         [](Encoding& e) { e.values.pop_back(); }},
    };
    for (const auto& c : cases) {
        Encoding encoding = c.encoding;
        c.edit(encoding);
        const auto model = Model::load_memory(model_of(encoding), "m");
        ASSERT_FALSE(model.ok()) << c.message;
        EXPECT_NE(model.error().message.find(c.message), std::string::npos)
            << c.message << " / " << model.error().message;
    }
}

}  // namespace
}  // namespace skiff::model
