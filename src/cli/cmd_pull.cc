#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "cli/commands.h"
#include "cli/model_argument.h"
#include "cli/table.h"
#include "cli/workplace.h"
#include "trust/layout.h"

namespace skiff::cli {
namespace {

struct Options {
    WorkplaceOptions place;
    std::string reference, output, build;
    std::string lock_file = "skiff.lock";
    bool write_lock = false, locked = false;
};

bool is_folder(const std::string& path) {
    struct stat info;
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<Json> read_lock(const std::string& file) {
    Json json = TRY(parse_json(TRY(read_file(file, 1 << 20)), file));
    if (!json.is_object())
        return error(Code::invalid_argument, file + ": is no lock file (remove it)");
    return json;
}

// What the lock says instead of what the reference means today.
struct Locked {
    publish::Reference reference;
    std::string sha256;
};
Result<Locked> locked_reference(const Options& options) {
    if (!file_exists(options.lock_file))
        return error(Code::not_found, "there is no " + options.lock_file +
                                          " (make it: skiff pull " + options.reference +
                                          " --lock " + options.lock_file + ")");
    const Json lock = TRY(read_lock(options.lock_file));
    if (!lock.contains(options.reference))
        return error(Code::not_found, options.lock_file + " does not lock " + options.reference +
                                          " (skiff pull " + options.reference + " --lock " +
                                          options.lock_file + ")");
    const Json& entry = *TRY(json_object(lock, options.reference.c_str(), options.lock_file));
    const std::string model = TRY(publish::parse_reference(options.reference)).model;
    const std::int64_t number = TRY(json_int(entry, "version", options.lock_file));
    Locked locked;
    locked.reference = TRY(publish::parse_version_reference(model + ":" + std::to_string(number)));
    locked.sha256 = TRY(json_string(entry, "sha256", options.lock_file));
    return locked;
}

Result<Found> find_locked(const Options& options) {
    const Locked locked = TRY(locked_reference(options));
    const std::string name = locked.reference.model + ":" +
                             std::to_string(*locked.reference.version) + ", which " +
                             options.lock_file + " locks,";
    auto found = find_version(locked.reference, options.place);
    if (!found.ok() && found.error().code == Code::revoked) {
        const std::string& message = found.error().message;
        return error(Code::revoked, name + message.substr(message.find(" was revoked")));
    }
    if (!found.ok()) return found.take_error();
    if (found->version->sha256 != locked.sha256)
        return error(
            Code::hash_mismatch,
            name + " has other bytes than it says (is this the home that it was made of?)");
    return found;
}

// The main file, or the build of a class: its path, and how it is named here.
struct Wanted {
    std::string path, name, sha256;
    std::uint64_t bytes = 0;
};
Result<Wanted> wanted_of(const Found& found, const std::string& device_class) {
    const publish::VersionState& version = *found.version;
    if (device_class.empty())
        return Wanted{version.path, file_name_of(version), version.sha256, version.bytes};
    const auto build = version.record.builds.find(device_class);
    if (build == version.record.builds.end()) {
        std::vector<std::string> classes;
        for (const auto& [known, path] : version.record.builds) classes.push_back(known);
        return error(Code::not_found,
                     found.model.name + ":" + std::to_string(version.record.version) +
                         " has no build for " + device_class +
                         " (there is: " + (classes.empty() ? "none" : joined(classes, ", ")) + ")");
    }
    const std::string& path = build->second;
    const std::string bytes = TRY(publish::read_target(*found.repository, *found.tree, path));
    return Wanted{path, found.model.name + "-" + path.substr(path.rfind('/') + 1),
                  sha256_hex(as_bytes(bytes)), bytes.size()};
}

Status write_lock(const Options& options, const publish::VersionState& version) {
    Json lock = Json::object();
    if (file_exists(options.lock_file)) lock = TRY(read_lock(options.lock_file));
    lock[options.reference] = {{"version", version.record.version}, {"sha256", version.sha256}};
    return write_file_durably(options.lock_file, as_bytes(json_text_pretty(lock) + "\n"));
}

std::string in_folder(const std::string& folder, const std::string& name) {
    return folder + (folder.ends_with('/') ? "" : "/") + name;
}

Status copy_target(const Found& found, const std::string& path, const std::string& to) {
    const std::string bytes = TRY(publish::read_target(*found.repository, *found.tree, path));
    return write_file_durably(to, as_bytes(bytes));
}

Result<ExitCode> pull(const Session& session, const Options& options) {
    const Found found =
        options.locked
            ? TRY(find_locked(options))
            : TRY(find_version(TRY(publish::parse_reference(options.reference)), options.place));
    const Wanted wanted = TRY(wanted_of(found, options.build));
    const publish::VersionState& version = *found.version;
    // "out/" is a folder that may not be there yet.
    const bool into_folder = is_folder(options.output) || options.output.ends_with('/');
    if (into_folder) TRY(make_folders(options.output));
    std::vector<std::string> files = {options.output}, left;
    if (options.output.empty()) files[0] = wanted.name;
    if (into_folder) files[0] = in_folder(options.output, wanted.name);
    for (const decide::VersionFile& file : version.record.files) {
        if (!into_folder) {
            left.push_back(file.name);
            continue;
        }
        if (!trust::is_plain_name(file.name) || file.name == wanted.name)
            return error(Code::invalid_argument,
                         "the version has a file of the name \"" + file.name +
                             "\", which cannot be put beside it (get " + wanted.name +
                             " alone, "
                             "with -o FILE)");
        files.push_back(in_folder(options.output, file.name));
    }
    TRY(copy_target(found, wanted.path, files[0]));
    for (std::size_t i = 1; i < files.size(); ++i)
        TRY(copy_target(found, version.record.files[i - 1].path, files[i]));
    if (options.write_lock && !options.locked) TRY(write_lock(options, version));
    if (session.json())
        session.print_json({{"model", found.model.name},
                            {"version", version.record.version},
                            {"sha256", wanted.sha256},
                            {"bytes", wanted.bytes},
                            {"files", files},
                            {"files_left", left}});
    session.say(found.model.name + ":" + std::to_string(version.record.version) + " in " +
                joined(files, ", ") + ", " + human_bytes(wanted.bytes) + ", sha256 " +
                wanted.sha256.substr(0, 12));
    if (!left.empty())
        session.say("note: it has " + joined(left, ", ") + " too: skiff pull " + options.reference +
                    " -o FOLDER/ gets all of it");
    return exit_done;
}

}  // namespace

void add_pull(CLI::App& app, Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("pull", "Get the verified file of a version");
    verb->add_option("REF", options->reference, "NAME:VERSION, NAME@ALIAS or NAME@sha256:HEX")
        ->required();
    verb->add_option("-o", options->output,
                     "FILE, or FOLDER/ for all files of the version (default: NAME-VERSION.*)");
    verb->add_option("--build", options->build, "CLASS: what devices of this class get");
    CLI::Option* lock = verb->add_option("--lock", options->lock_file,
                                         "FILE: note there what this reference means today");
    verb->add_flag("--locked", options->locked,
                   "exactly what --lock noted (in FILE, else in skiff.lock)");
    add_home_options(*verb, options->place);
    verb->callback([&session, options, lock] {
        options->write_lock = lock->count() > 0;
        session.run([&] { return pull(session, *options); });
    });
}

}  // namespace skiff::cli
