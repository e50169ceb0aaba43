// litert_client: delivery by Skiff, inference by the official TensorFlow Lite library (its classic
// C interface, opened by path). A program that has a runtime keeps it, and gets signed updates, a
// file that stays while it is used, and its inferences counted per version.
//
//   litert_client LIBRARY DATA_DIR URL ROOT.json [--swaps]
//
// LIBRARY: libtensorflowlite_c.so 2.x. Without --swaps: updates, runs once. With it: runs again and
// again until SIGTERM, and prints a line whenever another version takes over.
#include <dlfcn.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include <skiff/skiff.h>

namespace {

using skiff::Code;
using skiff::Error;

volatile std::sig_atomic_t ends = 0;

// The functions that this program needs; tensorflow/lite/c/c_api.h declares them.
struct TfLite {
    void* (*model)(const char* path);
    void (*delete_model)(void*);
    void* (*options)();
    void (*delete_options)(void*);
    void* (*interpreter)(const void* model, const void* options);
    void (*delete_interpreter)(void*);
    int (*allocate)(void*);
    void* (*input)(const void*, std::int32_t);
    const void* (*output)(const void*, std::int32_t);
    int (*invoke)(void*);
    void* (*data)(const void* tensor);
    std::size_t (*bytes)(const void* tensor);

    static skiff::Result<TfLite> open(const char* path) {
        void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!library) return Error{Code::not_found, dlerror()};
        TfLite api{};
        std::string missing;
        const auto bind = [&](const char* name, auto& function) {
            void* const found = dlsym(library, name);
            if (!found) missing += std::string(" ") + name;
            std::memcpy(&function, &found, sizeof found);
        };
        bind("TfLiteModelCreateFromFile", api.model);
        bind("TfLiteModelDelete", api.delete_model);
        bind("TfLiteInterpreterOptionsCreate", api.options);
        bind("TfLiteInterpreterOptionsDelete", api.delete_options);
        bind("TfLiteInterpreterCreate", api.interpreter);
        bind("TfLiteInterpreterDelete", api.delete_interpreter);
        bind("TfLiteInterpreterAllocateTensors", api.allocate);
        bind("TfLiteInterpreterGetInputTensor", api.input);
        bind("TfLiteInterpreterGetOutputTensor", api.output);
        bind("TfLiteInterpreterInvoke", api.invoke);
        bind("TfLiteTensorData", api.data);
        bind("TfLiteTensorByteSize", api.bytes);
        if (!missing.empty())
            return Error{Code::invalid_argument, std::string(path) + " lacks" + missing};
        return api;
    }
};

// One version, loaded. The lease in `file` keeps what TFLite has mapped on disk.
class Loaded {
 public:
    Loaded(const TfLite& api, skiff::ModelFile file) : api_(api), file_(std::move(file)) {}
    ~Loaded() {
        if (interpreter_) api_.delete_interpreter(interpreter_);
        if (options_) api_.delete_options(options_);
        if (model_) api_.delete_model(model_);
    }
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;

    skiff::Status load() {
        model_ = api_.model(file_.path.c_str());
        options_ = api_.options();
        interpreter_ = model_ ? api_.interpreter(model_, options_) : nullptr;
        if (!interpreter_ || api_.allocate(interpreter_) != 0)
            return Error{Code::incompatible, "TensorFlow Lite refuses " + file_.path};
        return {};
    }
    // On zeros; the sum of the output's bytes, to have something to show.
    skiff::Result<unsigned> run() {
        void* const input = api_.input(interpreter_, 0);
        std::memset(api_.data(input), 0, api_.bytes(input));
        if (api_.invoke(interpreter_) != 0) return Error{Code::internal, "invoke failed"};
        const void* const output = api_.output(interpreter_, 0);
        const auto* const bytes = static_cast<const unsigned char*>(api_.data(output));
        unsigned sum = 0;
        for (std::size_t i = 0; i < api_.bytes(output); ++i) sum += bytes[i];
        return sum;
    }
    const skiff::Version& version() const { return file_.version; }

 private:
    const TfLite& api_;
    skiff::ModelFile file_;
    void *model_ = nullptr, *options_ = nullptr, *interpreter_ = nullptr;
};

skiff::Status run(char** argument, bool swaps) {
    const TfLite api = SKIFF_TRY(TfLite::open(argument[1]));
    const auto client =
        SKIFF_TRY(skiff::Client::create({.urls = {argument[3]},
                                         .root = skiff::LocalModel::file(argument[4]),
                                         .data_dir = argument[2]}));
    const auto model = SKIFF_TRY(client.model("digits"));
    SKIFF_TRY(SKIFF_TRY(model.update({})).wait(std::chrono::seconds(60)));
    std::unique_ptr<Loaded> loaded;
    do {
        auto file = SKIFF_TRY(model.file());  // cheap while nothing changes
        if (!loaded || !(loaded->version() == file.version)) {
            loaded = std::make_unique<Loaded>(api, std::move(file));
            SKIFF_TRY(loaded->load());
            std::printf("%s\n", loaded->version().to_string().c_str());
            std::fflush(stdout);
        }
        skiff::Trace trace = model.trace();
        const auto sum = loaded->run();
        if (!sum.ok()) return trace.failure(sum.error().code), sum.error();
        trace.success();
        if (!swaps) std::printf("sum of the output's bytes: %u\n", *sum);
        if (swaps) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } while (swaps && !ends);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    const bool swaps = argc == 6 && std::strcmp(argv[5], "--swaps") == 0;
    if (argc != 5 && !swaps) return std::fputs("usage: see the head of main.cc\n", stderr), 2;
    std::signal(SIGTERM, [](int) { ends = 1; });
    const auto status = run(argv, swaps);
    if (!status.ok()) std::fprintf(stderr, "error: %s\n", status.error().message.c_str());
    return status.ok() ? 0 : 1;
}
