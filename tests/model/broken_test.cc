// Models broken by hand, each with the line that says what is wrong.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "model/model.h"
#include "model/schema_objects.h"
#include "tests/model/samples.h"

namespace skiff::model {
namespace {

using namespace tflite_objects;

using Edit = std::function<void(ModelT&)>;

constexpr const char* advice =
    " (the file is damaged or was written wrongly: fetch or export it again)";

std::vector<std::uint8_t> pack(const ModelT& model) {
    flatbuffers::FlatBufferBuilder fbb;
    FinishModelBuffer(fbb, tflite_objects::Model::Pack(fbb, &model));
    return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
}

std::vector<std::uint8_t> edited(const Edit& edit) {
    const auto file = sample_builder().write().value();
    std::unique_ptr<ModelT> model(GetModel(file.data())->UnPack());
    edit(*model);
    return pack(*model);
}

SubGraphT& main_of(ModelT& model) {
    return *model.subgraphs[0];
}
TensorT& tensor(ModelT& model, int i) {
    return *main_of(model).tensors[i];
}
OperatorT& op(ModelT& model, int i) {
    return *main_of(model).operators[i];
}

QuantizationParametersT& quantize(ModelT& model, int i, std::vector<float> scales,
                                  std::vector<std::int64_t> zero_points, int axis = 0) {
    auto quantization = std::make_unique<QuantizationParametersT>();
    quantization->scale = std::move(scales);
    quantization->zero_point = std::move(zero_points);
    quantization->quantized_dimension = axis;
    tensor(model, i).quantization = std::move(quantization);
    return *tensor(model, i).quantization;
}

// Makes operator 0 an IF (inputs x, weights; output h) that runs `subgraph` either way, and adds a
// subgraph of one tensor.
void add_if(ModelT& model, int then_subgraph, int else_subgraph) {
    OperatorCodeT code;
    code.builtin_code = BuiltinOperator_IF;
    model.operator_codes.push_back(std::make_unique<OperatorCodeT>(code));
    op(model, 0).opcode_index = static_cast<std::uint32_t>(model.operator_codes.size() - 1);
    op(model, 0).inputs = {0, 1};
    IfOptionsT options;
    options.then_subgraph_index = then_subgraph;
    options.else_subgraph_index = else_subgraph;
    op(model, 0).builtin_options.Reset();
    op(model, 0).builtin_options.Set(std::move(options));
    auto subgraph = std::make_unique<SubGraphT>();
    subgraph->tensors.push_back(std::make_unique<TensorT>());
    subgraph->inputs = {0};
    subgraph->outputs = {0};
    model.subgraphs.push_back(std::move(subgraph));
}

void make_strings(ModelT& model, std::vector<std::int32_t> words) {
    tensor(model, 2).type = TensorType_STRING;
    model.buffers[tensor(model, 2).buffer]->data = bytes_of(words);
}

struct Case {
    const char* line;  // without the label and the advice
    Edit edit;
};

void expect_lines(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        const auto file = edited(c.edit);
        const auto model = Model::load_memory(file, "m");
        ASSERT_FALSE(model.ok()) << "loads: " << c.line;
        EXPECT_EQ(model.error().code, Code::invalid_argument);
        std::string line = std::string("m: ") + c.line + advice;
        constexpr std::string_view size = "{size}";  // of the file, whatever the writer makes of it
        if (const std::size_t at = line.find(size); at != line.npos)
            line.replace(at, size.size(), std::to_string(file.size()));
        EXPECT_EQ(model.error().message, line);
    }
}

TEST(Broken, Nothing) {
    const auto file = edited([](ModelT&) {});
    EXPECT_TRUE(Model::load_memory(file).ok());
}

TEST(Broken, NotAModel) {
    const std::vector<std::uint8_t> text{'h', 'e', 'l', 'l', 'o', ' ', 'y', 'o', 'u', '!'};
    for (const std::size_t size : {0, 3, 7, 8, 10}) {
        const auto model = Model::load_memory(Bytes(text.data(), size), "a.txt");
        ASSERT_FALSE(model.ok());
        EXPECT_EQ(model.error().message,
                  "a.txt: not a .tflite model: the bytes 4 to 7 are not 'TFL3' (give a file that a "
                  "TensorFlow Lite or LiteRT converter wrote)");
    }
    const auto absent = Model::load_file("/no/such/model.tflite");
    ASSERT_FALSE(absent.ok());
    EXPECT_EQ(absent.error().code, Code::not_found);
}

TEST(Broken, Whole) {
    expect_lines({
        {"format version 2 instead of 3, the only one there is", [](ModelT& m) { m.version = 2; }},
        {"there is no subgraph in it", [](ModelT& m) { m.subgraphs.clear(); }},
        {"signature 0 'serving_default': names subgraph 1, and there are 1",
         [](ModelT& m) { m.signature_defs[0]->subgraph_index = 1; }},
        {"signature 0 'serving_default': 'y' is tensor 5, and its subgraph has 5",
         [](ModelT& m) { m.signature_defs[0]->outputs[0]->tensor_index = 5; }},
        {"metadata entry 0 'note': names buffer 9, and there are 4",
         [](ModelT& m) { m.metadata[0]->buffer = 9; }},
        {"metadata entry 0 'no\\x0ate': its data is said to be 10 bytes at 4096 of a file of "
         "{size}",
         [](ModelT& m) {
             m.metadata[0]->name = "no\nte";
             m.buffers[3]->offset = 4096;
             m.buffers[3]->size = 10;
         }},
        {"subgraph 0: an input names tensor 5, and there are 5",
         [](ModelT& m) { main_of(m).inputs = {5}; }},
        {"subgraph 0: an output names tensor -1, and there are 5",
         [](ModelT& m) { main_of(m).outputs = {-1}; }},
    });
}

TEST(Broken, Tensors) {
    expect_lines({
        {"subgraph 0, tensor 1 'weights': names buffer 4, and there are 4",
         [](ModelT& m) { tensor(m, 1).buffer = 4; }},
        {"subgraph 0, tensor 1 'weights': float32[2,4] takes 32 bytes, and its buffer 1 has 24",
         [](ModelT& m) {
             tensor(m, 1).shape = {2, 4};
         }},
        {"subgraph 0, tensor 1 'weights': int4[2,3] takes 3 bytes, and its buffer 1 has 24",
         [](ModelT& m) { tensor(m, 1).type = TensorType_INT4; }},
        {"subgraph 0, tensor 1 'weights': int2[3,3] takes 3 bytes, and its buffer 1 has 24",
         [](ModelT& m) {
             tensor(m, 1).type = TensorType_INT2;
             tensor(m, 1).shape = {3, 3};
         }},
        {"subgraph 0, tensor 0 'x': shape [1,-1] has a negative dimension; only a shape signature "
         "may",
         [](ModelT& m) {
             tensor(m, 0).shape = {1, -1};
         }},
        {"subgraph 0, tensor 0 'x': shape [1,3] and shape signature [1,3,1] differ in rank",
         [](ModelT& m) {
             tensor(m, 0).shape_signature = {1, 3, 1};
         }},
        {"subgraph 0, tensor 0 'x': shape signature [-2,3] has a dimension below -1",
         [](ModelT& m) {
             tensor(m, 0).shape_signature = {-2, 3};
         }},
        {"subgraph 0, tensor 0 'x': shape [2147483647,2147483647,2147483647,4] is too large",
         [](ModelT& m) {
             tensor(m, 0).shape = {INT32_MAX, INT32_MAX, INT32_MAX, 4};
         }},
        {"subgraph 0, tensor 0 'x': shape [0,65536,65536,65536] is too large",
         [](ModelT& m) {
             tensor(m, 0).shape = {0, 65536, 65536, 65536};
         }},
        {"subgraph 0, tensor 1 'weights': is both a variable and a constant",
         [](ModelT& m) { tensor(m, 1).is_variable = true; }},
        {"subgraph 0, tensor 1 'weights': is a constant of type resource, which has none",
         [](ModelT& m) { tensor(m, 1).type = TensorType_RESOURCE; }},
        {"subgraph 0, tensor 2 'bias': string data has 3 strings, the shape 2",
         [](ModelT& m) {
             make_strings(m, {3, 20, 20, 20, 20});
         }},
        {"subgraph 0, tensor 2 'bias': string data is cut off: it says 2 strings in 12 bytes",
         [](ModelT& m) {
             make_strings(m, {2, 16, 16});
         }},
        {"subgraph 0, tensor 2 'bias': string data is cut off: it says -1 strings in 12 bytes",
         [](ModelT& m) {
             make_strings(m, {-1, 16, 16});
         }},
        {"subgraph 0, tensor 2 'bias': string 2 is out of its data",
         [](ModelT& m) {
             make_strings(m, {2, 16, 20, 24, 0});
         }},
        {"subgraph 0, tensor 2 'bias': string 1 is out of its data",
         [](ModelT& m) {
             make_strings(m, {2, 20, 16, 20, 0});
         }},
    });
}

TEST(Broken, Quantization) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    expect_lines({
        {"subgraph 0, tensor 1 'weights': quantization has 2 scales and 1 zero points",
         [](ModelT& m) {
             quantize(m, 1, {1, 1}, {0});
         }},
        {"subgraph 0, tensor 1 'weights': quantization has 3 scales for the 2 of dimension 0",
         [](ModelT& m) {
             quantize(m, 1, {1, 1, 1}, {0, 0, 0});
         }},
        {"subgraph 0, tensor 1 'weights': quantization is along dimension 2, and the shape is "
         "[2,3]",
         [](ModelT& m) {
             quantize(m, 1, {1, 1}, {0, 0}, 2);
         }},
        {"subgraph 0, tensor 1 'weights': quantization is along dimension -1, and the shape is "
         "[2,3]",
         [](ModelT& m) { quantize(m, 1, {1}, {0}, -1); }},
        {"subgraph 0, tensor 1 'weights': a quantization scale is -1.000000",
         [](ModelT& m) {
             quantize(m, 1, {1, -1}, {0, 0});
         }},
        {"subgraph 0, tensor 1 'weights': a quantization scale is inf",
         [](ModelT& m) { quantize(m, 1, {infinity}, {0}); }},
        {"subgraph 0, tensor 3 'h': zero point 128 is not a value of int8",
         [](ModelT& m) {
             tensor(m, 3).type = TensorType_INT8;
             quantize(m, 3, {1}, {128});
         }},
        {"subgraph 0, tensor 3 'h': zero point 4294967296 is not a value of float32",
         [](ModelT& m) { quantize(m, 3, {1}, {std::int64_t{1} << 32}); }},
    });
}

