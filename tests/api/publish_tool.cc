// For tests that link libskiff only: `api_publish DIR MODEL NUMBER FILE.tflite [NAME=FILE...]`
// publishes a version into a signed tree (made when it is not there) and makes it the default.
#include <cstdlib>
#include <string>

#include "base/files.h"
#include "model/builder_ops.h"
#include "tests/api/signed_tree.h"

namespace {

// A "classifier" whose scores are the pixels of a 2 x 2 image.
void write_bare_classifier(const std::string& path) {
    skiff::model::Builder builder;
    const auto x = builder.add_tensor({.name = "image",
                                       .dtype = skiff::DType::uint8,
                                       .shape = {1, 2, 2, 3},
                                       .scales = {1 / 256.f},
                                       .zero_points = {0}});
    const auto shape = builder.add_tensor({.name = "shape",
                                           .dtype = skiff::DType::int32,
                                           .shape = {2},
                                           .data = {1, 0, 0, 0, 12, 0, 0, 0}});
    const auto y = builder.add_tensor({.name = "scores",
                                       .dtype = skiff::DType::uint8,
                                       .shape = {1, 12},
                                       .scales = {1 / 256.f},
                                       .zero_points = {0}});
    builder.add_operator(skiff::model::ops::reshape(x, shape, y, {1, 12}));
    builder.set_inputs({x});
    builder.set_outputs({y});
    skiff::write_file(path, builder.write().value()).value();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string(argv[1]) == "--bare") return write_bare_classifier(argv[2]), 0;
    if (argc < 5) return 2;
    skiff::test::SignedTree::Files files;
    for (int i = 5; i < argc; ++i) {
        const std::string argument = argv[i];
        const std::size_t equals = argument.find('=');
        if (equals == std::string::npos) return 2;
        files.emplace_back(argument.substr(0, equals),
                           skiff::read_file(argument.substr(equals + 1)).value());
    }
    skiff::test::SignedTree tree(argv[1]);
    const auto number = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
    tree.publish(argv[2], number, argv[4], files);
    tree.set_default(argv[2], number);
}
