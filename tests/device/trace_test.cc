#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "device/client.h"
#include "tests/device/counts.h"

namespace skiff::device {

namespace {

class Traces : public ::testing::Test {
 protected:
    Trace trace() { return {&cell_, clock_, keep_}; }
    testing::Counts cell_;
    std::shared_ptr<host::Clock> clock_ = std::make_shared<testing::TickingClock>(5'000);
    std::shared_ptr<int> keep_ = std::make_shared<int>(1);
};

TEST_F(Traces, each_is_counted_once_by_how_it_ended_first) {
    {
        Trace a = trace(), b = trace(), c = trace(), d = trace();
        a.success();
        a.failure(Code::internal);
        b.failure(Code::internal);
        b.success();
        c.failure(Code::cancelled);
        EXPECT_EQ(cell_.outcomes(), "success failure cancelled ");
    }
    EXPECT_EQ(cell_.outcomes(), "aborted ");
}

TEST_F(Traces, latency_is_from_its_making_to_its_end) {
    Trace first = trace();
    first.success();
    Trace outer = trace(), inner = trace();
    inner.success();
    outer.success();
    EXPECT_EQ(cell_.latencies_ns(), (std::vector<std::int64_t>{5'000, 5'000, 15'000}));
}

TEST_F(Traces, ids_are_those_of_inferences) {
    Trace a = trace(), b = trace();
    EXPECT_NE(a.inference_id(), 0u);
    EXPECT_GT(b.inference_id(), a.inference_id());
    EXPECT_GT(next_inference_id(), b.inference_id());
    const std::uint64_t id = a.inference_id();
    a.success();
    EXPECT_EQ(a.inference_id(), id);  // for record_outcome(), which comes later
    Trace c = std::move(a);
    EXPECT_EQ(c.inference_id(), id);
}

TEST_F(Traces, a_moved_one_counts_where_it_went) {
    {
        Trace a = trace();
        Trace b = std::move(a);
        a.success();  // an empty one now
        EXPECT_EQ(cell_.outcomes(), "");
        b.success();
        EXPECT_EQ(cell_.outcomes(), "success ");
        b = trace();
        b = trace();  // the one before was not ended
        EXPECT_EQ(cell_.outcomes(), "aborted ");
        Trace& same = b;
        b = std::move(same);
        EXPECT_EQ(cell_.outcomes(), "");
    }
    EXPECT_EQ(cell_.outcomes(), "aborted ");
}

TEST_F(Traces, what_it_needs_is_held_until_it_ends) {
    Trace a = trace();
    EXPECT_EQ(keep_.use_count(), 2);
    Trace b = std::move(a);
    EXPECT_EQ(keep_.use_count(), 2);
    b.success();
    EXPECT_EQ(keep_.use_count(), 1);
    EXPECT_EQ(clock_.use_count(), 1);
}

TEST_F(Traces, without_a_cell_nothing_is_counted) {
    Trace none;
    none.success();
    EXPECT_EQ(none.inference_id(), 0u);
    Trace uncounted(nullptr, clock_, nullptr);
    EXPECT_NE(uncounted.inference_id(), 0u);
    uncounted.failure(Code::internal);
    Trace timeless(&cell_, nullptr, nullptr);
    timeless.success();
    EXPECT_EQ(cell_.outcomes(), "");
}

}  // namespace

}  // namespace skiff::device