TEST(Broken, Operators) {
    expect_lines({
        {"subgraph 0, operator 0: names operator code 2, and there are 2",
         [](ModelT& m) { op(m, 0).opcode_index = 2; }},
        {"subgraph 0, operator 0 'FULLY_CONNECTED': input 1 is tensor 5, and there are 5",
         [](ModelT& m) { op(m, 0).inputs[1] = 5; }},
        {"subgraph 0, operator 0 'FULLY_CONNECTED': input 1 is tensor -2, and there are 5",
         [](ModelT& m) { op(m, 0).inputs[1] = -2; }},
        {"subgraph 0, operator 1 'RELU': output 0 is tensor -1, and there are 5",
         [](ModelT& m) { op(m, 1).outputs[0] = -1; }},
        {"subgraph 0, operator 1 'RELU': intermediate 0 is tensor 7, and there are 5",
         [](ModelT& m) { op(m, 1).intermediates = {7}; }},
        {"subgraph 0, operator 1: a custom operator without a name",
         [](ModelT& m) { m.operator_codes[1]->builtin_code = BuiltinOperator_CUSTOM; }},
        {"subgraph 0, operator 1 'RELU': its data is said to be 9 bytes at 18446744073709551610 of "
         "a file of {size}",
         [](ModelT& m) {
             op(m, 1).large_custom_options_offset = ~std::uint64_t{5};
             op(m, 1).large_custom_options_size = 9;
         }},
    });
}

