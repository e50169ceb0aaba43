// The folder of a project (docs/formats/project.md): skiff.json, the pinned root, keys.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "publish/home.h"
#include "trust/repository.h"

namespace skiff::publish {

// Where a home is: exactly one of the two is set.
struct HomePlace {
    std::string folder;   // a path
    std::string context;  // a name that `skiff login` gave to a project on a server

    friend bool operator==(const HomePlace&, const HomePlace&) = default;
};

// One of the keys that a project has, whether or not it is on this machine.
struct KeyFile {
    std::string name;  // "root", "targets", "models", "online", or what else lies in keys/
    std::string path;  // where it is, or would be
    bool here = false;
    std::string keyid = {};     // of an absent one as root.json says; empty when that does not
    std::string signs = {};     // "the keys of targets, snapshot and timestamp, and of itself"
    bool should_leave = false;  // an offline key that is still on this machine
};

// Signers of the keys that are here, and the list that trust::Repository takes.
class KeyRing {
 public:
    explicit KeyRing(std::vector<std::unique_ptr<trust::FileSigner>> keys);
    const trust::Signers& signers() const { return signers_; }

 private:
    std::vector<std::unique_ptr<trust::FileSigner>> keys_;
    trust::Signers signers_;
};

// Immutable but for set_home(). One thread.
class Project {
 public:
    // Makes the folder with new keys and a first tree that holds an empty repository. An empty name
    // is the folder's. Code::already_exists when there is a project, keys or a tree; after an error
    // nothing new is there.
    static Result<Project> init(const std::string& folder, std::string name, std::int64_t now_s,
                                const std::string& who);
    // The nearest skiff.json from `folder` upwards. Code::not_found, incompatible (a newer
    // skiff's).
    static Result<Project> open(const std::string& folder);

    const std::string& folder() const { return folder_; }
    const std::string& name() const { return name_; }
    const std::string& root() const { return root_; }  // bytes: what apps pin
    std::string audit_file() const { return folder_ + "/audit.jsonl"; }

    // The home of the last publication; a folder as a path that can be opened from here.
    HomePlace home() const;
    // Written to skiff.json when it is another; a folder below the project's relative to it.
    Status set_home(const HomePlace& place);

    // The four keys of every project, then others that lie in keys/. Reads the key files.
    Result<std::vector<KeyFile>> key_files() const;
    Result<KeyRing> keys() const;

 private:
    Project() = default;
    Status write_settings() const;

    std::string folder_, name_, root_;
    HomePlace home_;  // as in skiff.json
};

// Code::failed_precondition when the home has another 1.root.json than the project; an empty home
// is anybody's.
Status check_home_belongs(Home& home, const std::string& root, const std::string& project);

}  // namespace skiff::publish
