#include "telemetry/recorder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/files.h"
#include "base/log.h"
#include "telemetry/counter_file.h"

namespace skiff::telemetry {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

void count_value(SketchCounters& sketch, double value) {
    if (value <= 0)
        sketch.zeros.fetch_add(1, relaxed);
    else
        sketch.buckets[Sketch::index_of(value) - Sketch::min_index].fetch_add(1, relaxed);
}

void set_name(char (&to)[name_bytes], std::string_view from) {
    const std::size_t n = std::min<std::size_t>(from.size(), name_bytes - 1);
    std::memcpy(to, from.data(), n);
    std::memset(to + n, 0, name_bytes - n);
}
bool is_name(const char (&stored)[name_bytes], std::string_view name) {
    return std::string_view(stored) == name.substr(0, name_bytes - 1);
}

class SlotCell final : public Cell {
 public:
    SlotCell(CounterFile& file, CellSlot& slot) : file_(file), slot_(slot) {}

    void inference(Outcome outcome, std::int64_t latency_ns) override {
        BankCounters& b = bank();
        b.inferences[static_cast<int>(outcome)].fetch_add(1, relaxed);
        if (outcome == Outcome::success)
            count_value(b.latency_us, static_cast<double>(latency_ns) / 1e3);
    }
    void load(std::int64_t load_ns) override {
        count_value(bank().load_us, static_cast<double>(load_ns) / 1e3);
    }
    void first_inference(std::int64_t latency_ns) override {
        count_value(bank().first_inference_us, static_cast<double>(latency_ns) / 1e3);
    }
    void peak_memory(std::uint64_t bytes) override {
        WideCount& peak = bank().peak_memory_bytes;
        std::uint64_t seen = peak.load(relaxed);
        while (seen < bytes && !peak.compare_exchange_weak(seen, bytes, relaxed)) {
        }
    }
    void exposure() override { bank().exposures.fetch_add(1, relaxed); }
    void labelled_outcome(bool correct) override {
        BankCounters& b = bank();
        b.labelled.fetch_add(1, relaxed);
        if (correct) b.correct.fetch_add(1, relaxed);
    }
    void confidence(float value) override {
        if (!(value >= 0 && value <= 1)) return;
        const int bin = std::min(static_cast<int>(value * confidence_bins), confidence_bins - 1);
        bank().confidence[bin].fetch_add(1, relaxed);
    }
    void update(UpdateOutcome outcome) override {
        bank().updates[static_cast<int>(outcome)].fetch_add(1, relaxed);
    }
    void goal(std::string_view metric, double value) override {
        if (!std::isfinite(value)) return;
        GoalCounters& g = goal_slot(metric);
        g.sum.fetch_add(value, relaxed);
        g.sum_of_squares.fetch_add(value * value, relaxed);
        g.count.fetch_add(1, relaxed);
    }

 private:
    BankCounters& bank() {
        return slot_.banks[file_.generation.load(std::memory_order_acquire) % 2];
    }

    // The last one is for all that find no other.
    GoalCounters& goal_slot(std::string_view metric) {
        BankCounters& b = bank();
        for (int i = 0; i < goal_slots; ++i) {
            GoalCounters& g = b.goals[i];
            const std::string_view name = i == goal_slots - 1 ? "other" : metric;
            std::uint32_t state = 0;
            if (g.state.compare_exchange_strong(state, 1, std::memory_order_acquire)) {
                set_name(g.name, name);
                g.state.store(2, std::memory_order_release);
                return g;
            }
            if (state == 2 && (i == goal_slots - 1 || is_name(g.name, metric))) return g;
        }
        return b.goals[goal_slots - 1];
    }

    CounterFile& file_;
    CellSlot& slot_;
};

class MappedRecorder final : public Recorder {
 public:
    MappedRecorder(std::string path, int fd, CounterFile* file, std::uint64_t last_committed)
        : path_(std::move(path)), fd_(fd), file_(file), last_committed_(last_committed) {
        for (CellSlot& slot : file_->slots)
            cells_.push_back(std::make_unique<SlotCell>(*file_, slot));
    }
    ~MappedRecorder() override {
        ::munmap(file_, sizeof(CounterFile));
        ::close(fd_);
    }

    Cell& cell(const CellKey& key) override {
        if (const int found = find(key); found >= 0)
            return *cells_[static_cast<std::size_t>(found)];
        std::lock_guard lock(mutex_);
        // Another process may name a slot at the same moment. Without the lock the cell is the
        // common one: counted still.
        const auto naming = FileLock::acquire(path_ + ".lock", true);
        const int slot = naming.ok() ? claim(key) : cell_slots - 1;
        return *cells_[static_cast<std::size_t>(slot)];
    }

    std::vector<CellSnapshot> snapshot() const override {
        std::vector<CellSnapshot> all = read(0);
        for (CellSnapshot& more : read(1)) {
            const auto same = std::find_if(all.begin(), all.end(),
                                           [&](const auto& s) { return s.key == more.key; });
            if (same == all.end())
                all.push_back(std::move(more));
            else
                same->counts.merge(more.counts);
        }
        return all;
    }