TEST(Broken, Order) {
    expect_lines({
        {"subgraph 0, tensor 1 'weights': is a constant, and operator 1 'RELU' writes it",
         [](ModelT& m) { op(m, 1).outputs = {1}; }},
        {"subgraph 0, tensor 0 'x': is an input of the subgraph, and operator 1 'RELU' writes it",
         [](ModelT& m) { op(m, 1).outputs = {0}; }},
        {"subgraph 0, tensor 3 'h': operator 1 'RELU' writes it after operator 0 did",
         [](ModelT& m) { op(m, 1).outputs = {3}; }},
        {"subgraph 0, tensor 1 'weights': is an input of the subgraph and a constant",
         [](ModelT& m) {
             main_of(m).inputs = {0, 1};
         }},
        {"subgraph 0, tensor 0 'x': operator 0 'FULLY_CONNECTED' reads it, and nothing writes it",
         [](ModelT& m) { main_of(m).inputs = {}; }},
        {"subgraph 0, tensor 4 'y': the subgraph gives it out, and nothing writes it",
         [](ModelT& m) { main_of(m).operators.pop_back(); }},
        {"subgraph 0, operator 0 'FULLY_CONNECTED': waits for operators that wait for each other: "
         "the graph has a cycle",
         [](ModelT& m) { op(m, 0).inputs[0] = 4; }},
        {"subgraph 0, operator 1 'RELU': waits for operators that wait for each other: the graph "
         "has a cycle",
         [](ModelT& m) { op(m, 1).inputs = {4}; }},
    });
}

