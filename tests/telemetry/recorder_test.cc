#include "telemetry/recorder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace skiff::telemetry {

namespace {

class RecorderTest : public testing::Test {
 protected:
    void SetUp() override {
        char name[] = "/tmp/skiff-recorder-XXXXXX";
        folder_ = mkdtemp(name);
        path_ = folder_ + "/counters";
    }
    void TearDown() override { ASSERT_EQ(system(("rm -rf " + folder_).c_str()), 0); }

    std::unique_ptr<Recorder> open(std::uint64_t committed = 0) {
        auto recorder = Recorder::open(path_, committed);
        EXPECT_TRUE(recorder.ok());
        return std::move(recorder).value();
    }
    // Takes everything and adds it to total_.
    void take(Recorder& recorder) {
        EXPECT_TRUE(recorder
                        .take([&](std::uint64_t generation, const auto& cells) -> Status {
                            EXPECT_GT(generation, committed_);
                            committed_ = generation;
                            for (const auto& cell : cells) total_[cell.key].merge(cell.counts);
                            return {};
                        })
                        .ok());
    }

    std::string folder_, path_;
    std::uint64_t committed_ = 0;
    std::map<CellKey, CellCounts> total_;
};

const CellKey digits_1{"digits", 1, "", ""};
const CellKey digits_2b{"digits", 2, "rollout-1", "B"};

// What counts_every_kind counts, once.
void expect_all(const std::map<CellKey, CellCounts>& total) {
    ASSERT_EQ(total.size(), 1u);
    const CellCounts& c = total.at(digits_2b);
    EXPECT_EQ(c.inferences[0], 1u);
    EXPECT_EQ(c.inferences[1], 1u);
    EXPECT_EQ(c.latency_us.count(), 1u);  // of successes only
    EXPECT_NEAR(c.latency_us.quantile(0.5), 2000, 20);
    EXPECT_NEAR(c.load_us.quantile(0.5), 5000, 50);
    EXPECT_NEAR(c.first_inference_us.quantile(0.5), 7000, 70);
    EXPECT_EQ(c.peak_memory_bytes, 100u);
    EXPECT_EQ(c.exposures, 1u);
    EXPECT_EQ(c.labelled, 2u);
    EXPECT_EQ(c.correct, 1u);
    EXPECT_EQ(c.confidence[19], 1u);
    EXPECT_EQ(c.confidence[0], 1u);
    EXPECT_EQ(c.updates[2], 1u);
    EXPECT_EQ(c.goals.at("tap").count, 2u);
    EXPECT_EQ(c.goals.at("tap").sum, 5);
    EXPECT_EQ(c.goals.at("tap").sum_of_squares, 13);
}

}  // namespace

TEST_F(RecorderTest, counts_every_kind) {
    const auto recorder = open();
    Cell& cell = recorder->cell(digits_2b);
    EXPECT_EQ(&cell, &recorder->cell(digits_2b));
    EXPECT_NE(&cell, &recorder->cell(digits_1));
    cell.inference(Outcome::success, 2'000'000);
    cell.inference(Outcome::failure, 9'000'000);
    cell.load(5'000'000);
    cell.first_inference(7'000'000);
    cell.peak_memory(100);
    cell.peak_memory(70);
    cell.exposure();
    cell.labelled_outcome(true);
    cell.labelled_outcome(false);
    cell.confidence(1.0f);
    cell.confidence(0.04f);
    cell.confidence(7.f);  // no confidence
    cell.update(UpdateOutcome::smoke_failed);
    cell.goal("tap", 2);
    cell.goal("tap", 3);
    take(*recorder);
    expect_all(total_);
    for (int bank = 0; bank < 2; ++bank) take(*recorder);
    expect_all(total_);  // neither bank keeps what was taken
}

TEST_F(RecorderTest, failed_commit_brings_the_same_again) {
    const auto recorder = open();
    recorder->cell(digits_1).inference(Outcome::success, 1000);
    std::uint64_t first = 0;
    EXPECT_FALSE(recorder
                     ->take([&](std::uint64_t generation, const auto&) -> Status {
                         first = generation;
                         return error(Code::not_enough_space, "full");
                     })
                     .ok());
    recorder->cell(digits_1).inference(Outcome::success, 1000);
    EXPECT_TRUE(recorder
                    ->take([&](std::uint64_t generation, const auto& cells) -> Status {
                        EXPECT_EQ(generation, first);
                        EXPECT_EQ(cells[0].counts.inferences[0], 1u);
                        committed_ = generation;
                        return {};
                    })
                    .ok());
    take(*recorder);
    EXPECT_EQ(total_[digits_1].inferences[0], 1u);
}

