// What a request and an answer are, for everything that knows no sockets.
//
// A request is handled in two steps: begin() sees its head and says what is to become of its body
// (an Intake); when the whole body has come, Intake::answer gets it and a Reply, which may be
// called at once or later, from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace skiff::server {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method;
    std::string path;      // as sent, without the query
    std::string query;     // after the "?", as sent
    Headers headers = {};  // names in lower case
    std::string body = {};

    std::string_view header(std::string_view lower_case_name) const;
    // The value of `name` in the query; empty when it is not there.
    std::string_view query_value(std::string_view name) const;
};

// An open file that a body is sent from; closed with its last user.
class OpenFile {
 public:
    // Follows no link in the last part of the path. Code::not_found when there is no such file.
    static Result<std::shared_ptr<const OpenFile>> open(const std::string& path);
    ~OpenFile();
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    int fd() const { return fd_; }
    std::uint64_t size() const { return size_; }

 private:
    OpenFile(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
    int fd_;
    std::uint64_t size_;
};

struct FileSlice {
    std::shared_ptr<const OpenFile> file;
    std::uint64_t begin = 0, length = 0;
};

struct Response {
    int status = 200;
    Headers headers = {};  // without Content-Length and Connection
    std::string body = {};
    std::optional<FileSlice> file = {};  // instead of `body`

    std::uint64_t length() const { return file ? file->length : body.size(); }
};

using Reply = std::function<void(Response)>;  // once

struct Intake {
    std::string route;                     // for metrics: "/v1/projects/{project}/reports"
    std::optional<Response> refusal = {};  // the answer, whatever the body is
    std::uint64_t max_body_bytes = 0;      // a longer one is refused
    // Gets the body in pieces as they come; an error ends the request with that answer. When the
    // client breaks off, the function is destroyed. Null: the body is gathered in Request::body.
    std::function<Status(Bytes)> take = {};
    std::function<void(Request, Reply)> answer = {};
    // For answers that are waited for: called, perhaps more than once, when the client has closed
    // its side meanwhile. What waits should answer now: a client that closed one direction reads
    // on.
    std::function<void()> left = {};
};

// Any thread.
class Handler {
 public:
    virtual ~Handler() = default;
    virtual Intake begin(const Request& head) = 0;
    // After the answer was sent, or the client went away (status 0).
    virtual void finished(const Request& head, const std::string& route, int status,
                          double seconds) = 0;
};

// %41 -> A; empty when an escape is broken or stands for a byte 0.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace skiff::server
