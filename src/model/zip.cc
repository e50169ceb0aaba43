#include "model/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/hex.h"
#include "model/errors.h"

namespace skiff::model {

namespace {

// Layout of the three records (little-endian), from the format's public description.
constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50,
                        end_signature = 0x06054b50;
constexpr std::size_t local_bytes = 30, central_bytes = 46, end_bytes = 22;
constexpr std::uint16_t stored = 0, deflated = 8, flag_encrypted = 1;

std::uint32_t get(Bytes bytes, std::size_t at, int size) {
    std::uint32_t value = 0;
    for (int i = 0; i < size; ++i)
        value |= std::uint32_t{bytes[at + static_cast<std::size_t>(i)]} << (8 * i);
    return value;
}

Error broken_zip(std::string_view what) {
    return error(Code::invalid_argument, "the zip of files behind the model: " + std::string(what) +
                                             " (add the metadata to the model again)");
}

// Where the end record starts: the last place whose comment reaches exactly to the end of the file.
std::optional<std::size_t> find_end(Bytes file) {
    if (file.size() < end_bytes) return std::nullopt;
    const std::size_t last = file.size() - end_bytes;
    const std::size_t first = last - std::min<std::size_t>(last, 0xffff);
    for (std::size_t at = last + 1; at-- > first;)
        if (get(file, at, 4) == end_signature && get(file, at + 20, 2) == last - at) return at;
    return std::nullopt;
}

Result<std::string> inflate_raw(Bytes compressed, std::size_t size, const std::string& name) {
    // Deflate cannot do better than 1:1032, so a larger claim is a lie that would cost memory.
    if (size / 1032 > compressed.size())
        return broken_zip(name + " claims more bytes than it can hold");
    std::string content(size, '\0');
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return error(Code::resource_exhausted, "zlib could not start (free some memory)");
    stream.next_in = const_cast<Bytef*>(compressed.data());
    stream.avail_in = static_cast<uInt>(compressed.size());
    stream.next_out = reinterpret_cast<Bytef*>(content.data());
    stream.avail_out = static_cast<uInt>(content.size());
    const int outcome = inflate(&stream, Z_FINISH);
    const bool whole = outcome == Z_STREAM_END && stream.total_out == size;
    inflateEnd(&stream);
    if (!whole) return broken_zip(name + " does not unpack to the size it claims");
    return content;
}

}  // namespace

Result<ZipArchive> ZipArchive::open(Bytes file) {
    ZipArchive archive;
    archive.file_ = file;
    const std::optional<std::size_t> end = find_end(file);
    if (!end) return archive;
    const std::uint32_t count = get(file, *end + 10, 2);
    const std::size_t size = get(file, *end + 12, 4), offset = get(file, *end + 16, 4);
    if (size > *end || offset > *end - size) return broken_zip("its directory is out of the file");
    // Archives made apart and then appended count from their own start.
    const std::size_t shift = *end - size - offset;
    std::size_t at = *end - size;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (*end - at < central_bytes || get(file, at, 4) != central_signature)
            return broken_zip("its directory is broken");
        const std::size_t name = get(file, at + 28, 2);
        const std::size_t rest = get(file, at + 30, 2) + get(file, at + 32, 2);
        if (*end - at - central_bytes < name + rest) return broken_zip("its directory is cut off");
        Entry entry{};
        entry.flags = static_cast<std::uint16_t>(get(file, at + 8, 2));
        entry.method = static_cast<std::uint16_t>(get(file, at + 10, 2));
        entry.crc = get(file, at + 16, 4);
        entry.compressed_size = get(file, at + 20, 4);
        entry.size = get(file, at + 24, 4);
        entry.header_at = get(file, at + 42, 4) + shift;
        entry.name = as_text(file.subspan(at + central_bytes, name));
        archive.entries_.push_back(entry);
        at += central_bytes + name + rest;
    }
    return archive;
}

std::vector<std::string> ZipArchive::names() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) names.emplace_back(entry.name);
    return names;
}

