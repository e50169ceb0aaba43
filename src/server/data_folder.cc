#include "server/data_folder.h"

#include <algorithm>

#include "trust/layout.h"

namespace skiff::server {

Result<DataFolder> DataFolder::open(const std::string& path) {
    DataFolder folder(path);
    TRY(make_folders(path));
    const std::vector<std::string> names = TRY(list_folder(path));
    const auto has = [&](const char* name) {
        return std::ranges::find(names, name) != names.end();
    };
    if (has("skiff.json"))
        return error(Code::failed_precondition,
                     path +
                         " is a project's folder, made by skiff init (give the server a folder "
                         "of its own with --data)");
    if (!names.empty() && !has("server.db") && names != std::vector<std::string>{"server.lock"})
        return error(Code::failed_precondition,
                     path +
                         " is not empty and no server's data (give the server a new folder with "
                         "--data)");
    return folder;
}

Result<DataFolder> DataFolder::open_existing(const std::string& path) {
    if (!file_exists(DataFolder(path).database()))
        return error(Code::not_found, path + " is no server's data (skiff serve makes it)");
    return open(path);
}

Result<std::unique_ptr<FileLock>> DataFolder::lock() const {
    auto lock = FileLock::acquire(path_ + "/server.lock", false);
    if (!lock.ok() && lock.error().code == Code::unavailable)
        return error(Code::unavailable, path_ +
                                            " is in use by another skiff serve (stop that one, "
                                            "or give this one another --data)");
    return lock;
}

Status DataFolder::empty_uploads() const {
    TRY(make_folders(uploads()));
    for (const std::string& name : TRY(list_folder(uploads())))
        TRY(remove_file(uploads() + "/" + name));
    return {};
}

Result<std::vector<std::string>> DataFolder::projects() const {
    if (!file_exists(path_ + "/projects")) return std::vector<std::string>();
    std::vector<std::string> names = TRY(list_folder(path_ + "/projects"));
    std::erase_if(names, [](const std::string& name) { return !trust::is_plain_name(name); });
    return names;
}

}  // namespace skiff::server
