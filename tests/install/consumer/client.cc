// The same as client.c through the C++ interface, with every kind of handle named once.
#include <skiff_embedded/digits.h>

#include <cstdio>

#include <skiff/skiff.h>

static skiff::Status run(const char* data_dir) {
    skiff::ClientOptions options;
    options.data_dir = data_dir;
    options.attributes = {{"app_version", "1.0"}};
    options.host.network = [] { return skiff::NetworkState{false, {}, "this test"}; };
    const auto client = SKIFF_TRY(skiff::Client::create(options));
    const auto model = SKIFF_TRY(client.model("digits", {.bundled = skiff::embedded::digits()}));
    auto interpreter = SKIFF_TRY(model.interpreter());
    SKIFF_TRY(interpreter.invoke());
    auto labeler = SKIFF_TRY(skiff::ImageLabeler::create(model));
    const auto file = SKIFF_TRY(model.file());
    skiff::Trace trace = model.trace();
    trace.success();
    model.record_outcome(interpreter.inference_id(), true);
    const skiff::RemoteModelManager manager(client);
    std::printf("%s, %zu downloaded: %s\n", interpreter.version().to_string().c_str(),
                manager.downloaded_models().size(), model.status().why.c_str());
    if (interpreter.version().number != 0 || file.path.empty() ||
        model.status().source != skiff::ModelStatus::bundled)
        return skiff::Error{skiff::Code::internal, "not the bundled model", false};
    return {};
}

int main(int argc, char** argv) {
    const auto status = argc == 2 ? run(argv[1]) : skiff::Status();
    if (!status.ok()) std::fprintf(stderr, "consumer: %s\n", status.error().message.c_str());
    return status.ok() && argc == 2 ? 0 : 1;
}
