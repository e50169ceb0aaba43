#include "publish/audit.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"

namespace skiff::publish {

namespace {

std::string line_of(const AuditEntry& entry) {
    const Json json = {{"when", entry.when},
                       {"who", entry.who},
                       {"version", entry.version},
                       {"what", entry.note.what},
                       {"subject", entry.note.subject},
                       {"why", entry.note.why}};
    return json_text(json) + "\n";
}

Error failed(const std::string& file, const char* doing) {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    return error(full ? Code::not_enough_space : Code::unavailable,
                 file + ": " + doing + " failed: " + std::strerror(errno));
}

Status write_at_end(int fd, const std::string& file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed(file, "writing");
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(fd) != 0) return failed(file, "syncing");
    return {};
}

}  // namespace

Result<std::uint64_t> append_audit(const std::string& file,
                                   const std::vector<AuditEntry>& entries) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return failed(file, "opening");
    const off_t size = ::lseek(fd, 0, SEEK_END);
    char last = '\n';
    std::string text;
    if (size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n') text = "\n";
    for (const AuditEntry& entry : entries) text += line_of(entry);
    const Status written = write_at_end(fd, file, text);
    if (!written.ok() && ::ftruncate(fd, size) != 0) {
        // A cut-off line stays; readers skip it.
    }
    ::close(fd);
    TRY(written);
    return static_cast<std::uint64_t>(size);
}

Status take_back_audit(const std::string& file, std::uint64_t size) {
    if (::truncate(file.c_str(), static_cast<off_t>(size)) != 0) return failed(file, "shortening");
    return {};
}

Result<std::vector<AuditEntry>> read_audit(const std::string& file) {
    std::vector<AuditEntry> entries;
    if (!file_exists(file)) return entries;
    const std::string text = TRY(read_file(file));
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const auto json = parse_json(rest.substr(0, end), file);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!json.ok() || !json->is_object()) continue;
        const auto member = [&](const char* key) {
            const auto at = json->find(key);
            return at != json->end() && at->is_string() ? at->get<std::string>() : std::string();
        };
        AuditEntry entry{member("when"), member("who")};
        if (json->contains("version") && (*json)["version"].is_number_integer())
            entry.version = (*json)["version"].get<std::int64_t>();
        entry.note = {member("what"), member("subject"), member("why")};
        entries.push_back(std::move(entry));
    }
    return entries;
}

Status check_plain_text(std::string_view text, std::string_view what) {
    const auto refuse = [&](const char* why) {
        return error(Code::invalid_argument, std::string(what) + ": " + why);
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
        // U+0080 to U+009F are control characters of two bytes.
        const bool second_set = byte(i) == 0xC2 && i + 1 < text.size() && byte(i + 1) < 0xA0;
        if (byte(i) < 0x20 || byte(i) == 0x7F || second_set)
            return refuse("write one line without control characters");
    }
    try {
        (void)Json(std::string(text)).dump();  // which is strict about UTF-8
    } catch (const Json::exception&) {
        return refuse("is no UTF-8 text");
    }
    return {};
}

}  // namespace skiff::publish
