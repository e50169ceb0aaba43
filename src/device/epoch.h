// A counter in a small mapped file that all processes of one store see: it goes up after every
// committed change of what readers look at, so "did anything change?" costs one load.
//
// Its value is the number of changes that state.db has counted. A process that dies between its
// commit and raise_to() leaves it behind; the next one that opens or updates the store raises it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace skiff::device {

class Epoch {
 public:
    static Result<std::unique_ptr<Epoch>> open(const std::string& path);
    // Of this object alone: for a store that never changes.
    static std::unique_ptr<Epoch> constant();
    ~Epoch();
    Epoch(const Epoch&) = delete;
    Epoch& operator=(const Epoch&) = delete;

    std::uint64_t now() const { return value_->load(std::memory_order_acquire); }
    void raise_to(std::uint64_t changes);
    // Only if it still is `seen`: what it counted is not in the database any more.
    void turn_back(std::uint64_t seen, std::uint64_t changes);

 private:
    explicit Epoch(std::atomic<std::uint64_t>* mapped) : value_(mapped ? mapped : &own_) {}
    std::atomic<std::uint64_t> own_{0};
    std::atomic<std::uint64_t>* const value_;
};

}  // namespace skiff::device
