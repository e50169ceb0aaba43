// Every file of the corpus: what the official library takes loads here and says what the table
// says, and what is refused is refused for the right reason.
#include "tests/model/corpus.h"

#include <gtest/gtest.h>

#include "model/model.h"
#include "tests/model/touch.h"

namespace skiff::model {
namespace {

// All refusals. The official library refuses them as well, or crashes on them.
const std::map<std::string, std::string> refused = {
    {"cfu_model_pdti8",
     "subgraph 0, tensor 33 'MobilenetV1/MobilenetV1/Conv2d_0/Conv2D_bias': quantization is along "
     "dimension 3, and the shape is [8]"},
    {"emz_yolo_fastest_1_1_face_192_v1", "not a .tflite model"},
    {"gle_object_detection_3d_sneakers", "not a .tflite model"},
    {"got_makefile", "not a .tflite model"},
    {"lrt_add_shared_tensors",
     "subgraph 0, tensor 1 'input': is an input of the subgraph, and operator 0 'ADD' writes it"},
    {"lrt_blockwise_quantized",
     "subgraph 0, tensor 2 'quantized_tensor': operator 0 'ADD' reads it, and nothing writes it"},
    {"lrt_test_custom_node_with_init_data",
     "subgraph 0, tensor 1 'b': is an input of the subgraph and a constant"},
};

// "FLOAT32[-1,640]", as the table writes inputs and outputs.
std::string table_text(const Tensor& tensor) {
    std::string text(dtype_name(tensor.dtype));
    for (char& c : text) c = static_cast<char>(std::toupper(c));
    return tensor.shape.rank() == 0 ? text : text + tensor.shape_signature.to_string();
}
std::string table_text(const Subgraph& subgraph, const std::vector<std::int32_t>& tensors) {
    std::string text;
    for (const std::int32_t tensor : tensors)
        text += (text.empty() ? "" : ";") +
                table_text(subgraph.tensors[static_cast<std::size_t>(tensor)]);
    return text.empty() ? "-" : text;
}

// "CONV_2D:2,RELU:1", of all subgraphs, the operators in any order.
std::map<std::string, int> operator_counts(const Model& model) {
    std::map<std::string, int> counts;
    for (const Subgraph& subgraph : model.subgraphs())
        for (const Operator& op : subgraph.operators)
            ++counts[op.builtin_code == 32 ? "CUSTOM:" + std::string(op.name)
                                           : std::string(op.name)];
    return counts;
}
std::map<std::string, int> operator_counts(const std::string& column) {
    std::map<std::string, int> counts;
    std::istringstream list(column);
    for (std::string item; std::getline(list, item, ',');)
        if (const std::size_t colon = item.rfind(':'); colon != item.npos)
            counts[item.substr(0, colon)] = std::stoi(item.substr(colon + 1));
    return counts;
}

TEST(Corpus, LoadsOrRefuses) {
    SKIP_WITHOUT_CORPUS();
    std::size_t loaded = 0;
    for (const CorpusRow& row : corpus_rows()) {
        const std::string name = row.at("model");
        const auto model = Model::load_file(corpus_model(name));
        if (const auto expected = refused.find(name); expected != refused.end()) {
            ASSERT_FALSE(model.ok()) << name;
            EXPECT_NE(row.at("golden"), "ok") << name;
            const std::string start = corpus_model(name) + ": " + expected->second;
            EXPECT_TRUE(model.error().message.starts_with(start)) << model.error().message;
            continue;
        }
        ASSERT_TRUE(model.ok()) << model.error().message;
        ++loaded;
        [[maybe_unused]] volatile std::size_t sum = touch(**model);
        EXPECT_EQ(std::to_string((*model)->subgraphs().size()), row.at("subgraphs")) << name;
        const Subgraph& main = (*model)->main();
        EXPECT_EQ(table_text(main, main.inputs), row.at("inputs")) << name;
        EXPECT_EQ(table_text(main, main.outputs), row.at("outputs")) << name;
        EXPECT_EQ(operator_counts(**model), operator_counts(row.at("ops"))) << name;
        bool is_sparse = false;
        for (const Tensor& tensor : main.tensors) is_sparse |= tensor.is_sparse;
        EXPECT_EQ(is_sparse, row.at("sparse") == "yes") << name;
        const auto metadata = read_metadata(**model);
        ASSERT_TRUE(metadata.ok()) << metadata.error().message;
        EXPECT_EQ(metadata->present,
                  row.at("metadata").find("TFLITE_METADATA") != std::string::npos)
            << name;
    }
    EXPECT_EQ(loaded, 293u);
}

}  // namespace
}  // namespace skiff::model
