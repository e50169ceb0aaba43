#include "trust/tree.h"

#include "base/files.h"

namespace skiff::trust {

Result<std::string> FolderTree::read(const std::string& path) {
    return read_file(root_ + "/" + path);
}

bool FolderTree::exists(const std::string& path) {
    return file_exists(root_ + "/" + path);
}

Status FolderTree::write(const std::string& path, Bytes bytes) {
    const std::string file = root_ + "/" + path;
    const std::string folder = file.substr(0, file.rfind('/'));
    if (!file_exists(folder)) {
        TRY(make_folders(folder));
        // A new folder is only there after a power cut when the one that holds it was synced.
        for (std::size_t end = folder.size(); end > root_.size(); end = folder.rfind('/', end - 1))
            TRY(sync_folder(folder.substr(0, folder.rfind('/', end - 1))));
    }
    return write_file_durably(file, bytes);
}

}  // namespace skiff::trust
