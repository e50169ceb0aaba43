#include "sqlite/database.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/files.h"
#include "base/hex.h"

namespace skiff::sqlite {

namespace {

constexpr const char* first[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, data BLOB) STRICT"};
constexpr const char* second[] = {first[0],
                                  "ALTER TABLE t ADD COLUMN size INTEGER NOT NULL DEFAULT 7"};
constexpr const char* broken[] = {first[0], second[1], "CREATE TABLE u(x); NOT SQL"};

class DatabaseTest : public testing::Test {
 protected:
    void SetUp() override {
        char name[] = "/tmp/skiff-sqlite-XXXXXX";
        folder_ = mkdtemp(name);
        path_ = folder_ + "/d.db";
    }
    void TearDown() override { ASSERT_EQ(system(("rm -rf " + folder_).c_str()), 0); }
    std::unique_ptr<Database> open(Migrations migrations = first) {
        auto database = Database::open(path_, migrations);
        EXPECT_TRUE(database.ok()) << (database.ok() ? "" : database.error().message);
        return std::move(database).value();
    }
    static Status insert(Database& database, std::string_view name) {
        Statement statement = TRY(database.prepare("INSERT INTO t(name, data) VALUES(?1, ?2)"));
        return statement.bind(1, name).bind_blob(2, as_bytes("\x01\x02")).run();
    }
    static std::int64_t count(Database& database) {
        Statement statement = database.prepare("SELECT count(*) FROM t").value();
        EXPECT_TRUE(*statement.step());
        return statement.integer(0);
    }
    std::string folder_, path_;
};

}  // namespace

TEST_F(DatabaseTest, values_both_ways) {
    const auto database = open();
    ASSERT_TRUE(insert(*database, "a\"b").ok());
    Statement query =
        database->prepare("SELECT id, name, data, NULL, 1.5 FROM t WHERE name = ?1").value();
    ASSERT_TRUE(*query.bind(1, std::string_view("a\"b")).step());
    EXPECT_EQ(query.integer(0), database->last_insert_id());
    EXPECT_EQ(query.text(1), "a\"b");
    EXPECT_EQ(query.blob(2), "\x01\x02");
    EXPECT_TRUE(query.is_null(3));
    EXPECT_EQ(query.real(4), 1.5);
    EXPECT_FALSE(*query.step());
}

TEST_F(DatabaseTest, failed_transaction_leaves_nothing) {
    const auto database = open();
    const Status status = database->transaction([&]() -> Status {
        TRY(insert(*database, "a"));
        return insert(*database, "a");
    });
    EXPECT_EQ(status.error().code, Code::already_exists);
    EXPECT_EQ(count(*database), 0);
    EXPECT_TRUE(database->transaction([&] { return insert(*database, "a"); }).ok());
    EXPECT_EQ(count(*database), 1);
}

TEST_F(DatabaseTest, migrates_and_refuses_what_is_newer) {
    ASSERT_TRUE(insert(*open(first), "old").ok());
    {
        const auto database = open(second);
        Statement query = database->prepare("SELECT size FROM t WHERE name = 'old'").value();
        ASSERT_TRUE(*query.step());
        EXPECT_EQ(query.integer(0), 7);
    }
    EXPECT_FALSE(Database::open(path_, broken).ok());
    EXPECT_EQ(count(*open(second)), 1);  // the broken migration left the schema as it was
    const auto newer = Database::open(path_, first);
    ASSERT_FALSE(newer.ok());
    EXPECT_EQ(newer.error().code, Code::incompatible);
    EXPECT_EQ(
        newer.error().message,
        path_ + ": was written by a newer skiff (schema 2, this one knows 1): update this skiff");
}

TEST_F(DatabaseTest, a_reader_does_not_wait_for_the_writer) {
    const auto writer = open(), reader = open();
    ASSERT_TRUE(insert(*writer, "a").ok());
    const Status status = writer->transaction([&]() -> Status {
        TRY(insert(*writer, "b"));
        EXPECT_EQ(count(*reader), 1);
        return {};
    });
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(count(*reader), 2);
}

TEST_F(DatabaseTest, files_that_are_none) {
    ASSERT_TRUE(write_file(path_, as_bytes(std::string(5000, 'x'))).ok());
    EXPECT_EQ(Database::open(path_, first).error().code, Code::data_loss);
    EXPECT_EQ(Database::open(folder_ + "/none/d.db", first).error().code, Code::not_found);
}

TEST_F(DatabaseTest, no_space_is_told_and_nothing_is_lost) {
    ASSERT_TRUE(insert(*open(), "kept").ok());
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{64 << 10, 64 << 10};
        setrlimit(RLIMIT_FSIZE, &limit);
        auto database = Database::open(path_, first);
        if (!database.ok()) _exit(2);
        Status status;
        for (int i = 0; i < 10000 && status.ok(); ++i)
            status = insert(**database, std::to_string(i) + std::string(900, 'x'));
        _exit(status.ok() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_GE(count(*open()), 1);
}

}  // namespace skiff::sqlite
