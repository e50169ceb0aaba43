// A small published project for tests: models and rulesets signed with keys that never change.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace skiff::test {

// A folder as a web server would serve it, and root.json beside metadata/ for apps to pin. Signed
// at the wall clock of now. Every call publishes at once.
class SignedTree {
 public:
    // A new project, or the one that is there.
    explicit SignedTree(std::string folder);

    // A version of a model, with files that lie beside it. The first one becomes the default.
    using Files = std::vector<std::pair<std::string, std::string>>;  // name, contents
    void publish(const std::string& model, std::uint32_t number, const std::string& tflite,
                 const Files& files = {});
    // What devices run from now on.
    void set_default(const std::string& model, std::uint32_t number);

    std::string root_path() const { return folder_ + "/root.json"; }
    std::string url() const { return "file://" + folder_; }

 private:
    std::string folder_;
};

}  // namespace skiff::test
