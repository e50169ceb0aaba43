#include "publish/project.h"

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "trust/layout.h"

namespace skiff::publish {

namespace {

constexpr std::int64_t newest_schema = 1;
constexpr const char* settings_file = "/skiff.json";

Result<std::string> real_path(const std::string& path) {
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) == nullptr)
        return error(Code::not_found, path + ": there is no such folder");
    return std::string(resolved);
}

std::string base_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

Status check_project_name(const std::string& name) {
    if (trust::is_plain_name(name)) return {};
    return error(Code::invalid_argument,
                 "\"" + name +
                     "\" is no project name: use 1 to 64 of A-Z, a-z, 0-9, '-', '_' and "
                     "'.', and begin with a letter or digit (give --name)");
}

trust::KeySet only(const trust::FileSigner& signer) {
    return {{signer.public_key()}, 1};
}

// The files of a new project; all of them or none.
class NewProject {
 public:
    explicit NewProject(const std::string& folder) : folder_(folder) {}

    Status check_free() const {
        const bool whole = file_exists(folder_ + settings_file);  // it is written last
        for (const char* entry : entries)
            if (file_exists(folder_ + entry))
                return error(Code::already_exists,
                             folder_ + entry + " is there already (choose another folder" +
                                 (whole ? ")"
                                        : "; if an init was broken off here, remove keys, tree, "
                                          "audit.jsonl and root.json)"));
        return {};
    }

    Result<std::string> write(std::int64_t now_s, const std::string& who) const {
        TRY(make_folders(folder_ + "/keys"));
        const auto root = trust::FileSigner::generate(), targets = trust::FileSigner::generate(),
                   models = trust::FileSigner::generate(), online = trust::FileSigner::generate();
        TRY(root->save(folder_ + "/keys/root.json"));
        TRY(targets->save(folder_ + "/keys/targets.json"));
        TRY(models->save(folder_ + "/keys/models.json"));
        TRY(online->save(folder_ + "/keys/online.json"));
        // Keys do not belong into anybody's version control.
        TRY(write_file_durably(folder_ + "/keys/.gitignore", as_bytes("*\n")));
        const auto home = folder_home(folder_ + "/tree", folder_ + "/audit.jsonl", who);
        StagedTree tree(*home);
        auto repository = TRY(trust::Repository::create(
            tree, {only(*root), only(*targets), only(*models), only(*online)}));
        TRY(repository.commit({root.get(), targets.get(), models.get(), online.get()}, now_s));
        TRY(home->take({0, tree.take_files(), {{"init", "", ""}}}));
        const std::string bytes = repository.root_file();
        TRY(write_file_durably(folder_ + "/root.json", as_bytes(bytes)));
        return bytes;
    }

    void remove() const {
        std::error_code ignored;
        for (const char* entry : entries) std::filesystem::remove_all(folder_ + entry, ignored);
    }

 private:
    static constexpr const char* entries[] = {settings_file, "/root.json", "/keys", "/tree",
                                              "/audit.jsonl"};
    const std::string& folder_;
};

struct KnownKey {
    const char* name;
    const char* signs;
    bool offline;
};
constexpr KnownKey known_keys[] = {
    {"root", "root: which keys count at all", true},
    {"targets", "targets: who may sign models and rulesets", true},
    {"models", "models: new models, versions, revocations", false},
    {"online", "rulesets, snapshot, timestamp: aliases, rollouts, freshness", false},
};

// What root.json says: of root, targets and online. That of models stands in targets.json.
std::string keyid_in(const trust::Root& root, const std::string& key) {
    const auto role = root.roles.find(key == "online" ? "timestamp" : key);
    if (role == root.roles.end() || role->second.keyids.empty()) return {};
    return *role->second.keyids.begin();
}

}  // namespace

KeyRing::KeyRing(std::vector<std::unique_ptr<trust::FileSigner>> keys) : keys_(std::move(keys)) {
    for (const auto& key : keys_) signers_.push_back(key.get());
}

Result<Project> Project::init(const std::string& folder, std::string name, std::int64_t now_s,
                              const std::string& who) {
    TRY(make_folders(folder));
    Project project;
    project.folder_ = TRY(real_path(folder));
    project.name_ = name.empty() ? base_name(project.folder_) : std::move(name);
    TRY(check_project_name(project.name_));
    project.home_.folder = "tree";
    const NewProject made(project.folder_);
    TRY(made.check_free());
    const auto write = [&]() -> Status {
        project.root_ = TRY(made.write(now_s, who));
        return project.write_settings();
    };
    const Status written = write();
    if (!written.ok()) made.remove();
    TRY(written);
    return project;
}