    Status take(const Commit& commit) override {
        std::uint64_t writing = file_->generation.load(relaxed);
        const bool pending =
            file_->drained.load(relaxed) + 1 < writing;  // a take that did not come to its end
        if (pending && writing - 1 <= last_committed_)
            drain(writing - 1, read(bank_of(writing - 1)));
        if (!pending || writing - 1 <= last_committed_)
            file_->generation.store(++writing, std::memory_order_release);
        const std::uint64_t taken = writing - 1;
        const std::vector<CellSnapshot> cells = read(bank_of(taken));
        if (!cells.empty()) TRY(commit(taken, cells));
        last_committed_ = taken;
        drain(taken, cells);
        return {};
    }

 private:
    static int bank_of(std::uint64_t generation) { return static_cast<int>(generation % 2); }

    int find(const CellKey& key) const {
        for (int i = 0; i < cell_slots; ++i) {
            const CellSlot& slot = file_->slots[i];
            if (slot.used.load(std::memory_order_acquire) && slot.version == key.version &&
                is_name(slot.model, key.model) && is_name(slot.experiment, key.experiment) &&
                is_name(slot.variant, key.variant))
                return i;
        }
        return -1;
    }

    int claim(const CellKey& key) {
        if (const int found = find(key); found >= 0) return found;
        for (int i = 0; i < cell_slots; ++i) {
            CellSlot& slot = file_->slots[i];
            if (slot.used.load(relaxed)) continue;
            const bool last = i == cell_slots - 1;
            set_name(slot.model, last ? "other" : key.model);
            set_name(slot.experiment, last ? "" : key.experiment);
            set_name(slot.variant, last ? "" : key.variant);
            slot.version = last ? 0 : key.version;
            slot.used.store(1, std::memory_order_release);
            return i;
        }
        return cell_slots - 1;
    }

    std::vector<CellSnapshot> read(int bank) const {
        std::vector<CellSnapshot> cells;
        for (const CellSlot& slot : file_->slots) {
            if (!slot.used.load(std::memory_order_acquire)) continue;
            CellCounts counts = read_bank(slot.banks[bank]);
            if (counts.empty()) continue;
            cells.push_back(
                {{slot.model, slot.version, slot.experiment, slot.variant}, std::move(counts)});
        }
        return cells;
    }

    void drain(std::uint64_t generation, const std::vector<CellSnapshot>& cells) {
        for (const CellSnapshot& cell : cells)
            if (const int slot = find(cell.key); slot >= 0)
                drain_bank(file_->slots[slot].banks[bank_of(generation)], cell.counts);
        file_->drained.store(generation, std::memory_order_release);
    }

    const std::string path_;
    const int fd_;
    CounterFile* const file_;
    std::uint64_t last_committed_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<SlotCell>> cells_;
};

Error cannot(const std::string& path, const char* doing) {
    return error(errno == ENOSPC ? Code::not_enough_space : Code::unavailable,
                 path + ": " + doing + " failed: " + std::strerror(errno));
}

// A hole in a mapped file ends the process (SIGBUS) when it is written and the disk is full.
Status allocate(int fd, const struct stat& info, const std::string& path) {
    constexpr std::int64_t block_bytes = 512;  // of st_blocks
    const auto bytes = static_cast<off_t>(sizeof(CounterFile));
    if (info.st_size == bytes && info.st_blocks * block_bytes >= bytes) return {};
    errno = ::posix_fallocate(fd, 0, bytes);
    if (errno == 0) return {};
    const Error e = cannot(path, "making room for the counters");
    if (info.st_size == 0) (void)!::ftruncate(fd, 0);
    return e;
}

class NoRecorder final : public Recorder {
 public:
    Cell& cell(const CellKey&) override { return cell_; }
    std::vector<CellSnapshot> snapshot() const override { return {}; }
    Status take(const Commit&) override { return {}; }

