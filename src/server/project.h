// One project on the server: its static tree, publications into it, what its metadata says.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "publish/home.h"
#include "server/ledger.h"
#include "trust/repository.h"

namespace skiff::server {

// What a published state says, read once per timestamp.
struct Published {
    std::int64_t version = 0;
    trust::RoleExpiry first_to_expire;  // of all roles
    std::int64_t timestamp_expires_s = 0;
    // Bytes of a version's main file, by model and number.
    std::map<std::pair<std::string, std::int64_t>, std::uint64_t> sizes;
};

// Any thread.
class Project {
 public:
    // `folder` need not exist: a project begins with its first target or publication.
    Project(std::string name, std::string folder, Ledger& ledger);

    const std::string& name() const { return name_; }
    std::string tree() const { return folder_ + "/tree"; }

    // The timestamp version; 0 when nothing was published.
    Result<std::int64_t> version();
    // Code::not_found when nothing was published.
    Result<std::shared_ptr<const Published>> published();

    // Whole or not at all, the audit included. Code::aborted when the version is another than the
    // publication was made on.
    Status publish(const publish::Publication& publication, const std::string& who,
                   std::int64_t now_s);
    // Ends what a crash left between files and audit.
    Status settle();

    struct Upkeep {
        bool has_key = false;  // online.json is there
        std::vector<std::string> signed_again;
    };
    // Signs again what is due, when the online key is here.
    Result<Upkeep> resign(std::int64_t now_s);

 private:
    Status settle_locked();
    Status check_order(const publish::Publication& publication) const;

    const std::string name_, folder_;
    Ledger& ledger_;
    const std::unique_ptr<publish::Home> home_;
    std::mutex publishing_;  // one publication or signing at a time
    std::mutex cache_mutex_;
    std::string cached_timestamp_;
    std::shared_ptr<const Published> cached_;
};

}  // namespace skiff::server