TEST_F(RecorderTest, survives_closing_and_a_kill_between_commit_and_drain) {
    {
        const auto recorder = open();
        for (int i = 0; i < 5; ++i) recorder->cell(digits_1).inference(Outcome::success, 1000);
    }
    const pid_t child = fork();
    if (child == 0) {
        auto recorder = Recorder::open(path_, 0);
        (void)(*recorder)->take([](std::uint64_t, const auto&) -> Status {
            kill(getpid(), SIGKILL);  // the transaction was durable, the drain never came
            return {};
        });
        _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    {
        const auto recorder = open(/*committed=*/1);
        recorder->cell(digits_1).inference(Outcome::success, 1000);
        committed_ = 1;
        take(*recorder);
        EXPECT_EQ(total_[digits_1].inferences[0], 1u)
            << "the committed five came again, or the new one is lost";
    }
    total_.clear();
    const auto recorder = open(committed_);
    take(*recorder);
    EXPECT_TRUE(total_.empty());
}

TEST_F(RecorderTest, a_kill_before_the_commit_loses_nothing) {
    const pid_t child = fork();
    if (child == 0) {
        auto recorder = Recorder::open(path_, 0);
        for (int i = 0; i < 7; ++i) (*recorder)->cell(digits_1).inference(Outcome::success, 1000);
        (void)(*recorder)->take([](std::uint64_t, const auto&) -> Status {
            kill(getpid(), SIGKILL);
            return {};
        });
        _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    const auto recorder = open(/*committed=*/0);
    take(*recorder);
    EXPECT_EQ(total_[digits_1].inferences[0], 7u);
}

TEST_F(RecorderTest, threads_and_processes_count_while_takes_go_on) {
    constexpr int processes = 2, threads = 2, each = 20000;
    const auto recorder = open();
    std::vector<pid_t> children;
    for (int p = 0; p < processes; ++p) {
        children.push_back(fork());
        if (children.back() != 0) continue;
        auto mine = Recorder::open(path_, 0);
        std::vector<std::thread> workers;
        for (int t = 0; t < threads; ++t)
            workers.emplace_back([&] {
                for (int i = 0; i < each; ++i) {
                    (*mine)->cell(digits_1).inference(Outcome::success, 1000 + i);
                    (*mine)->cell(digits_2b).goal("tap", 1);
                }
            });
        for (std::thread& worker : workers) worker.join();
        _exit(0);
    }
    for (int takes = 0; takes < 200; ++takes) take(*recorder);
    for (const pid_t child : children) {
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0);
    }
    take(*recorder);
    take(*recorder);
    EXPECT_EQ(total_[digits_1].inferences[0], std::uint64_t{processes * threads * each});
    EXPECT_EQ(total_[digits_1].latency_us.count(), std::uint64_t{processes * threads * each});
    EXPECT_EQ(total_[digits_2b].goals["tap"].count, std::uint64_t{processes * threads * each});
}

TEST_F(RecorderTest, cells_that_nobody_wants_make_room_when_it_is_short) {
    const auto count = [&](std::uint32_t from, std::uint32_t to) {
        const auto recorder = open();
        for (std::uint32_t version = from; version <= to; ++version)
            recorder->cell({"digits", version, "", ""}).inference(Outcome::success, 1000);
    };
    int kept = 0, other = 0;
    const auto reopen = [&](std::uint32_t newest) {
        const auto old = [newest](const CellKey& key) {
            return key.model == "digits" && key.version < newest;
        };
        const auto recorder = Recorder::open(path_, 0, old).value();
        const auto all = recorder->snapshot();
        kept = static_cast<int>(all.size());
        other = 0;
        for (const CellSnapshot& cell : all) other += cell.key.model == "other";
        return all.empty() ? 0u : all.back().key.version;
    };
    count(1, 32);
    EXPECT_EQ(reopen(32), 32u);
    EXPECT_EQ(kept, 32) << "there was room";
    count(33, 33);
    {
        const auto holder = open();  // another process may hold a cell
        reopen(33);
        EXPECT_EQ(kept, 33);
    }
    EXPECT_EQ(reopen(33), 33u);
    EXPECT_EQ(kept, 1);
    count(34, 95);
    EXPECT_EQ(other, 0);
    EXPECT_EQ(reopen(95), 95u);
    // Nothing of the old ones is in a slot that is named anew.
    const auto recorder = open();
    recorder->cell({"birds", 1, "", ""}).inference(Outcome::success, 1000);
    for (const CellSnapshot& cell : recorder->snapshot())
        EXPECT_EQ(cell.counts.inferences[0], 1u) << cell.key.model;
}

TEST_F(RecorderTest, more_versions_than_slots_are_counted_together_and_slots_come_free) {
    {
        const auto recorder = open();
        for (std::uint32_t v = 1; v <= 100; ++v)
            recorder->cell({"digits", v, "", ""}).inference(Outcome::success, 1000);
        std::uint64_t n = 0;
        for (const auto& cell : recorder->snapshot()) n += cell.counts.inferences[0];
        EXPECT_EQ(n, 100u);
        take(*recorder);
        EXPECT_EQ((total_[CellKey{"other", 0, "", ""}].inferences[0]), 37u);
    }
    const auto recorder = open(committed_);
    recorder->cell({"digits", 1000, "", ""}).inference(Outcome::success, 1000);
    take(*recorder);
    EXPECT_EQ((total_[CellKey{"digits", 1000, "", ""}].inferences[0]), 1u);
}

TEST_F(RecorderTest, damaged_file_is_set_aside) {
    std::ofstream(path_) << "not counters";
    const auto recorder = open();
    recorder->cell(digits_1).inference(Outcome::success, 1000);
    take(*recorder);
    EXPECT_EQ(total_[digits_1].inferences[0], 1u);
    EXPECT_TRUE(std::ifstream(path_ + ".damaged").good());
}

}  // namespace skiff::telemetry
