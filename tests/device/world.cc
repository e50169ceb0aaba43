#include "tests/device/world.h"

#include <cstring>
#include <filesystem>

#include "base/hex.h"
#include "base/random.h"
#include "model/builder.h"
#include "model/builder_ops.h"
#include "runtime/interpreter.h"
#include "runtime/io_signature.h"
#include "runtime/smoke.h"
#include "trust/layout.h"

namespace skiff::device::testing {

namespace {

constexpr const char* prefix = "http://models.example/p/demo";

std::string new_folder() {
    // In memory where there is such a place: what is synced a hundred times a test need not be
    // slow. (That it is synced, strace would tell; that order matters, the crash tests do.)
    char memory[] = "/dev/shm/skiff-device-XXXXXX", disk[] = "/tmp/skiff-device-XXXXXX";
    const char* made = mkdtemp(memory);
    return made ? made : mkdtemp(disk);
}
void remove_folder(const std::string& folder) {
    (void)!system(("rm -rf " + folder).c_str());
}

}  // namespace

std::string multiplier(float factor, int inputs) {
    model::Builder builder;
    std::vector<std::uint8_t> constant(4);
    std::memcpy(constant.data(), &factor, 4);
    const int x = builder.add_tensor({"x", DType::float32, {inputs}});
    const int w = builder.add_tensor({"w", DType::float32, {1}, {}, {}, {}, 0, constant});
    const int y = builder.add_tensor({"y", DType::float32, {inputs}});
    builder.add_operator(model::ops::mul(x, w, y));
    builder.set_inputs({x});
    builder.set_outputs({y});
    const auto bytes = builder.write().value();
    return std::string(bytes.begin(), bytes.end());
}

// An empty project, made once: each test begins with a copy.
struct EmptyProject {
    std::string folder = new_folder(), root;
    ~EmptyProject() { remove_folder(folder); }
};

Project::Project(std::uint8_t first_key) : folder_(new_folder()) {
    for (std::uint8_t number = first_key; number < first_key + 4; ++number)
        keys_.push_back(trust::test_signer(number));
    static std::map<std::uint8_t, EmptyProject> made;
    EmptyProject& empty = made[first_key];
    if (empty.root.empty()) {
        const auto one = [&](int i) {
            return trust::KeySet{{keys_[static_cast<std::size_t>(i)]->public_key()}, 1};
        };
        trust::FolderTree tree(empty.folder);
        auto repository = trust::Repository::create(tree, {one(0), one(1), one(2), one(3)}).value();
        repository.commit(signers(), now_s()).value();
        empty.root = repository.root_file();
    }
    std::filesystem::copy(empty.folder, folder_, std::filesystem::copy_options::recursive);
    root_ = empty.root;
}

Project::~Project() {
    remove_folder(folder_);
}

trust::Signers Project::signers() const {
    return {keys_[0].get(), keys_[1].get(), keys_[2].get(), keys_[3].get()};
}

void Project::edit(const std::function<void(trust::Repository&)>& work) {
    trust::FolderTree tree(folder_);
    auto repository = trust::Repository::open(tree).value();
    work(repository);
    repository.commit(signers(), now_s()).value();
}

void Project::put(trust::Repository& repository, const std::string& path, const std::string& bytes,
                  const Json& custom) {
    trust::FolderTree tree(folder_);
    repository.set_target(path, trust::write_target(tree, path, as_bytes(bytes)).value(), custom)
        .value();
}

void Project::publish(const std::string& model, const NewVersion& version, bool as_default) {
    const std::string bytes =
        version.bytes.empty() ? multiplier(static_cast<float>(version.number)) : version.bytes;
    decide::VersionRecord record;
    record.model = model;
    record.version = version.number;
    record.is_tflite = version.extension == ".tflite";
    record.min_app = version.min_app;
    record.min_runtime = version.min_runtime;
    const auto loaded = model::Model::load_memory(as_bytes(bytes));
    if (record.is_tflite && loaded.ok()) {
        if (version.with_signature) record.io_signature = runtime::io_signature(**loaded);
        auto interpreter = runtime::Interpreter::create(*loaded).value();
        record.smoke = decide::SmokeTest{7, runtime::smoke_digest(*interpreter, 7).value()};
    }
    if (!version.smoke_digest.empty()) record.smoke = decide::SmokeTest{7, version.smoke_digest};
    edit([&](trust::Repository& repository) {
        for (const auto& [name, contents] : version.files) {
            const std::string path = decide::file_target(model, version.number, name);
            put(repository, path, contents, nullptr);
            record.files.push_back({name, path});
        }
        for (const auto& [device_class, build] : version.builds) {
            const std::string path =
                decide::build_target(model, version.number, device_class, version.extension);
            put(repository, path, build, nullptr);
            record.builds[device_class] = path;
        }
        put(repository, decide::main_target(model, version.number, version.extension), bytes,
            decide::write_version_record(record));
        if (as_default) put_default(repository, model, version.number);
    });
}

void Project::put_default(trust::Repository& repository, const std::string& model,
                          std::uint32_t number) {
    put_rules(repository, model, [&](Json before) {
        return before.is_null() ? decide::empty_model_ruleset(model, number)
                                : decide::set_default_version(before, model, number);
    });
}

void Project::put_rules(trust::Repository& repository, const std::string& model,
                        const std::function<Json(Json)>& change) {
    const std::string path = decide::ruleset_target(model);
    const auto role = repository.targets_role(trust::ruleset_role(path)).value();
    Json before;
    if (role.targets.contains(path)) before = Json::parse(read_file(file_of(path)).value());
    put(repository, path, json_text(change(before)), nullptr);
}

void Project::rules(const std::string& model, const std::function<Json(Json)>& change) {
    edit([&](trust::Repository& repository) { put_rules(repository, model, change); });
}

void Project::set_default(const std::string& model, std::uint32_t number) {
    edit([&](trust::Repository& repository) { put_default(repository, model, number); });
}

void Project::start_rollout(const std::string& model, std::uint32_t from, std::uint32_t to,
                            double percent, const std::string& id) {
    rules(model, [&](Json before) {
        return decide::start_rollout(before, model, {id, from, to, percent}).value();
    });
}

void Project::model_custom(const std::string& model, const Json& custom) {
    edit([&](trust::Repository& repository) {
        repository.set_custom(trust::model_role(model), custom).value();
    });
}

void Project::remove_version(const std::string& model, std::uint32_t number) {
    edit([&](trust::Repository& repository) {
        repository.remove_target(decide::main_target(model, number, ".tflite")).value();
    });
}

void Project::resign() {
    edit([&](trust::Repository& repository) {
        repository.resign_if_needed(signers(), now_s()).value();
    });
}

std::string Project::file_of(const std::string& target) {
    trust::FolderTree tree(folder_);
    const auto repository = trust::Repository::open(tree).value();
    const auto chain = trust::roles_for_target(target).value();
    const auto role = repository.targets_role(chain.back()).value();
    const std::size_t name = target.rfind('/') + 1;
    return folder_ + "/targets/" + target.substr(0, name) +
           role.targets.at(target).hashes.at("sha256") + "." + target.substr(name);
}

World::World() : data_(new_folder()) {
    power_->set(true, 100, true);
    network_->set(true, false);
    const auto serve = host::serve_folder(project_.folder(), prefix);
    http_ = std::make_shared<host::ScriptedHttp>(
        [this, serve](const host::HttpRequest& request) -> Result<Answer> {
            if (!reachable_)
                return retryable(Code::no_network, request.url + ": cannot be reached");
            if (instead_)
                if (auto answer = instead_(request)) return *answer;
            auto answer = serve(request);
            if (answer.ok()) body_bytes_ += answer->body.size();
            return answer;
        });
}

World::~World() {
    remove_folder(data_);
}

ClientOptions World::options() {
    ClientOptions options;
    options.urls = {prefix};
    options.root = project_.root();
    options.data_dir = data_;
    options.check_every = std::chrono::seconds(0);
    options.host = {project_.clock, http_, power_, network_};
    return options;
}

std::shared_ptr<Client> World::client(std::function<void(ClientOptions&)> change) {
    ClientOptions with = options();
    if (change) change(with);
    auto made = Client::create(std::move(with));
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    return made.ok() ? *made : nullptr;
}

ModelOptions World::free(std::string bundled) {
    ModelOptions options;
    options.conditions = {};
    if (!bundled.empty()) options.bundled = LocalModel{.path = std::move(bundled)};
    return options;
}

std::shared_ptr<Model> World::model(Client& client, const std::string& name, ModelOptions options) {
    auto made = client.model(name, std::move(options));
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    return made.ok() ? *made : nullptr;
}

float World::compute(Model& model) {
    auto engine = model.interpreter();
    EXPECT_TRUE(engine.ok()) << (engine.ok() ? "" : engine.error().message);
    if (!engine.ok()) return -1;
    const float x[2] = {1, 2};
    const MutableBytes input = (*engine)->input(0);
    std::memcpy(input.data(), x, std::min(input.size(), sizeof x));
    EXPECT_TRUE((*engine)->invoke().ok());
    float y = -1;
    std::memcpy(&y, (*engine)->output(0).data(), 4);
    return y;
}

std::string World::bundled_file(float factor) {
    const std::string path = project_.folder() + "/bundled.tflite";
    EXPECT_TRUE(write_file(path, as_bytes(multiplier(factor))).ok());
    return path;
}

std::vector<std::string> World::asked() {
    std::vector<std::string> urls;
    for (const host::HttpRequest& request : http_->requests())
        urls.push_back(request.url.substr(std::strlen(prefix)));
    http_->forget_requests();
    return urls;
}

}  // namespace skiff::device::testing
