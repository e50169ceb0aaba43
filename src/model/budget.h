// A bound on the work that one file may ask for. A flatbuffer may point to the same vector many
// times, so that a small file unfolds into any amount of copying; a real one stays within a few
// times its size.
#pragma once

#include "model/errors.h"

namespace skiff::model {

class Budget {
 public:
    explicit Budget(std::size_t file_size) : left_(16 * file_size + 1024) {}

    // For what is copied out of the file, or walked through.
    Status charge(std::size_t bytes, const Place& place) {
        if (bytes > left_) return broken(place, "unfolds into far more than the file holds");
        left_ -= bytes;
        return {};
    }

 private:
    std::size_t left_;
};

}  // namespace skiff::model
