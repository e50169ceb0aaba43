// Brings one model to the version that the rules give this device: waiting -> downloading ->
// verifying -> trying -> active. Each step is in the store before it begins, and all of them may be
// repeated, so an update goes on wherever a process died.
#pragma once

#include <string>

#include "base/function_ref.h"
#include "device/choice.h"
#include "device/core.h"

namespace skiff::device {

struct UpdateRequest {
    std::string model;
    DownloadConditions conditions;
    std::string io_signature = {};  // as in ChoiceContext
    bool has_bundled = false;
};

// Told of every step and, while bytes come, several times a second; an error from it ends the
// update with that error, to be gone on with later.
using ProgressSink = FunctionRef<Status(const Progress&)>;

// Under the update lock; asks no metadata. Ok: the wanted version is active, or there is nothing
// that this device could do. Errors: conditions_unmet (retry): the conditions keep it back, `why`
// is the message; incompatible: the wanted version is bad; those of download_target and Store.
Status update(Core& core, const UpdateRequest& request, ProgressSink sink);

// The context of decisions of this client.
ChoiceContext choice_context(const Core& core, const Json& attributes, const std::string& model,
                             const std::string& io_signature, bool has_bundled);

}  // namespace skiff::device
