#include "model/zip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace skiff::model {
namespace {

using File = std::vector<std::uint8_t>;

File with_zip(const std::vector<ZipFile>& files, std::size_t preceding = 100) {
    File file(preceding, 0xAB);
    const File zip = write_zip(files, preceding);
    file.insert(file.end(), zip.begin(), zip.end());
    return file;
}

void set(File& file, std::size_t at, std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) file.at(at + i) = static_cast<std::uint8_t>(value >> (8 * i));
}

// One deflated file "a", where the zip starts at 0: local header, data, central record, end record.
struct Deflated {
    File file;
    std::size_t central;
};
Deflated deflated(const std::string& content, std::uint32_t claimed_size) {
    std::vector<Bytef> packed(compressBound(content.size()) + 16);
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    const auto crc = static_cast<std::uint32_t>(crc32(
        0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
    Deflated zip{write_zip({{"a", std::string(packed.begin(), packed.end())}}, 0), 0};
    zip.central = 30 + 1 + packed.size();
    set(zip.file, zip.central + 10, 8, 2);
    set(zip.file, zip.central + 16, crc, 4);
    set(zip.file, zip.central + 24, claimed_size, 4);
    return zip;
}

std::string read_error(const File& file, std::string_view name) {
    const auto zip = ZipArchive::open(file);
    if (!zip.ok()) return zip.error().message;
    const auto content = zip->read(name);
    return content.ok() ? "" : content.error().message;
}

TEST(Zip, WhatIsWrittenIsRead) {
    const File file =
        with_zip({{"a.txt", "one"}, {"empty", ""}, {"b/c.txt", std::string(70000, 'x')}});
    const auto zip = ZipArchive::open(file);
    ASSERT_TRUE(zip.ok()) << zip.error().message;
    EXPECT_EQ(zip->names(), (std::vector<std::string>{"a.txt", "empty", "b/c.txt"}));
    EXPECT_EQ(zip->read("a.txt").value(), "one");
    EXPECT_EQ(zip->read("empty").value(), "");
    EXPECT_EQ(zip->read("b/c.txt").value(), std::string(70000, 'x'));
    EXPECT_EQ(zip->read("d").error().code, Code::not_found);
}

TEST(Zip, OffsetsFromItsOwnStart) {
    File file(1000, 0);
    const File zip = write_zip({{"a", "content"}}, 0);
    file.insert(file.end(), zip.begin(), zip.end());
    EXPECT_EQ(ZipArchive::open(file).value().read("a").value(), "content");
}

TEST(Zip, NoneIsNoError) {
    for (const std::size_t size : {0, 1, 21, 22, 70000})
        EXPECT_TRUE(ZipArchive::open(File(size, 0x50)).value().names().empty());
}

TEST(Zip, Deflated) {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "label " + std::to_string(i) + "\n";
    const Deflated zip = deflated(text, static_cast<std::uint32_t>(text.size()));
    EXPECT_EQ(ZipArchive::open(zip.file).value().read("a").value(), text);
}

TEST(Zip, SizesThatLie) {
    const std::string text(50000, 'x');
    EXPECT_NE(read_error(deflated(text, 49999).file, "a").find("does not unpack to the size"),
              std::string::npos);
    EXPECT_NE(read_error(deflated(text, 50001).file, "a").find("does not unpack to the size"),
              std::string::npos);
    EXPECT_NE(read_error(deflated(text, 60 << 20).file, "a").find("more bytes than it can hold"),
              std::string::npos);
    EXPECT_NE(read_error(deflated(text, 65 << 20).file, "a").find("the limit is 67108864"),
              std::string::npos);
}

TEST(Zip, Broken) {
    const File good = write_zip({{"a", "content"}}, 0);
    const std::size_t central = 30 + 1 + 7, end = central + 46 + 1;
    const struct {
        const char* message;
        std::size_t at;
        std::uint32_t value;
        int size;
    } cases[] = {
        {"wrong checksum", 31, 'X', 1},
        {"is encrypted", central + 8, 1, 2},
        {"other than stored or deflated", central + 10, 12, 2},
        {"other than stored or deflated", central + 24, 6, 4},
        {"is cut off", central + 20, 1000, 4},
        {"not where the directory says", central + 42, 5, 4},
        {"not where the directory says", central + 42, 0xffffffff, 4},
        {"directory is broken", central, 0, 4},
        {"directory is cut off", central + 28, 500, 2},
        {"directory is broken", end + 10, 2, 2},
        {"directory is out of the file", end + 12, 1000, 4},
        {"directory is out of the file", end + 16, 1000, 4},
    };
    for (const auto& c : cases) {
        File file = good;
        set(file, c.at, c.value, c.size);
        const std::string message = read_error(file, "a");
        EXPECT_NE(message.find(c.message), std::string::npos) << c.message << " / " << message;
    }
}

}  // namespace
}  // namespace skiff::model
