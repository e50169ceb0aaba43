// What goes over the socket between the program and the child that runs an official library: a
// type, a length, a body of integers, strings and bytes. Both ends are the same binary on the same
// machine, so integers are written as they are; but the library shares the child's memory, so what
// comes back is checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace skiff::cli {

enum class MessageType : std::uint32_t {
    create = 1,
    resize,
    prepare,
    invoke,
    reset,
    time_invocations,
    process_use,
    ok,
    failed,
};

struct Message {
    MessageType type = MessageType::ok;
    std::string body = {};
};

class BodyWriter {
 public:
    BodyWriter& add(std::uint64_t value);
    BodyWriter& add(std::string_view text) {
        return add(Bytes{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    }
    BodyWriter& add(Bytes bytes);
    std::string take() { return std::move(body_); }

 private:
    std::string body_;
};

// Reads in the order of writing. After the first value that is not there, all are zero or empty and
// ok() is false.
class BodyReader {
 public:
    explicit BodyReader(std::string_view body) : rest_(body) {}
    std::uint64_t number();
    std::string_view bytes();
    bool ok() const { return ok_; }

 private:
    std::string_view rest_;
    bool ok_ = true;
};

// Code::unavailable: the other end is gone.
Status send_message(int fd, const Message& message);
// Code::unavailable: the other end is gone; Code::deadline_exceeded: nothing whole came within
// `limit`.
Result<Message> receive_message(int fd, std::chrono::milliseconds limit);

}  // namespace skiff::cli
