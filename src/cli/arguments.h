// Values of command line options that need reading.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/engine.h"

namespace skiff::cli {

// "I=VALUE": which input, by index or by name, and the rest.
struct InputArgument {
    std::string input;
    std::string value;
};
// Code::invalid_argument when there is no "=" with something on both sides.
Result<InputArgument> parse_input_argument(std::string_view text);

// The index of the input that `input` names. Code::not_found, with the names there are.
Result<std::size_t> find_input(const runtime::Engine& engine, const std::string& input);

// "1x224x224x3", "1,224,224,3" or "1": one to eight dimensions, none negative, whose product fits a
// tensor.
Result<Shape> parse_dims(std::string_view text);

// Model files from what the user named: files as they are, folders' *.tflite sorted, @LIST one path
// per line, references as model_argument.h fetches them. Code::not_found names what is not there.
Result<std::vector<std::string>> expand_models(const std::vector<std::string>& arguments);

}  // namespace skiff::cli
