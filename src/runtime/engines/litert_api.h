// The LiteRt* C ABI, as far as litert.cc needs it: our own declarations, bound by name at run time.
// Every status is an int, 0 = ok; handles are pointers; sizes and indices are size_t.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "runtime/engines/dynamic_library.h"

namespace skiff::runtime {

struct LiteRtLayout {
    std::uint32_t bits = 0;  // rank in the low 7, has_strides in bit 7
    std::int32_t dims[8] = {};
    std::uint32_t strides[8] = {};
    Shape shape() const {
        const std::uint32_t rank = bits & 127u;
        return Shape(std::span(dims, rank < 8 ? rank : 8));
    }
};
struct LiteRtTensorType {
    std::int32_t element;  // number of the .tflite format's C type, one more than DType where DType
                           // is below string
    LiteRtLayout layout;
};
static_assert(sizeof(LiteRtTensorType) == 72);

struct LiteRtApi {
    int (*create_environment)(int option_count, const void* options, void** environment);
    void (*destroy_environment)(void* environment);
    int (*create_model)(void* environment, const void* data, std::size_t size, void** model);
    void (*destroy_model)(void* model);
    int (*create_options)(void** options);
    void (*destroy_options)(void* options);
    int (*set_accelerators)(void* options, int set);
    int (*create_opaque)(const char* name, void* text, void (*free_text)(void*), void** opaque);
    int (*add_opaque)(void* options, void* opaque);  // takes it over
    int (*create_compiled)(void* environment, void* model, void* options, void** compiled);
    void (*destroy_compiled)(void* compiled);
    int (*signature_count)(void* model, std::size_t* count);
    int (*get_signature)(void* model, std::size_t index, void** signature);
    int (*signature_key)(void* signature, const char** key);
    int (*input_count)(void* signature, std::size_t* count);
    int (*output_count)(void* signature, std::size_t* count);
    int (*input_tensor)(void* signature, std::size_t index, void** tensor);
    int (*output_tensor)(void* signature, std::size_t index, void** tensor);
    int (*tensor_index)(void* tensor, std::uint32_t* index);
    int (*tensor_type)(void* tensor, LiteRtTensorType* type);
    int (*input_layout)(void* compiled, std::size_t signature, std::size_t i, LiteRtLayout* layout);
    int (*output_layouts)(void* compiled, std::size_t signature, std::size_t count,
                          LiteRtLayout* layouts, bool update_allocation);
    int (*input_needs)(void* compiled, std::size_t signature, std::size_t i, void** requirements);
    int (*output_needs)(void* compiled, std::size_t signature, std::size_t i, void** requirements);
    int (*create_buffer)(void* environment, const LiteRtTensorType* type, void* requirements,
                         void** buffer);
    void (*destroy_buffer)(void* buffer);
    int (*lock)(void* buffer, void** data, int mode);  // 0 read, 1 write
    int (*unlock)(void* buffer);
    int (*resize_input)(void* compiled, std::size_t signature, std::size_t i, const int* dims,
                        std::size_t rank);
    int (*run)(void* compiled, std::size_t signature, std::size_t input_count, void** inputs,
               std::size_t output_count, void** outputs);
    int (*error_messages)(void* compiled, char** text);  // freed by the caller
    int (*clear_errors)(void* compiled);

    static Result<LiteRtApi> bind(const DynamicLibrary& library);
};

// Stands for a C++ exception among the statuses, which are not negative.
constexpr int litert_exception = -1;

// "runtime failure", for a status that is not 0.
const char* litert_status_name(int status);

}  // namespace skiff::runtime
