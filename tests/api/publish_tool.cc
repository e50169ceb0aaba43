// For tests that link libskiff only: `api_publish DIR MODEL NUMBER FILE.tflite [NAME=FILE...]`
// publishes a version into a signed tree (made when it is not there) and makes it the default.
#include <cstdlib>
#include <string>

#include "base/files.h"
#include "tests/api/signed_tree.h"

int main(int argc, char** argv) {
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
