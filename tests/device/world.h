// A published project on disk, and devices that use it: everything scripted but SQLite and files.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "decide/rollout.h"
#include "decide/version_record.h"
#include "device/client.h"
#include "host/scripted/scripted.h"
#include "tests/trust/support.h"

namespace skiff::device::testing {

using Answer = host::ScriptedHttp::Answer;
constexpr auto soon = std::chrono::seconds(20);

// A model that gives factor * x for two floats x.
std::string multiplier(float factor, int inputs = 2);

struct NewVersion {
    std::uint32_t number = 1;
    std::string bytes = {};  // empty: multiplier(number)
    std::string extension = ".tflite";
    std::string min_app = {};
    int min_runtime = 0;
    std::string smoke_digest = {};                   // of seed 7; empty: the right one
    std::map<std::string, std::string> files = {};   // name -> contents
    std::map<std::string, std::string> builds = {};  // device class -> bytes
    bool with_signature = true;
};

class Project {
 public:
    explicit Project(std::uint8_t first_key = 1);
    ~Project();
    Project(const Project&) = delete;
    Project& operator=(const Project&) = delete;

    void publish(const std::string& model, const NewVersion& version, bool as_default = true);
    // Changes the ruleset of a model; null makes a new one.
    void rules(const std::string& model, const std::function<Json(Json)>& edit);
    void set_default(const std::string& model, std::uint32_t number);
    void start_rollout(const std::string& model, std::uint32_t from, std::uint32_t to,
                       double percent, const std::string& id = "rollout-1");
    void model_custom(const std::string& model, const Json& custom);
    void remove_version(const std::string& model, std::uint32_t number);
    void resign();

    const std::string& folder() const { return folder_; }  // holds metadata/ and targets/
    const std::string& root() const { return root_; }
    std::shared_ptr<host::ScriptedClock> clock =
        std::make_shared<host::ScriptedClock>(trust::start_s * 1000);
    // The file of a target under targets/, by its path.
    std::string file_of(const std::string& target);

 private:
    void edit(const std::function<void(trust::Repository&)>& work);
    void put_rules(trust::Repository& repository, const std::string& model,
                   const std::function<Json(Json)>& change);
    void put_default(trust::Repository& repository, const std::string& model, std::uint32_t number);
    void put(trust::Repository& repository, const std::string& path, const std::string& bytes,
             const Json& custom);
    std::int64_t now_s() { return clock->unix_ms() / 1000; }
    trust::Signers signers() const;

    std::string folder_, root_;
    std::vector<std::unique_ptr<trust::FileSigner>> keys_;
};

// One store and whoever uses it.
class World : public ::testing::Test {
 protected:
    World();
    ~World() override;

    ClientOptions options();
    std::shared_ptr<Client> client(std::function<void(ClientOptions&)> change = {});
    // With conditions that hold nothing back.
    static ModelOptions free(std::string bundled = {});
    static std::shared_ptr<Model> model(Client& client, const std::string& name = "digits",
                                        ModelOptions options = free());
    // What the model makes of {1, 2}, from its first output.
    static float compute(Model& model);
    std::string bundled_file(float factor = 100);  // multiplier(factor) as a file
    std::vector<std::string> asked();              // URLs since the last call, without the prefix
    std::uint64_t body_bytes_ = 0;                 // served since it was set to 0

    Project project_;
    std::string data_;
    std::shared_ptr<host::ScriptedPower> power_ = std::make_shared<host::ScriptedPower>();
    std::shared_ptr<host::ScriptedNetwork> network_ = std::make_shared<host::ScriptedNetwork>();
    bool reachable_ = true;
    std::function<std::optional<Result<Answer>>(const host::HttpRequest&)> instead_;
    std::shared_ptr<host::ScriptedHttp> http_;
};

}  // namespace skiff::device::testing