 private:
    class NoCell final : public Cell {
        void inference(Outcome, std::int64_t) override {}
        void load(std::int64_t) override {}
        void first_inference(std::int64_t) override {}
        void peak_memory(std::uint64_t) override {}
        void exposure() override {}
        void labelled_outcome(bool) override {}
        void confidence(float) override {}
        void update(UpdateOutcome) override {}
        void goal(std::string_view, double) override {}
    };
    NoCell cell_;
};

bool looks_right(const CounterFile& file, std::uint64_t bytes) {
    return bytes == sizeof(CounterFile) && file.magic == counter_file_magic &&
           file.bytes == sizeof(CounterFile) && file.generation.load(relaxed) >= 1 &&
           file.drained.load(relaxed) < file.generation.load(relaxed);
}

// Free first, so that a process that dies meanwhile leaves a slot that is emptied here again.
void free_slot(CellSlot& slot) {
    slot.used.store(0, std::memory_order_release);
    std::memset(static_cast<void*>(&slot), 0, sizeof slot);
}

// Slots whose counts were all taken are free again, and for want of room those that may be dropped;
// if this process is the only one that has the file open: nobody holds one of the cells.
void make_room(CounterFile& file, const Recorder::MayDrop& may_drop) {
    int in_use = 0;
    for (CellSlot& slot : file.slots) {
        const bool counted = !read_bank(slot.banks[0]).empty() || !read_bank(slot.banks[1]).empty();
        if (slot.used.load(relaxed) && counted)
            ++in_use;
        else if (slot.used.load(relaxed) || counted)
            free_slot(slot);
    }
    if (!may_drop || in_use <= cell_slots / 2) return;
    for (CellSlot& slot : file.slots)
        if (slot.used.load(relaxed) &&
            may_drop({slot.model, slot.version, slot.experiment, slot.variant}))
            free_slot(slot);
}

}  // namespace

bool CellCounts::empty() const {
    const auto none = [](const auto& counts) {
        return std::all_of(std::begin(counts), std::end(counts),
                           [](std::uint64_t n) { return n == 0; });
    };
    return none(inferences) && none(updates) && none(confidence) && goals.empty() &&
           latency_us.count() == 0 && load_us.count() == 0 && first_inference_us.count() == 0 &&
           peak_memory_bytes == 0 && exposures == 0 && labelled == 0 && correct == 0;
}

void CellCounts::merge(const CellCounts& other) {
    for (int i = 0; i < outcome_kinds; ++i) inferences[i] += other.inferences[i];
    latency_us.merge(other.latency_us);
    load_us.merge(other.load_us);
    first_inference_us.merge(other.first_inference_us);
    peak_memory_bytes = std::max(peak_memory_bytes, other.peak_memory_bytes);
    exposures += other.exposures;
    labelled += other.labelled;
    correct += other.correct;
    for (int i = 0; i < confidence_bins; ++i) confidence[i] += other.confidence[i];
    for (int i = 0; i < update_outcome_kinds; ++i) updates[i] += other.updates[i];
    for (const auto& [name, goal] : other.goals) {
        Goal& mine = goals[name];
        mine.count += goal.count;
        mine.sum += goal.sum;
        mine.sum_of_squares += goal.sum_of_squares;
    }
}

std::unique_ptr<Recorder> Recorder::none() {
    return std::make_unique<NoRecorder>();
}

Result<std::unique_ptr<Recorder>> Recorder::open(const std::string& path,
                                                 std::uint64_t last_committed,
                                                 const MayDrop& may_drop) {
    // One process at a time opens, so that a new or damaged file is laid out once.
    const auto opening = TRY(FileLock::acquire(path + ".lock", true));
    for (int attempt = 0; attempt < 2; ++attempt) {
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) return cannot(path, "opening");
        struct stat info;
        Status known = ::fstat(fd, &info) == 0 ? Status() : Status(cannot(path, "looking at it"));
        const bool fresh = known.ok() && info.st_size == 0;
        const bool whole =
            fresh || (known.ok() && info.st_size == static_cast<off_t>(sizeof(CounterFile)));
        if (whole) known = allocate(fd, info, path);
        if (!known.ok()) {
            ::close(fd);
            return known.take_error();
        }
        void* at =
            whole ? ::mmap(nullptr, sizeof(CounterFile), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                  : MAP_FAILED;
        if (whole && at == MAP_FAILED) {
            const Error e = cannot(path, "mapping");
            ::close(fd);
            return e;
        }
        auto* file = static_cast<CounterFile*>(at);
        if (fresh) {
            file->magic = counter_file_magic;
            file->bytes = sizeof(CounterFile);
            file->generation.store(std::max<std::uint64_t>(1, last_committed + 1));
            file->drained.store(file->generation.load() - 1);
        }
        if (whole && looks_right(*file, static_cast<std::uint64_t>(fresh ? sizeof(CounterFile)
                                                                         : info.st_size))) {
            // An older copy of the file came back: its counts still go out, under generations that
            // are new.
            if (file->generation.load() <= last_committed) {
                file->generation.store(last_committed + 1);
                file->drained.store(last_committed);
            }
            if (::flock(fd, LOCK_EX | LOCK_NB) == 0) make_room(*file, may_drop);
            ::flock(fd, LOCK_SH);
            return std::unique_ptr<Recorder>(new MappedRecorder(path, fd, file, last_committed));
        }
        if (whole) ::munmap(at, sizeof(CounterFile));
        ::close(fd);
        log(LogLevel::warning, path + " is damaged: set aside, counting begins anew");
        if (::rename(path.c_str(), (path + ".damaged").c_str()) != 0)
            return cannot(path, "setting aside");
    }
    return error(Code::data_loss, path + ": cannot be laid out (remove it and start again)");
}

}  // namespace skiff::telemetry
