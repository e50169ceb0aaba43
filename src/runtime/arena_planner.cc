#include "runtime/arena_planner.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "runtime/buffer.h"

namespace skiff::runtime {
namespace {

using Order = std::vector<int>;

std::size_t padded(const Lifetime& item) {
    return round_up_to_alignment(std::max<std::size_t>(item.bytes, 1));
}

bool overlap(const Lifetime& a, const Lifetime& b) {
    return a.first <= b.last && b.first <= a.last;
}

// Puts items one by one into the lowest gap, among those placed that live at the same time, that is
// large enough.
class GreedyPlacer {
 public:
    explicit GreedyPlacer(std::span<const Lifetime> items) : items_(items) {}

    Placement place(const Order& order) {
        Placement result;
        result.offsets.resize(items_.size());
        placed_.clear();
        for (int index : order) {
            const Lifetime& item = items_[static_cast<std::size_t>(index)];
            const std::size_t offset = lowest_gap(item);
            result.offsets[static_cast<std::size_t>(index)] = offset;
            const Block block{offset, offset + padded(item), index};
            placed_.insert(
                std::upper_bound(placed_.begin(), placed_.end(), block,
                                 [](const Block& a, const Block& b) { return a.begin < b.begin; }),
                block);
            result.bytes = std::max(result.bytes, block.end);
        }
        return result;
    }

 private:
    struct Block {
        std::size_t begin, end;
        int index;
    };

    std::size_t lowest_gap(const Lifetime& item) const {
        std::size_t offset = 0;
        for (const Block& block : placed_) {
            if (!overlap(item, items_[static_cast<std::size_t>(block.index)])) continue;
            if (block.begin >= offset + padded(item)) break;
            offset = std::max(offset, block.end);
        }
        return offset;
    }

    std::span<const Lifetime> items_;
    std::vector<Block> placed_;  // by begin
};

// Sum of bytes alive at each moment, where moments are the items' first times in order: only there
// can a sum be largest.
std::vector<std::size_t> live_at_first(std::span<const Lifetime> items) {
    struct Event {
        int time;
        bool ends;  // an end at t counts after the beginnings at t
        std::size_t index;
    };
    std::vector<Event> events;
    for (std::size_t i = 0; i < items.size(); ++i) {
        events.push_back({items[i].first, false, i});
        events.push_back({items[i].last, true, i});
    }
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
        return a.time != b.time ? a.time < b.time : a.ends < b.ends;
    });
    std::vector<std::size_t> live(items.size());
    std::size_t sum = 0;
    for (std::size_t i = 0; i < events.size();) {
        std::size_t end = i;
        for (; end < events.size() && events[end].time == events[i].time && !events[end].ends;
             ++end)
            sum += padded(items[events[end].index]);
        for (std::size_t k = i; k < end; ++k) live[events[k].index] = sum;
        for (i = end; i < events.size() && events[i].ends; ++i)
            sum -= padded(items[events[i].index]);
    }
    return live;
}

template <typename Key>
Order order_by(std::span<const Lifetime> items, Key key) {
    Order order(items.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return key(static_cast<std::size_t>(a)) > key(static_cast<std::size_t>(b));
    });
    return order;
}

std::vector<Order> greedy_orders(std::span<const Lifetime> items) {
    const std::vector<std::size_t> live = live_at_first(items);
    auto duration = [&](std::size_t i) { return items[i].last - items[i].first + 1; };
    auto area = [&](std::size_t i) { return static_cast<double>(padded(items[i])) * duration(i); };
    return {
        order_by(items, [&](std::size_t i) { return padded(items[i]); }),
        order_by(items, [&](std::size_t i) { return area(i); }),
        order_by(items, [&](std::size_t i) { return std::pair(live[i], padded(items[i])); }),
        order_by(items, [&](std::size_t i) { return std::pair(duration(i), padded(items[i])); }),
        order_by(items,
                 [&](std::size_t i) { return std::pair(-items[i].first, padded(items[i])); }),
    };
}

// Moves an item to a random earlier place in the order, mostly one that reaches the block's top,
// and keeps what is not worse.
void search(GreedyPlacer& placer, std::span<const Lifetime> items, std::size_t goal, Order order,
            Placement& best) {
    constexpr std::size_t budget = 40'000'000;  // of inner steps: about 0.1 s
    const std::size_t rounds = std::min<std::size_t>(3000, budget / (items.size() * items.size()));
    std::mt19937 random(1);
    for (std::size_t round = 0; round < rounds && best.bytes > goal; ++round) {
        std::vector<std::size_t> candidates;
        for (std::size_t k = 1; k < order.size(); ++k) {
            const auto i = static_cast<std::size_t>(order[k]);
            if (round % 4 == 0 || best.offsets[i] + padded(items[i]) == best.bytes)
                candidates.push_back(k);
        }
        if (candidates.empty()) continue;
        const std::size_t from = candidates[random() % candidates.size()];
        const std::size_t to = random() % from;
        Order next = order;
        std::rotate(next.begin() + static_cast<std::ptrdiff_t>(to),
                    next.begin() + static_cast<std::ptrdiff_t>(from),
                    next.begin() + static_cast<std::ptrdiff_t>(from) + 1);
        Placement placement = placer.place(next);
        if (placement.bytes > best.bytes) continue;
        best = std::move(placement);
        order = std::move(next);
    }
}

}  // namespace

std::size_t largest_live_bytes(std::span<const Lifetime> items) {
    const std::vector<std::size_t> live = live_at_first(items);
    return live.empty() ? 0 : *std::max_element(live.begin(), live.end());
}

Placement place(std::span<const Lifetime> items) {
    const std::size_t bound = largest_live_bytes(items);
    const std::size_t good_enough = bound + bound / 32;  // searching on costs more than it gains
    GreedyPlacer placer(items);
    Placement best;
    Order best_order;
    for (Order& order : greedy_orders(items)) {
        Placement placement = placer.place(order);
        if (best_order.empty() || placement.bytes < best.bytes) {
            best = std::move(placement);
            best_order = std::move(order);
        }
        if (best.bytes == bound) return best;
    }
    search(placer, items, good_enough, std::move(best_order), best);
    return best;
}

}  // namespace skiff::runtime