TEST(Broken, Calls) {
    expect_lines({
        {"subgraph 0, operator 0 'IF': runs subgraph 2, and there are 2",
         [](ModelT& m) { add_if(m, 1, 2); }},
        {"subgraph 0, operator 0 'IF': runs subgraph -1, and there are 2",
         [](ModelT& m) { add_if(m, -1, 1); }},
        {"subgraph 0, operator 0 'IF': runs subgraph 1, which takes 0 and gives 1 tensors instead "
         "of 1 and 1",
         [](ModelT& m) {
             add_if(m, 1, 1);
             m.subgraphs[1]->inputs = {};
             m.subgraphs[1]->tensors[0]->shape = {0};
         }},
        {"subgraph 0, operator 0 'IF': does not say which subgraph it runs",
         [](ModelT& m) {
             add_if(m, 1, 1);
             op(m, 0).builtin_options.Reset();
         }},
        {"subgraph 0: runs itself through its operators, or nests more than 32 subgraphs",
         [](ModelT& m) { add_if(m, 0, 1); }},
    });
}

TEST(Broken, Beyond) {
    const struct {
        const char* message;
        Edit edit;
    } cases[] = {
        {"m: subgraph 0, tensor 0 'x': rank 9; this reader takes up to 8 dimensions (reshape the "
         "tensor before export)",
         [](ModelT& m) { tensor(m, 0).shape = {1, 1, 1, 1, 1, 1, 1, 1, 1}; }},
        {"m: subgraph 0, tensor 0 'x': element type 23 is not known (the file is damaged, or newer "
         "than this reader)",
         [](ModelT& m) { tensor(m, 0).type = static_cast<TensorType>(23); }},
        {"m: subgraph 0, operator 1: operator number 210 is not known; this reader knows 0 to 209 "
         "(the file is damaged, or newer than this reader)",
         [](ModelT& m) { m.operator_codes[1]->builtin_code = static_cast<BuiltinOperator>(210); }},
        {"m: subgraph 0, tensor 1 'weights': its data lies in another file; this reader takes "
         "models in one file",
         [](ModelT& m) { tensor(m, 1).external_buffer = 1; }},
    };
    for (const auto& c : cases) {
        const auto file = edited(c.edit);
        const auto model = Model::load_memory(file, "m");
        ASSERT_FALSE(model.ok()) << c.message;
        EXPECT_EQ(model.error().code, Code::unimplemented);
        EXPECT_EQ(model.error().message, c.message);
    }
}

