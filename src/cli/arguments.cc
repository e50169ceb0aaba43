#include "cli/arguments.h"

#include <sys/stat.h>

#include <charconv>

#include "base/files.h"
#include "cli/model_argument.h"

namespace skiff::cli {
namespace {

bool is_folder(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Result<InputArgument> parse_input_argument(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size())
        return error(Code::invalid_argument,
                     "\"" + std::string(text) + "\" is not INPUT=VALUE, e.g. 0=image.bin");
    return InputArgument{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Result<std::size_t> find_input(const runtime::Engine& engine, const std::string& input) {
    std::size_t index = 0;
    const char* end = input.data() + input.size();
    const auto [stop, status] = std::from_chars(input.data(), end, index);
    if (status == std::errc() && stop == end && index < engine.input_count()) return index;
    std::string names;
    for (std::size_t i = 0; i < engine.input_count(); ++i) {
        const std::string name = engine.input_info(i).name;
        if (name == input) return i;
        names += (i ? ", " : "") + std::to_string(i) + " = " + name;
    }
    return error(Code::not_found,
                 "no input " + input + " (" + (names.empty() ? "the model has none" : names) + ")");
}

Result<Shape> parse_dims(std::string_view text) {
    Shape shape;
    std::int64_t elements = 1;
    const auto refuse = [&](const char* why) {
        return error(Code::invalid_argument, "\"" + std::string(text) + "\" is not a shape: " +
                                                 why + " (write 1x224x224x3)");
    };
    std::size_t at = 0;
    while (true) {
        std::int32_t dim = 0;
        const auto [stop, status] =
            std::from_chars(text.data() + at, text.data() + text.size(), dim);
        if (status != std::errc() || dim < 0) return refuse("dimensions are whole numbers from 0");
        if (shape.rank() == Shape::max_rank) return refuse("at most 8 dimensions");
        if (__builtin_mul_overflow(elements, static_cast<std::int64_t>(dim), &elements) ||
            elements > INT32_MAX)
            return refuse("too many elements");
        shape.push_back(dim);
        at = static_cast<std::size_t>(stop - text.data());
        if (at == text.size()) return shape;
        if (text[at] != 'x' && text[at] != ',') return refuse("dimensions are separated by x");
        ++at;
    }
}

Result<std::vector<std::string>> expand_models(const std::vector<std::string>& arguments) {
    std::vector<std::string> models;
    for (const std::string& argument : arguments) {
        if (argument.starts_with('@')) {
            const std::string list = TRY(read_file(argument.substr(1)));
            for (std::size_t at = 0; at < list.size();) {
                const std::size_t end = std::min(list.find('\n', at), list.size());
                if (end > at) models.push_back(list.substr(at, end - at));
                at = end + 1;
            }
        } else if (is_folder(argument)) {
            const std::size_t before = models.size();
            for (const std::string& name : TRY(list_folder(argument)))
                if (name.ends_with(".tflite")) models.push_back(argument + "/" + name);
            if (models.size() == before)
                return error(Code::not_found, "no .tflite files in " + argument);
        } else {
            models.push_back(TRY(model_path(argument)));
        }
    }
    return models;
}

}  // namespace skiff::cli
