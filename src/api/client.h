// What is behind the handles of skiff/c_client.h.
#pragma once

#include <memory>

#include <skiff/c.h>

#include "device/client.h"

// Members in an order in which what is made from the client goes before it.
struct skiff_client {
    std::shared_ptr<skiff::device::Client> client;
};

struct skiff_model {
    std::shared_ptr<skiff::device::Client> client;
    std::shared_ptr<skiff::device::Model> model;
    skiff::device::DownloadConditions conditions;  // of an update without any of its own
};

struct skiff_download {
    std::shared_ptr<skiff::device::Client> client;
    skiff::device::Download download;
};

namespace skiff::api {

// A view: it lives no longer than what `from` points to. Null: none.
Result<std::optional<device::LocalModel>> read_local_model(const skiff_local_model* from);

}  // namespace skiff::api
