// One connection of an HttpServer: requests are read, handed over, answered. The inside of
// http_server.cc; http_connection.cc is the one file that knows Beast, and takes half a minute to
// compile.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "server/http_server.h"

namespace skiff::server {

// What all connections of a server see.
struct ConnectionShare {
    explicit ConnectionShare(const HttpLimits& l) : limits(l) {}
    const HttpLimits limits;
    std::atomic<bool> stopping{false};
    std::atomic<int> connections{0};
};

// Keeps itself alive until it ends.
class Connection {
 public:
    virtual ~Connection() = default;
    // Any thread: ends the connection when no request is under way, else after that.
    virtual void wind_down() = 0;
};

// `socket` is on a strand of its own.
std::shared_ptr<Connection> begin_connection(boost::asio::ip::tcp::socket socket, Handler& handler,
                                             ConnectionShare& share);

}  // namespace skiff::server
