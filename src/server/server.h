// `skiff serve` as an object: a data folder, one or two addresses, threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/http_server.h"

namespace skiff::server {

struct ServerOptions {
    std::string data;
    std::string listen = "127.0.0.1:8080";
    std::string admin_listen = {};  // empty: the admin routes are on `listen`
    HttpLimits limits = {};
    std::function<std::int64_t()> now_s = {};  // unix time; empty: the system's
};

class Server {
 public:
    // Serves when it returns. Errors are for who runs it: the folder is another thing's or in use,
    // the port is taken.
    static Result<std::unique_ptr<Server>> start(ServerOptions options);
    virtual ~Server() = default;  // stops

    virtual std::string address() const = 0;        // "127.0.0.1:43211"
    virtual std::string admin_address() const = 0;  // the same, when there is no other
    // Finishes what is under way, at most HttpLimits::drain. Once, from any thread.
    virtual void stop() = 0;
};

}  // namespace skiff::server