// A flatbuffer may point to one vector from many places; what is copied is bounded all the same.
TEST(Broken, SmallFileThatUnfolds) {
    flatbuffers::FlatBufferBuilder fbb;
    const std::vector<float> scales(20000, 1);
    const auto shared_scales = fbb.CreateVector(scales);
    const auto shared_zeros = fbb.CreateVector(std::vector<std::int64_t>(20000, 0));
    const auto quantization = CreateQuantizationParameters(fbb, 0, 0, shared_scales, shared_zeros);
    const auto shape = fbb.CreateVector(std::vector<std::int32_t>{20000});
    std::vector<flatbuffers::Offset<tflite_objects::Tensor>> tensors;
    for (int i = 0; i < 2000; ++i)
        tensors.push_back(CreateTensor(fbb, shape, TensorType_INT8, 0, 0, quantization));
    const std::vector subgraphs{CreateSubGraphDirect(fbb, &tensors)};
    FinishModelBuffer(fbb, CreateModelDirect(fbb, 3, nullptr, &subgraphs));
    const auto model = Model::load_memory({fbb.GetBufferPointer(), fbb.GetSize()}, "m");
    ASSERT_FALSE(model.ok());
    EXPECT_NE(model.error().message.find("unfolds into far more than the file holds"),
              std::string::npos)
        << model.error().message;
}

// What old and unusual writers do, and is legal.
TEST(Legal, Unusual) {
    const struct {
        const char* what;
        Edit edit;
        std::function<void(const Model&)> check;
    } cases[] = {
        {"operator number in the old field only",
         [](ModelT& m) {
             m.operator_codes[1]->deprecated_builtin_code = BuiltinOperator_RELU6;
             m.operator_codes[1]->builtin_code = BuiltinOperator_ADD;
         },
         [](const auto& m) { EXPECT_EQ(m.main().operators[1].name, "RELU6"); }},
        {"inputs named twice",
         [](ModelT& m) {
             main_of(m).inputs = {0, 0};
         },
         [](const auto& m) { EXPECT_EQ(m.main().inputs.size(), 2u); }},
        {"no has_rank anywhere: an empty shape is a scalar",
         [](ModelT& m) {
             for (auto& t : main_of(m).tensors) t->has_rank = false;
             tensor(m, 4).shape = {};
         },
         [](const auto& m) { EXPECT_TRUE(m.main().tensors[4].has_rank); }},
        {"has_rank elsewhere: an empty shape has no rank",
         [](ModelT& m) {
             tensor(m, 4).has_rank = false;
             tensor(m, 4).shape = {};
         },
         [](const auto& m) { EXPECT_FALSE(m.main().tensors[4].has_rank); }},
        {"operators in an order that does not run",
         [](ModelT& m) { std::swap(main_of(m).operators[0], main_of(m).operators[1]); },
         [](const auto& m) {
             EXPECT_EQ(m.main().operators[0].name, "FULLY_CONNECTED");
             EXPECT_EQ(m.main().operators[1].name, "RELU");
         }},
        {"an input that is left out", [](ModelT& m) { op(m, 0).inputs[2] = -1; },
         [](const auto& m) { EXPECT_EQ(m.main().operators[0].inputs[2], -1); }},
        {"a tensor without elements that nothing writes",
         [](ModelT& m) {
             main_of(m).inputs = {};
             tensor(m, 0).shape = {0};
         },
         [](const auto& m) { EXPECT_TRUE(m.main().tensors[0].is_constant); }},
        {"known dimensions of the signature that differ",
         [](ModelT& m) {
             tensor(m, 0).shape_signature = {-1, 7};
         },
         [](const auto& m) {
             EXPECT_EQ(m.main().tensors[0].shape_signature, (Shape{-1, 3}));
         }},
        {"strings",
         [](ModelT& m) {
             make_strings(m, {2, 16, 18, 20, 0x64636261});
         },
         [](const auto& m) { EXPECT_EQ(m.main().tensors[2].dtype, DType::string); }},
        {"constants of 4 bits",
         [](ModelT& m) {
             tensor(m, 1).type = TensorType_INT4;
             m.buffers[1]->data = {0x21, 0x43, 0x65};
         },
         [](const auto& m) { EXPECT_EQ(m.main().tensors[1].data.size(), 3u); }},
        {"blockwise quantization is flagged",
         [](ModelT& m) { quantize(m, 1, {}, {}).details.Set(BlockwiseQuantizationT()); },
         [](const auto& m) { EXPECT_TRUE(m.main().tensors[1].quantization.has_details); }},
        {"IF with branches", [](ModelT& m) { add_if(m, 1, 1); },
         [](const auto& m) { EXPECT_EQ(m.main().operators[0].name, "IF"); }},
    };
    for (const auto& c : cases) {
        const auto file = edited(c.edit);
        const auto model = Model::load_memory(file, "m");
        ASSERT_TRUE(model.ok()) << c.what << ": " << model.error().message;
        c.check(**model);
    }
}

