#include "tests/server/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>

namespace skiff::server::test {

Connection::Connection(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) abort();
}

Connection::~Connection() {
    if (fd_ >= 0) ::close(fd_);
}

void Connection::end_sending() {
    ::shutdown(fd_, SHUT_WR);
}

void Connection::abort() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(fd_);
    fd_ = -1;
}

bool Connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool Connection::fill(int milliseconds) {
    pollfd wait{fd_, POLLIN, 0};
    if (fd_ < 0 || ::poll(&wait, 1, milliseconds) <= 0) return false;
    char piece[65536];
    const ssize_t n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) return false;
    buffer_.append(piece, static_cast<std::size_t>(n));
    return true;
}

bool Connection::closed_within(int milliseconds) {
    pollfd wait{fd_, POLLIN, 0};
    char byte;
    return ::poll(&wait, 1, milliseconds) > 0 && ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
}

Answer Connection::receive(bool head_only) {
    Answer answer;
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
        if (!fill()) return {};
    const std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
        const std::size_t line_end = head.find("\r\n", at), colon = head.find(": ", at);
        std::string name = head.substr(at, colon - at);
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        answer.headers[name] = head.substr(colon + 2, line_end - colon - 2);
        at = line_end + 2;
    }
    if (answer.status == 100) return receive(head_only);
    if (head_only || answer.status == 304) return answer;
    const std::size_t length = std::stoul(answer.headers["content-length"]);
    while (buffer_.size() < length)
        if (!fill()) return {};
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
}

std::string request_text(const std::string& method, const std::string& path, const Fields& headers,
                         std::string_view body) {
    std::string text = method + " " + path + " HTTP/1.1\r\nHost: test\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    if (method == "POST" || method == "PUT")
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + std::string(body);
}

Answer ask(const std::string& address, const std::string& method, const std::string& path,
           const Fields& headers, std::string_view body) {
    Connection connection(address);
    connection.send(request_text(method, path, headers, body));
    return connection.receive(method == "HEAD");
}

}  // namespace skiff::server::test
