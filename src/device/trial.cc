#include "device/trial.h"

#include "model/model.h"
#include "runtime/interpreter.h"
#include "runtime/io_signature.h"
#include "runtime/smoke.h"

namespace skiff::device {

namespace {

bool is_for_now(Code code) {
    return code == Code::resource_exhausted || code == Code::not_found ||
           code == Code::unavailable || code == Code::permission_denied;
}

Trial load_failed(Trial trial, const Error& e) {
    trial.reason = "does not load: " + e.message;
    trial.for_now = is_for_now(e.code);
    return trial;
}

Trial smoke_failed(Trial trial, const std::string& how) {
    trial.reason = "failed its smoke test" + how;
    trial.failed_as = telemetry::UpdateOutcome::smoke_failed;
    return trial;
}

}  // namespace

Trial try_version(const std::string& file, const PublishedVersion& version,
                  const PublishedFile& main) {
    Trial trial;
    trial.is_tflite = version.record.is_tflite && main.name.ends_with(".tflite");
    if (!trial.is_tflite) {
        trial.good = true;
        return trial;
    }
    const auto model = model::Model::load_file(file);
    if (!model.ok()) return load_failed(std::move(trial), model.error());
    trial.io_signature = runtime::io_signature(**model);
    // What the record says, it says of the main file; a build for a device class has other bytes.
    const bool is_main = main.target.path == version.main.target.path;
    const std::string& said = version.record.io_signature;
    if (is_main && !said.empty() && said != trial.io_signature) {
        trial.reason = "has other inputs or outputs than its record says";
        return trial;
    }
    auto interpreter = runtime::Interpreter::create(*model);
    if (!interpreter.ok()) return load_failed(std::move(trial), interpreter.error());
    if (Status prepared = (*interpreter)->prepare(); !prepared.ok())
        return load_failed(std::move(trial), prepared.error());
    if (is_main && version.record.smoke) {
        const auto digest = runtime::smoke_digest(**interpreter, version.record.smoke->seed);
        if (!digest.ok()) return smoke_failed(std::move(trial), ": " + digest.error().message);
        if (*digest != version.record.smoke->digest) return smoke_failed(std::move(trial), "");
    }
    trial.good = true;
    return trial;
}

}  // namespace skiff::device
