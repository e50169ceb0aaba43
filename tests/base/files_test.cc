#include "base/files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/sha256.h"

namespace skiff {

class Files : public testing::Test {
 protected:
    void SetUp() override {
        char name[] = "/tmp/skiff-files-XXXXXX";
        folder_ = mkdtemp(name);
    }
    void TearDown() override { ASSERT_EQ(system(("rm -rf " + folder_).c_str()), 0); }
    std::string folder_;
};

TEST_F(Files, durable_write_replaces_whole_and_leaves_nothing_behind) {
    const std::string path = folder_ + "/f";
    ASSERT_TRUE(write_file_durably(path, as_bytes("one")).ok());
    ASSERT_TRUE(write_file_durably(path, as_bytes("two")).ok());
    EXPECT_EQ(*read_file(path), "two");
    EXPECT_EQ(list_folder(folder_)->size(), 1u);
    EXPECT_EQ(*file_size(path), 3u);
    EXPECT_EQ(*sha256_file_hex(path), sha256_hex(as_bytes("two")));
}

TEST_F(Files, failed_durable_write_keeps_the_old_file) {
    ASSERT_TRUE(make_folders(folder_ + "/a").ok());
    const Status status =
        write_file_durably(folder_ + "/a", as_bytes("x"));  // a folder is in the way
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(list_folder(folder_)->size(), 1u);
}

TEST_F(Files, errors_name_path_and_reason) {
    const auto result = read_file(folder_ + "/none");
    EXPECT_EQ(result.error().code, Code::not_found);
    EXPECT_EQ(result.error().message, folder_ + "/none: opening failed: No such file or directory");
    ASSERT_TRUE(write_file(folder_ + "/big", as_bytes("12345")).ok());
    EXPECT_EQ(read_file(folder_ + "/big", 4).error().code, Code::resource_exhausted);
    EXPECT_EQ(MappedFile::open(folder_).error().code, Code::invalid_argument);
    EXPECT_EQ(make_folders(folder_ + "/big/x").error().code, Code::not_found);
    EXPECT_EQ(write_file("/dev/full", as_bytes("x")).error().code, Code::not_enough_space);
}

TEST_F(Files, a_growing_file_goes_on_where_it_ended) {
    const std::string path = folder_ + "/f.part";
    {
        auto file = GrowingFile::open(path);
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE((*file)->append(as_bytes("one ")).ok());
    }
    auto file = GrowingFile::open(path).value();
    EXPECT_EQ(file->size(), 4u);
    ASSERT_TRUE(file->append(as_bytes("two")).ok());
    EXPECT_EQ(file->size(), 7u);
    EXPECT_EQ(*read_file(path), "one two");
    ASSERT_TRUE(file->truncate().ok());
    EXPECT_EQ(file->size(), 0u);
    ASSERT_TRUE(file->append(as_bytes("three")).ok());
    ASSERT_TRUE(file->finish_as(folder_ + "/f").ok());
    EXPECT_EQ(*read_file(folder_ + "/f"), "three");
    EXPECT_EQ(list_folder(folder_)->size(), 1u);
}

TEST_F(Files, a_growing_file_says_what_is_in_its_way) {
    EXPECT_EQ(GrowingFile::open(folder_ + "/none/f").error().code, Code::not_found);
    auto full = GrowingFile::open("/dev/full").value();
    EXPECT_EQ(full->append(as_bytes("x")).error().code, Code::not_enough_space);
    EXPECT_EQ(full->size(), 0u);
    auto file = GrowingFile::open(folder_ + "/f").value();
    EXPECT_EQ(file->finish_as(folder_ + "/none/f").error().code, Code::not_found);
}

TEST_F(Files, maps) {
    ASSERT_TRUE(write_file(folder_ + "/f", as_bytes("hello")).ok());
    ASSERT_TRUE(write_file(folder_ + "/empty", {}).ok());
    EXPECT_EQ(as_text((*MappedFile::open(folder_ + "/f"))->bytes()), "hello");
    EXPECT_TRUE((*MappedFile::open(folder_ + "/empty"))->bytes().empty());
}

TEST_F(Files, lock_excludes_and_is_let_go) {
    const std::string path = folder_ + "/lock";
    {
        const auto held = FileLock::acquire(path, true);
        ASSERT_TRUE(held.ok());
        const auto second = FileLock::acquire(path, false);
        ASSERT_FALSE(second.ok());
        EXPECT_TRUE(second.error().retry);
    }
    EXPECT_TRUE(FileLock::acquire(path, false).ok());
}

TEST_F(Files, folders_with_parents) {
    EXPECT_TRUE(make_folders(folder_ + "/a/b/c").ok());
    EXPECT_TRUE(make_folders(folder_ + "/a/b/c").ok());
    EXPECT_TRUE(make_folders(folder_ + "/a/b/").ok());
    EXPECT_TRUE(file_exists(folder_ + "/a/b/c"));
}

}  // namespace skiff
