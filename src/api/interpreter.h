// One kind of handle for the app's own interpreters and for borrowed ones.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <skiff/c.h>

#include "device/loaded_version.h"
#include "runtime/engine.h"

struct skiff_interpreter {
    std::shared_ptr<const void> keep;  // goes last: what the engine's version counts into
    std::unique_ptr<skiff::runtime::Engine> engine;
    const skiff::device::BorrowedEngine* borrowed = nullptr;  // the engine, when it is on loan
    // Names as C strings: they do not change over an interpreter's life.
    std::vector<std::string> input_names, output_names;
    bool planned = false;  // memory is there for the shapes of now
};

namespace skiff::api {

constexpr int max_threads = 256;

skiff_interpreter* lend(std::unique_ptr<device::BorrowedEngine> engine,
                        std::shared_ptr<const void> keep);

}  // namespace skiff::api
