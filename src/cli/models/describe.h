// Models and versions as tables, JSON and sentences.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "cli/table.h"
#include "publish/change.h"
#include "publish/model_edits.h"
#include "publish/registry.h"

namespace skiff::cli {

// CSV has sizes as plain numbers of bytes.
Table models_table(const std::vector<publish::ModelState>& models, Format format);
Table versions_table(const publish::ModelState& model, Format format);
Table version_table(const publish::ModelState& model, const publish::VersionState& version,
                    Format format);
// Control characters as \xNN: what others wrote may not drive the terminal.
std::string visible(const std::string& text);
OrderedJson model_json(const publish::ModelState& model);
OrderedJson version_json(const publish::ModelState& model, const publish::VersionState& version);

// "rollout-3: digits:2 -> digits:3 at 10 %"; empty when none runs.
std::string rollout_text(const publish::ModelState& model);
// "default digits:2, rollout-3: ..., next version 4"
std::string standing_of(const publish::ModelState& model);
std::string revoked_line(const std::string& reference, const std::string& model,
                         const publish::Revoked& revoked);
std::string percent_text(double percent);  // "12.5 %"

// What a change did: `json` with the home's version and warnings, or `line` and the warnings.
void say_changed(const Session& session, const publish::Changed& changed, const std::string& line,
                 OrderedJson json);

}  // namespace skiff::cli
