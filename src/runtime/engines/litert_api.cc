#include "runtime/engines/litert_api.h"

namespace skiff::runtime {

Result<LiteRtApi> LiteRtApi::bind(const DynamicLibrary& library) {
    LiteRtApi api{};
    TRY(library.bind("LiteRtCreateCompiledModel", api.create_compiled));
    TRY(library.bind("LiteRtDestroyCompiledModel", api.destroy_compiled));
    TRY(library.bind("LiteRtCreateEnvironment", api.create_environment));
    TRY(library.bind("LiteRtDestroyEnvironment", api.destroy_environment));
    TRY(library.bind("LiteRtCreateModelFromBuffer", api.create_model));
    TRY(library.bind("LiteRtDestroyModel", api.destroy_model));
    TRY(library.bind("LiteRtCreateOptions", api.create_options));
    TRY(library.bind("LiteRtDestroyOptions", api.destroy_options));
    TRY(library.bind("LiteRtSetOptionsHardwareAccelerators", api.set_accelerators));
    TRY(library.bind("LiteRtCreateOpaqueOptions", api.create_opaque));
    TRY(library.bind("LiteRtAddOpaqueOptions", api.add_opaque));
    TRY(library.bind("LiteRtGetNumModelSignatures", api.signature_count));
    TRY(library.bind("LiteRtGetModelSignature", api.get_signature));
    TRY(library.bind("LiteRtGetSignatureKey", api.signature_key));
    TRY(library.bind("LiteRtGetNumSignatureInputs", api.input_count));
    TRY(library.bind("LiteRtGetNumSignatureOutputs", api.output_count));
    TRY(library.bind("LiteRtGetSignatureInputTensorByIndex", api.input_tensor));
    TRY(library.bind("LiteRtGetSignatureOutputTensorByIndex", api.output_tensor));
    TRY(library.bind("LiteRtGetTensorIndex", api.tensor_index));
    TRY(library.bind("LiteRtGetRankedTensorType", api.tensor_type));
    TRY(library.bind("LiteRtGetCompiledModelInputTensorLayout", api.input_layout));
    TRY(library.bind("LiteRtGetCompiledModelOutputTensorLayouts", api.output_layouts));
    TRY(library.bind("LiteRtGetCompiledModelInputBufferRequirements", api.input_needs));
    TRY(library.bind("LiteRtGetCompiledModelOutputBufferRequirements", api.output_needs));
    TRY(library.bind("LiteRtCreateManagedTensorBufferFromRequirements", api.create_buffer));
    TRY(library.bind("LiteRtDestroyTensorBuffer", api.destroy_buffer));
    TRY(library.bind("LiteRtLockTensorBuffer", api.lock));
    TRY(library.bind("LiteRtUnlockTensorBuffer", api.unlock));
    TRY(library.bind("LiteRtCompiledModelResizeInputTensorNonStrict", api.resize_input));
    TRY(library.bind("LiteRtRunCompiledModel", api.run));
    TRY(library.bind("LiteRtCompiledModelGetErrorMessages", api.error_messages));
    TRY(library.bind("LiteRtCompiledModelClearErrors", api.clear_errors));
    return api;
}

const char* litert_status_name(int status) {
    switch (status) {
        case litert_exception:
            return "exception";
        case 1:
            return "invalid argument";
        case 2:
            return "out of memory";
        case 3:
            return "runtime failure";
        case 4:
            return "missing input tensor";
        case 5:
            return "unsupported";
        case 6:
            return "not found";
        case 8:
            return "wrong version";
        case 100:
            return "cancelled";
        case 500:
            return "file error";
        case 501:
            return "invalid flatbuffer";
        case 504:
            return "compilation failed";
        default:
            return "error";
    }
}

}  // namespace skiff::runtime