const ZipArchive::Entry* ZipArchive::find(std::string_view name) const {
    for (const Entry& entry : entries_)
        if (entry.name == name) return &entry;
    return nullptr;
}

Result<Bytes> ZipArchive::stored_bytes(const Entry& entry) const {
    const std::string name = quoted(entry.name);
    const std::size_t size = file_.size(), at = entry.header_at;
    if (size < local_bytes || at > size - local_bytes || get(file_, at, 4) != local_signature)
        return broken_zip(name + " is not where the directory says");
    const std::size_t data = at + local_bytes + get(file_, at + 26, 2) + get(file_, at + 28, 2);
    if (data > size || entry.compressed_size > size - data) return broken_zip(name + " is cut off");
    return file_.subspan(data, entry.compressed_size);
}

Result<std::string> ZipArchive::read(std::string_view name) const {
    const Entry* entry = find(name);
    if (!entry)
        return error(Code::not_found, "no file " + quoted(name) +
                                          " in the zip behind the model (add the metadata to the "
                                          "model again)");
    const std::string shown = quoted(name);
    if (entry->flags & flag_encrypted) return broken_zip(shown + " is encrypted");
    if (entry->size > largest_file_bytes)
        return broken_zip(shown + " claims " + std::to_string(entry->size) +
                          " bytes; the limit is " + std::to_string(largest_file_bytes));
    const Bytes packed = TRY(stored_bytes(*entry));
    std::string content;
    if (entry->method == deflated) {
        content = TRY(inflate_raw(packed, entry->size, shown));
    } else if (entry->method == stored && packed.size() == entry->size) {
        content = as_text(packed);
    } else {
        return broken_zip(shown + " is packed in a way other than stored or deflated");
    }
    if (crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()) != entry->crc)
        return broken_zip(shown + " has a wrong checksum");
    return content;
}

namespace {

class Output {
 public:
    void put(std::uint32_t value, int size) {
        for (int i = 0; i < size; ++i)
            bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    void put(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
    std::size_t size() const { return bytes_.size(); }
    std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
    std::vector<std::uint8_t> bytes_;
};

// The fields that a file's local and central records share, from "version needed" to the two
// lengths.
void put_description(Output& out, const ZipFile& file) {
    constexpr std::uint32_t first_of_january_1980 = 0x21;
    const std::uint32_t crc = static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(file.content.data()), file.content.size()));
    const auto size = static_cast<std::uint32_t>(file.content.size());
    out.put(20, 2);
    out.put(0, 2);
    out.put(stored, 2);
    out.put(0, 2);
    out.put(first_of_january_1980, 2);
    out.put(crc, 4);
    out.put(size, 4);
    out.put(size, 4);
    out.put(static_cast<std::uint32_t>(file.name.size()), 2);
    out.put(0, 2);
}

}  // namespace

std::vector<std::uint8_t> write_zip(const std::vector<ZipFile>& files,
                                    std::size_t preceding_bytes) {
    Output out;
    std::vector<std::uint32_t> offsets;
    for (const ZipFile& file : files) {
        offsets.push_back(static_cast<std::uint32_t>(preceding_bytes + out.size()));
        out.put(local_signature, 4);
        put_description(out, file);
        out.put(file.name);
        out.put(file.content);
    }
    const std::size_t directory = out.size();
    for (std::size_t i = 0; i < files.size(); ++i) {
        out.put(central_signature, 4);
        out.put(20, 2);
        put_description(out, files[i]);
        out.put(0, 2 + 2);  // comment, disk
        out.put(0, 2);      // attributes
        out.put(0, 4);
        out.put(offsets[i], 4);
        out.put(files[i].name);
    }
    const auto directory_bytes = static_cast<std::uint32_t>(out.size() - directory);
    const auto count = static_cast<std::uint32_t>(files.size());
    out.put(end_signature, 4);
    out.put(0, 2 + 2);
    out.put(count, 2);
    out.put(count, 2);
    out.put(directory_bytes, 4);
    out.put(static_cast<std::uint32_t>(preceding_bytes + directory), 4);
    out.put(0, 2);
    return out.take();
}

}  // namespace skiff::model
