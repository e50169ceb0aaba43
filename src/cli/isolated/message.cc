#include "cli/isolated/message.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace skiff::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Header {
    std::uint32_t type;
    std::uint64_t size;
};
constexpr std::uint64_t max_body_bytes = std::uint64_t{4} << 30;

Error gone() {
    return error(Code::unavailable, "the other process is gone");
}

Status receive_exactly(int fd, void* data, std::size_t size, Clock::time_point deadline) {
    auto* at = static_cast<char*>(data);
    while (size > 0) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd poll_fd{fd, POLLIN, 0};
        const int ready =
            left <= 0 ? 0
                      : poll(&poll_fd, 1, static_cast<int>(std::min<long long>(left, INT32_MAX)));
        if (ready == 0) return error(Code::deadline_exceeded, "no answer in time");
        if (ready < 0 && errno != EINTR) return gone();
        if (ready < 0) continue;
        const ssize_t got = recv(fd, at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return gone();
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return {};
}

Status send_all(int fd, const void* data, std::size_t size) {
    auto* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return gone();
        at += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return {};
}

}  // namespace

BodyWriter& BodyWriter::add(std::uint64_t value) {
    body_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
}

BodyWriter& BodyWriter::add(Bytes bytes) {
    add(std::uint64_t{bytes.size()});
    body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return *this;
}

std::uint64_t BodyReader::number() {
    std::uint64_t value = 0;
    if (!ok_ || rest_.size() < sizeof value) {
        ok_ = false;
        return 0;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
}

std::string_view BodyReader::bytes() {
    const std::uint64_t size = number();
    if (!ok_ || size > rest_.size()) {
        ok_ = false;
        return {};
    }
    const std::string_view result = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return result;
}

Status send_message(int fd, const Message& message) {
    Header header{};
    header.type = static_cast<std::uint32_t>(message.type);
    header.size = message.body.size();
    TRY(send_all(fd, &header, sizeof header));
    return send_all(fd, message.body.data(), message.body.size());
}

Result<Message> receive_message(int fd, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    Header header{};
    TRY(receive_exactly(fd, &header, sizeof header, deadline));
    if (header.size > max_body_bytes) return error(Code::data_loss, "an answer beyond 4 GB");
    Message message;
    message.type = static_cast<MessageType>(header.type);
    message.body.resize(header.size);
    TRY(receive_exactly(fd, message.body.data(), message.body.size(), deadline));
    return message;
}

}  // namespace skiff::cli
