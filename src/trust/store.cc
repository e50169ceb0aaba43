#include "trust/store.h"

#include "base/files.h"
#include "base/hex.h"

namespace skiff::trust {

Result<std::string> FolderStore::read(const std::string& name) {
    return read_file(folder_ + "/" + name);
}

Status FolderStore::write(const std::string& name, std::string_view bytes) {
    TRY(make_folders(folder_));
    return write_file_durably(folder_ + "/" + name, as_bytes(bytes));
}

Status FolderStore::remove(const std::string& name) {
    return remove_file(folder_ + "/" + name);
}

}  // namespace skiff::trust
