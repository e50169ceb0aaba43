// Listens, reads requests, sends answers (HTTP/1.1, keep-alive, sendfile). Nothing of Asio or Beast
// is seen from outside.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "server/http.h"

namespace skiff::server {

struct HttpLimits {
    std::chrono::milliseconds head{20'000};   // from the first wait to the end of a request's head
    std::chrono::milliseconds stall{30'000};  // without progress in a body, either way
    std::chrono::milliseconds body{3'600'000};  // for a whole request body
    std::chrono::milliseconds drain{5'000};     // what stop() gives requests in flight
    std::size_t head_bytes = 16 * 1024;
    int connections = 10'000;  // more are closed as they come
};

class HttpServer {
 public:
    // One event loop, `threads` threads. SIGPIPE is ignored from here on, in the whole process.
    static std::unique_ptr<HttpServer> create(int threads, const HttpLimits& limits);
    virtual ~HttpServer() = default;

    // Binds "127.0.0.1:8080", "[::1]:0", "localhost:8080"; says where it really is. The handler
    // outlives the server. Code::already_exists when the port is taken. Before start().
    virtual Result<std::string> listen(const std::string& address, Handler& handler) = 0;
    virtual void start() = 0;
    // No new connections; requests in flight get HttpLimits::drain to end. Returns when all threads
    // have ended. Whoever holds a Reply must have called it, or it is lost.
    virtual void stop() = 0;
    virtual int connections() const = 0;
};

}  // namespace skiff::server
