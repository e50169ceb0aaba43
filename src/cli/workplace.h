// What the delivery verbs share: the project's folder, its home, its keys.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "publish/change.h"
#include "publish/project.h"
#include "publish/registry.h"

namespace CLI {
class App;
}

namespace skiff::cli {

struct WorkplaceOptions {
    std::string folder = ".";       // -C: the project is here or above
    bool folder_given = false;      // then nothing else will do
    publish::HomePlace place = {};  // --to, --context; empty: the project's own
    bool dry_run = false;
};
void add_folder_option(CLI::App& verb, WorkplaceOptions& options);
void add_home_options(CLI::App& verb, WorkplaceOptions& options);  // -C too

// A project that changes are made to, at its home or at the one that was chosen. Lives in one
// place: publisher() refers into it.
class Workplace {
 public:
    // For changes: a project's folder is needed. With a chosen home the two are brought to one
    // state (not in a dry run, which reads the newer one).
    static Result<std::unique_ptr<Workplace>> open(const WorkplaceOptions& options);
    // For reading: outside a project's folder the current context serves as well, unless a folder
    // was given.
    static Result<std::unique_ptr<Workplace>> open_to_read(const WorkplaceOptions& options);

    publish::Publisher publisher() const;
    publish::Home& home() const { return *home_; }
    const std::optional<publish::Project>& project() const { return project_; }
    bool home_is_server() const { return !place_.context.empty(); }
    // Called while targets are sent to a server, whichever of the two homes is on one.
    void on_upload(const std::function<void(std::uint64_t sent, std::uint64_t total)>& listener);
    // After a publication: skiff.json names this home from now on, and a context that was logged in
    // to before anything was published there has its root.
    Status remember_home();

    // Where the publications of a home that is a folder are written down.
    std::string audit_file() const;

 private:
    Result<std::unique_ptr<publish::Home>> open_home(const publish::HomePlace& place) const;

    std::optional<publish::Project> project_;
    std::string root_, name_;  // of the project or the context
    publish::KeyRing keys_{{}};
    publish::HomePlace place_;
    bool dry_run_ = false;
    std::unique_ptr<publish::Home> real_home_, twin_, home_;
};

// A version that a reference names, with the repository that vouches for it.
struct Found {
    std::unique_ptr<Workplace> workplace;
    std::unique_ptr<publish::StagedTree> tree;
    std::unique_ptr<trust::Repository> repository;
    publish::ModelState model;
    const publish::VersionState* version;  // in model
};
Result<Found> find_version(const publish::Reference& reference, const WorkplaceOptions& options);

std::string user_at_host();  // for the audit

}  // namespace skiff::cli
