// A small HTTP client that can also misbehave: half requests, lies, sudden ends.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace skiff::server::test {

struct Answer {
    int status = 0;                                   // 0: none came
    std::map<std::string, std::string> headers = {};  // names in lower case
    std::string body = {};
};

class Connection {
 public:
    explicit Connection(const std::string& address);  // "127.0.0.1:43211"
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool send(std::string_view bytes);
    // The next answer; of one to HEAD, or 304, without a body.
    Answer receive(bool head_only = false);
    // True when the other side has closed within the time.
    bool closed_within(int milliseconds);
    void end_sending();
    void abort();  // with a reset

 private:
    bool fill(int milliseconds = 20'000);
    int fd_ = -1;
    std::string buffer_;
};

using Fields = std::map<std::string, std::string>;

std::string request_text(const std::string& method, const std::string& path, const Fields& headers,
                         std::string_view body);
// One request on a connection of its own.
Answer ask(const std::string& address, const std::string& method, const std::string& path,
           const Fields& headers = {}, std::string_view body = {});

}  // namespace skiff::server::test
