// How a file becomes a Model: shared by the reader's own source files only.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "model/budget.h"
#include "model/model.h"
#include "model/schema.h"

namespace skiff::model {

struct Contents {
    std::string_view description;
    std::vector<Subgraph> subgraphs;
    std::vector<Signature> signatures;
    std::vector<MetadataEntry> metadata;
    // Constants whose bytes lie in the file where their element type must not.
    std::vector<std::unique_ptr<std::uint64_t[]>> aligned_copies;
};

class Reader {
 public:
    // `file` begins at an address that is a multiple of 8, and outlives the contents.
    explicit Reader(Bytes file) : file_(file), budget_(file.size()) {}

    // Once.
    Result<Contents> read();

 private:
    Status verify();
    Result<Subgraph> read_subgraph(int index);
    Status read_signatures();
    Status read_metadata_entries();

    // reader_tensor.cc
    Result<Tensor> read_tensor(const tflite::Tensor& source, const Place& place);
    Status read_shape(const tflite::Tensor& source, const Place& place, Tensor& tensor);
    Status read_data(const tflite::Tensor& source, const Place& place, Tensor& tensor);
    Status read_quantization(const tflite::Tensor& source, const Place& place, Tensor& tensor);
    Result<Bytes> buffer_bytes(std::uint32_t index, const Place& place) const;
    Result<Bytes> outside_bytes(std::uint64_t offset, std::uint64_t size, const Place& place) const;
    Result<Bytes> aligned(Bytes bytes, std::size_t alignment, const Place& place);

    // reader_operator.cc
    Result<Operator> read_operator(const tflite::Operator& source, int subgraph, int index,
                                   std::size_t tensor_count);

    Bytes file_;
    const tflite::Model* model_ = nullptr;
    Contents contents_;
    Budget budget_;
    bool states_ranks_ = false;  // the writer knew `has_rank`: an absent shape then means no rank
    std::unordered_map<const std::uint8_t*, Bytes> copied_;  // by their place in the file
};

// The flatbuffer's vectors and strings, where absent means empty.
template <typename T>
std::size_t length(const flatbuffers::Vector<T>* vector) {
    return vector ? vector->size() : 0;
}
inline std::string_view text(const flatbuffers::String* string) {
    return string ? std::string_view(string->c_str(), string->size()) : std::string_view();
}

// Brings the operators into an order in which every input is there before it is read (the file's
// own where it does), or says what stands in the way. Marks tensors without elements that nothing
// writes as constants.
Status order_operators(Subgraph& subgraph, int index);

// Subgraphs that operators call: there, of the right arity, and not calling themselves.
Status check_calls(const std::vector<Subgraph>& subgraphs);

// The inner format of string tensors: a count, then count + 1 offsets, then the bytes;
// little-endian int32.
Status check_strings(Bytes data, std::int64_t elements, const Place& place);

}  // namespace skiff::model
