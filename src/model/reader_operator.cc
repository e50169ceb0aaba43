#include <algorithm>

#include "model/reader.h"

namespace skiff::model {

namespace {

// The one-byte field holds numbers up to 127; newer operators put 127 there and the number in the
// wide field.
int builtin_code(const tflite::OperatorCode& code) {
    return std::max<int>(code.builtin_code(), code.deprecated_builtin_code());
}

Status check_indices(const std::vector<std::int32_t>& indices, std::size_t tensor_count,
                     bool may_be_left_out, const char* role, const Place& place) {
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const std::int32_t index = indices[i];
        if (index == -1 && may_be_left_out) continue;
        if (index < 0 || static_cast<std::size_t>(index) >= tensor_count)
            return broken(place, std::string(role) + " " + std::to_string(i) + " is tensor " +
                                     std::to_string(index) + ", and there are " +
                                     std::to_string(tensor_count));
    }
    return {};
}

}  // namespace

Result<Operator> Reader::read_operator(const tflite::Operator& source, int subgraph, int index,
                                       std::size_t tensor_count) {
    Place place = operator_place(subgraph, index, {});
    const std::size_t codes = length(model_->operator_codes());
    if (source.opcode_index() >= codes)
        return broken(place, "names operator code " + std::to_string(source.opcode_index()) +
                                 ", and there are " + std::to_string(codes));
    const tflite::OperatorCode& code = *model_->operator_codes()->Get(source.opcode_index());

    Operator op;
    op.builtin_code = builtin_code(code);
    op.version = code.version();
    op.flatbuffer = &source;
    if (op.builtin_code < tflite::BuiltinOperator_MIN ||
        op.builtin_code > tflite::BuiltinOperator_MAX)
        return beyond(place, "operator number " + std::to_string(op.builtin_code) +
                                 " is not known; this reader knows 0 to " +
                                 std::to_string(static_cast<int>(tflite::BuiltinOperator_MAX)) +
                                 " (the file is damaged, or newer than this reader)");
    if (op.builtin_code == tflite::BuiltinOperator_CUSTOM) {
        op.name = text(code.custom_code());
        if (op.name.empty()) return broken(place, "a custom operator without a name");
    } else {
        op.name =
            tflite::EnumNameBuiltinOperator(static_cast<tflite::BuiltinOperator>(op.builtin_code));
    }
    place.name = op.name;

    TRY(budget_.charge(
        (length(source.inputs()) + length(source.outputs()) + length(source.intermediates())) *
            sizeof(std::int32_t),
        place));
    const auto take = [](const flatbuffers::Vector<std::int32_t>* from) {
        return from ? std::vector<std::int32_t>(from->begin(), from->end())
                    : std::vector<std::int32_t>();
    };
    op.inputs = take(source.inputs());
    op.outputs = take(source.outputs());
    op.intermediates = take(source.intermediates());
    TRY(check_indices(op.inputs, tensor_count, true, "input", place));
    TRY(check_indices(op.outputs, tensor_count, false, "output", place));
    TRY(check_indices(op.intermediates, tensor_count, true, "intermediate", place));

    if (const auto* branches = source.builtin_options_2_as_StablehloCaseOptions())
        TRY(budget_.charge(length(branches->branch_subgraph_indices()) * sizeof(std::int32_t),
                           place));
    if (source.large_custom_options_offset() > 1)
        op.custom_options = TRY(outside_bytes(source.large_custom_options_offset(),
                                              source.large_custom_options_size(), place));
    else if (source.custom_options())
        op.custom_options = {source.custom_options()->data(), source.custom_options()->size()};
    return op;
}

}  // namespace skiff::model