Result<Project> Project::open(const std::string& start) {
    std::string folder = TRY(real_path(start));
    while (!file_exists(folder + settings_file) && folder.size() > 1)
        folder.resize(std::max<std::size_t>(folder.rfind('/'), 1));
    const std::string file = folder + settings_file;
    if (!file_exists(file))
        return error(Code::not_found,
                     "no project " + (start == "." ? std::string("here") : "in " + start) +
                         ": no skiff.json in this folder or above (skiff init DIR makes one)");
    const Json json = TRY(parse_json(TRY(read_file(file, 1 << 20)), file));
    const std::int64_t schema = TRY(json_int(json, "schema", file));
    if (schema > newest_schema)
        return error(Code::incompatible, file + " has schema " + std::to_string(schema) +
                                             ", this skiff knows " + std::to_string(newest_schema) +
                                             " (update skiff)");
    Project project;
    project.folder_ = folder;
    project.name_ = TRY(json_string(json, "name", file));
    const Json& home = *TRY(json_object(json, "home", file));
    if (home.contains("context"))
        project.home_.context = TRY(json_string(home, "context", file));
    else
        project.home_.folder = TRY(json_string(home, "folder", file));
    project.root_ = TRY(read_file(folder + "/root.json", 1 << 20));
    return project;
}

HomePlace Project::home() const {
    if (home_.folder.empty() || home_.folder[0] == '/') return home_;
    return {folder_ + "/" + home_.folder, {}};
}

Status Project::set_home(const HomePlace& place) {
    HomePlace home = place;
    if (!home.folder.empty()) {
        home.folder = TRY(real_path(home.folder));
        if (home.folder.starts_with(folder_ + "/"))
            home.folder = home.folder.substr(folder_.size() + 1);
    }
    if (home == home_) return {};
    std::swap(home, home_);
    Status written = write_settings();
    if (!written.ok()) std::swap(home, home_);
    return written;
}

Status Project::write_settings() const {
    Json home =
        home_.context.empty() ? Json{{"folder", home_.folder}} : Json{{"context", home_.context}};
    const Json json = {{"schema", newest_schema}, {"name", name_}, {"home", std::move(home)}};
    return write_file_durably(folder_ + settings_file, as_bytes(json_text_pretty(json) + "\n"));
}

Result<std::vector<KeyFile>> Project::key_files() const {
    const std::string keys = folder_ + "/keys";
    std::vector<KeyFile> files;
    std::vector<std::string> others;
    if (file_exists(keys)) others = TRY(list_folder(keys));
    for (const KnownKey& known : known_keys) {
        const std::string file = std::string(known.name) + ".json";
        const bool here = std::erase(others, file) > 0;
        files.push_back(
            {known.name, keys + "/" + file, here, {}, known.signs, here && known.offline});
    }
    for (const std::string& file : others)
        if (file.ends_with(".json") && file[0] != '.')
            files.push_back({file.substr(0, file.size() - 5),
                             keys + "/" + file,
                             true,
                             {},
                             "roles that "
                             "were given to it"});
    const trust::Root root = TRY(trust::parse_root(root_, "root.json"));
    for (KeyFile& file : files) {
        file.here = file_exists(file.path);
        if (file.here)
            file.keyid = TRY(trust::FileSigner::load(file.path))->keyid();
        else
            file.keyid = keyid_in(root, file.name);
    }
    return files;
}

Result<KeyRing> Project::keys() const {
    std::vector<std::unique_ptr<trust::FileSigner>> keys;
    for (const KeyFile& file : TRY(key_files()))
        if (file.here) keys.push_back(TRY(trust::FileSigner::load(file.path)));
    return KeyRing(std::move(keys));
}

Status check_home_belongs(Home& home, const std::string& root, const std::string& project) {
    const auto first = home.read("metadata/1.root.json");
    if (!first.ok() && first.error().code == Code::not_found) return {};
    if (!first.ok()) return first.error();
    if (*first == root) return {};
    return error(Code::failed_precondition,
                 home.describe() + " belongs to another project than " + project +
                     ": its 1.root.json is another one (choose another --to or --context)");
}

}  // namespace skiff::publish
