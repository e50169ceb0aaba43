#pragma once

#include <memory>
#include <string>
#include <vector>

#include <skiff/c.h>

#include "model/model.h"

// Shared by what is made from it, so that the caller may destroy the handles in any order.
struct skiff_loaded_model {
    std::shared_ptr<const skiff::model::Model> model;
    std::vector<std::string> labels = {};  // of an AutoML manifest, for models that carry none
};