// int64 constants at an address that is not a multiple of 8 are copied to one that is.
TEST(Legal, MisalignedConstants) {
    Builder builder;
    for (int i = 0; i < 2; ++i)
        builder.add_tensor({.name = "c",
                            .dtype = DType::int64,
                            .shape = {1},
                            .data = bytes_of<std::int64_t>({0x0102030405060708})});
    std::vector<std::uint8_t> file = builder.write().value();
    file.resize(file.size() + 12);
    for (std::size_t shift = 0; shift < 9; ++shift) {
        std::vector<std::uint8_t> moved(file.size() + shift);
        std::copy(file.begin(), file.end(), moved.begin() + static_cast<std::ptrdiff_t>(shift));
        const auto model = Model::load_memory(Bytes(moved).subspan(shift));
        ASSERT_TRUE(model.ok()) << shift << model.error().message;
        for (const Tensor& t : (*model)->main().tensors) {
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data.data()) % 8, 0u) << shift;
            std::int64_t value;
            std::memcpy(&value, t.data.data(), 8);
            EXPECT_EQ(value, 0x0102030405060708) << shift;
        }
    }
}

// The same where the file itself is aligned: data outside the flatbuffer at an odd offset.
TEST(Legal, ConstantsOutsideTheFlatbuffer) {
    const auto with_offset = [](std::uint64_t offset) {
        return edited([&](ModelT& m) {
            m.buffers[1]->data.clear();
            m.buffers[1]->offset = offset;
            m.buffers[1]->size = 24;
        });
    };
    std::vector<std::uint8_t> file = with_offset(5000);
    const std::uint64_t offset = file.size() + 1;
    file = with_offset(offset);
    file.resize(offset);
    const auto weights = bytes_of<float>({1, 2, 3, 4, 5, 6});
    file.insert(file.end(), weights.begin(), weights.end());
    const auto model = Model::load_memory(file, "m");
    ASSERT_TRUE(model.ok()) << model.error().message;
    const Bytes data = (*model)->main().tensors[1].data;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data.data()) % 4, 0u);
    EXPECT_TRUE(std::equal(data.begin(), data.end(), weights.begin(), weights.end()));
    file.pop_back();
    EXPECT_FALSE(Model::load_memory(file, "m").ok());
}

}  // namespace
}  // namespace skiff::model
