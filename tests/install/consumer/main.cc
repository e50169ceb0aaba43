// The same as main.c through the C++ interface.
#include <algorithm>
#include <cstdio>

#include <skiff/skiff.h>

static skiff::Status run(const char* path) {
    auto interpreter = SKIFF_TRY(skiff::Interpreter::create(skiff::LocalModel::file(path)));
    const auto input = SKIFF_TRY(interpreter.input(0));
    std::fill(input.bytes.begin(), input.bytes.end(), std::uint8_t{0});
    SKIFF_TRY(interpreter.invoke());
    const auto output = SKIFF_TRY(interpreter.output(0));
    std::printf("%s %s\n", std::string(output.name).c_str(), output.shape.to_string().c_str());
    return {};
}

int main(int argc, char** argv) {
    const auto status = argc == 2 ? run(argv[1]) : skiff::Status();
    if (!status.ok()) std::fprintf(stderr, "consumer: %s\n", status.error().message.c_str());
    return status.ok() && argc == 2 ? 0 : 1;
}
