// What signed metadata says about one model, in the form in which the store keeps it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "decide/version_record.h"
#include "trust/client.h"

namespace skiff::device {

struct PublishedFile {
    std::string name;  // in the version's folder: "3.tflite", "labels.txt"
    trust::TargetInfo target;
    const std::string& sha256() const { return target.hashes.at("sha256"); }
};

struct PublishedVersion {
    decide::VersionRecord record;
    PublishedFile main;
    std::map<std::string, PublishedFile> builds = {};  // by device class
    std::vector<PublishedFile> files = {};             // beside the main one

    // What a device of this class runs.
    const PublishedFile& main_for(const std::string& device_class) const;
};

struct Catalog {
    bool known = false;  // false: never read from metadata
    std::uint32_t minimum_version = 0;
    std::map<std::uint32_t, std::string> revoked = {};  // with the reason
    std::map<std::uint32_t, PublishedVersion> versions = {};
};

// From the role models.NAME, verified. Versions that no device can take (a file that nobody signed,
// a name that is no name) are left out with a line in the log: a publisher's slip in one version
// must not cost the others.
Catalog read_catalog(const trust::Targets& role, const std::string& model);

// The store's text. Code::data_loss for what is none.
std::string write_catalog_text(const Catalog& catalog);
Result<Catalog> read_catalog_text(const std::string& text);

}  // namespace skiff::device
