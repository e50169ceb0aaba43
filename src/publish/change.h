// Changing a home: read it, edit, sign, hand over; again when somebody else was faster.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "publish/home.h"
#include "trust/repository.h"

namespace skiff::publish {

// Who changes what. The home outlives it; one thread.
struct Publisher {
    Home& home;
    std::string root;  // 1.root.json as the project pins it: what its home must begin with
    std::string project;
    trust::Signers signers;
    std::int64_t now_s = 0;
    Home* twin = nullptr;  // where the project was published last: change() first brings the two
                           // homes to one state
    // For how long a change is tried again when others are faster.
    std::chrono::milliseconds patience = std::chrono::seconds(30);
};

// Edits the repository and puts targets into the tree; gives what the audit shall say. Called
// again, with the home as it is then, when somebody else published meanwhile. An edit that changes
// nothing publishes nothing.
using Edit =
    std::function<Result<std::vector<AuditNote>>(trust::Repository& repository, StagedTree& tree)>;

struct Changed {
    std::int64_t version = 0;             // of the home now
    std::vector<std::string> resigned;    // roles that were due and were signed again on the way
    std::vector<std::string> not_signed;  // due, but their keys are not here; one line each
    std::vector<std::string> warnings;    // one line each: what expires and which key signs it
};

// Again, after pauses, as long as others are faster; after `patience` Code::aborted.
// Code::failed_precondition when a key is not here. After an error the home is as it was.
Result<Changed> change(const Publisher& publisher, const Edit& edit);

// Signs again what is due. `sign`'s audit note is written when something was.
Result<Changed> sign_what_is_due(const Publisher& publisher);

// Reads a home and verifies it all.
Result<trust::Repository> open_home(const Publisher& publisher, StagedTree& tree);

// What needs somebody's hand: offline roles that expire within 60 days, online ones that expire
// within a third of their life. Each one line.
std::vector<std::string> expiry_warnings(const trust::Repository& repository, std::int64_t now_s);

// The lower one of the two (by version; 0 is empty) receives what the other has: targets, then
// metadata. Code::failed_precondition when both belong to other projects or were published to
// separately.
Status bring_to_one_state(const Publisher& publisher, Home& other);

// A home for --dry-run: reads what `home` has, takes everything and keeps nothing.
std::unique_ptr<Home> dry_home(Home& home);

}  // namespace skiff::publish
