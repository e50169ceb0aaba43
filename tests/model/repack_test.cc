// The schema against real files: unpacked into the object API and packed again, every corpus model
// keeps its content.
#include <gtest/gtest.h>

#include "model/model.h"
#include "model/schema_objects.h"
#include "tests/model/corpus.h"

namespace skiff::model {
namespace {

void expect_same(const Tensor& a, const Tensor& b) {
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.dtype, b.dtype);
    EXPECT_EQ(a.shape, b.shape);
    EXPECT_EQ(a.shape_signature, b.shape_signature);
    EXPECT_EQ(a.has_rank, b.has_rank);
    EXPECT_EQ(a.is_variable, b.is_variable);
    EXPECT_EQ(a.is_sparse, b.is_sparse);
    EXPECT_EQ(a.quantization.scales, b.quantization.scales);
    EXPECT_EQ(a.quantization.zero_points, b.quantization.zero_points);
    EXPECT_EQ(a.quantization.axis, b.quantization.axis);
    EXPECT_TRUE(std::equal(a.data.begin(), a.data.end(), b.data.begin(), b.data.end())) << a.name;
}

const tflite_objects::Operator& table(const Operator& op) {
    return *static_cast<const tflite_objects::Operator*>(op.flatbuffer);
}

// The options table, packed alone: equal content gives equal bytes.
std::vector<std::uint8_t> options_bytes(const Operator& op) {
    flatbuffers::FlatBufferBuilder fbb;
    std::unique_ptr<tflite_objects::OperatorT> unpacked(table(op).UnPack());
    unpacked->opcode_index = 0;
    fbb.Finish(tflite_objects::Operator::Pack(fbb, unpacked.get()));
    return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
}

void expect_same(const Subgraph& a, const Subgraph& b) {
    EXPECT_EQ(a.inputs, b.inputs);
    EXPECT_EQ(a.outputs, b.outputs);
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    for (std::size_t i = 0; i < a.tensors.size(); ++i) expect_same(a.tensors[i], b.tensors[i]);
    ASSERT_EQ(a.operators.size(), b.operators.size());
    for (std::size_t i = 0; i < a.operators.size(); ++i) {
        EXPECT_EQ(a.operators[i].name, b.operators[i].name);
        EXPECT_EQ(a.operators[i].version, b.operators[i].version);
        EXPECT_EQ(options_bytes(a.operators[i]), options_bytes(b.operators[i]));
    }
}

TEST(Repack, CorpusKeepsItsContent) {
    SKIP_WITHOUT_CORPUS();
    std::size_t compared = 0;
    for (const CorpusRow& row : corpus_rows()) {
        if (std::stoul(row.at("bytes")) > 100000)
            continue;  // their content repeats, and takes its time
        const auto before = Model::load_file(corpus_model(row.at("model")));
        if (!before.ok()) continue;
        SCOPED_TRACE(row.at("model"));
        std::unique_ptr<tflite_objects::ModelT> object(
            tflite_objects::GetModel((*before)->bytes().data())->UnPack());
        // Data behind the flatbuffer stays where its offset says only if the flatbuffer keeps its
        // size: bring it inside.
        for (auto& buffer : object->buffers) {
            if (buffer->offset <= 1) continue;
            const Bytes outside = (*before)->bytes().subspan(buffer->offset, buffer->size);
            buffer->data.assign(outside.begin(), outside.end());
            buffer->offset = buffer->size = 0;
        }
        flatbuffers::FlatBufferBuilder fbb;
        tflite_objects::FinishModelBuffer(fbb, tflite_objects::Model::Pack(fbb, object.get()));
        const auto after = Model::load_memory({fbb.GetBufferPointer(), fbb.GetSize()});
        ASSERT_TRUE(after.ok()) << after.error().message;
        ASSERT_EQ((*before)->subgraphs().size(), (*after)->subgraphs().size());
        for (std::size_t i = 0; i < (*before)->subgraphs().size(); ++i)
            expect_same((*before)->subgraphs()[i], (*after)->subgraphs()[i]);
        EXPECT_EQ((*before)->signatures().size(), (*after)->signatures().size());
        EXPECT_EQ((*before)->metadata().size(), (*after)->metadata().size());
        ++compared;
    }
    EXPECT_GT(compared, 200u);
}

}  // namespace
}  // namespace skiff::model
