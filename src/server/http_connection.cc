#include "server/http_connection.h"

#include <poll.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cctype>

#include "base/log.h"
#include "server/answers.h"

namespace skiff::server {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using asio::use_awaitable;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using Parser = http::request_parser<http::buffer_body>;

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr std::size_t sendfile_bytes = 1024 * 1024;
constexpr std::uint64_t linger_bytes = 32u << 20;
constexpr std::chrono::milliseconds linger_time{3'000};
constexpr std::chrono::seconds longest_look{5};

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

// "/p/demo", also of the form that is meant for proxies: "http://host/p/demo".
std::string_view without_host(std::string_view target) {
    const std::size_t scheme = target.find("://");
    if (target.starts_with('/') || scheme == target.npos) return target;
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    return path == target.npos || target[path] == '?' ? "/" : target.substr(path);
}

Request head_of(const Parser& parser) {
    const auto& message = parser.get();
    Request request;
    request.method = std::string(message.method_string());
    const std::string_view target =
        without_host({message.target().data(), message.target().size()});
    const std::size_t mark = target.find('?');
    request.path = std::string(target.substr(0, mark));
    if (mark != target.npos) request.query = std::string(target.substr(mark + 1));
    for (const auto& field : message) {
        std::string name = lower(std::string(field.name_string()));
        const auto known = std::ranges::find(request.headers, name, &Headers::value_type::first);
        // Several lines of one name are one list.
        if (known != request.headers.end())
            known->second += ", " + std::string(field.value());
        else
            request.headers.emplace_back(std::move(name), std::string(field.value()));
    }
    return request;
}

std::string head_text(const Response& response, bool keep_alive) {
    const auto reason = http::obsolete_reason(http::int_to_status(response.status));
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
    text.append(reason.data(), reason.size());
    text += "\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    if (response.status != 304)  // whose length would be that of the body it does not send
        text += "Content-Length: " + std::to_string(response.length()) + "\r\n";
    if (!keep_alive) text += "Connection: close\r\n";
    return text + "\r\n";
}

Response refusal_of(const error_code& ec) {
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
        return error_response(431, "INVALID_ARGUMENT", "the request's head is too long");
    return error_response(400, "INVALID_ARGUMENT", "this is no HTTP request: " + ec.message());
}

// What the parser takes, and we cannot: where such a request ends would be a guess.
std::optional<Response> refusal_of(const Request& head, bool is_1_1) {
    const std::string coding = lower(std::string(head.header("transfer-encoding")));
    if (!coding.empty() && coding != "chunked")
        return error_response(501, "UNIMPLEMENTED",
                              "of transfer encodings only chunked is known here");
    if (is_1_1 && head.header("host").empty())
        return error_response(400, "INVALID_ARGUMENT", "the request has no Host");
    return std::nullopt;
}

// A client that went away, or was let go: nothing to answer.
bool is_gone(const error_code& ec) {
    return ec == http::error::end_of_stream || ec == http::error::partial_message ||
           ec.category() != http::make_error_code(http::error::end_of_stream).category();
}

class BeastConnection final : public Connection,
                              public std::enable_shared_from_this<BeastConnection> {
 public:
    BeastConnection(tcp::socket socket, Handler& handler, ConnectionShare& shared)
        : socket_(std::move(socket)),
          timer_(socket_.get_executor()),
          handler_(handler),
          shared_(shared) {
        ++shared_.connections;
    }
    ~BeastConnection() override { --shared_.connections; }

    void start() {
        allow(shared_.limits.head);
        watch();
        asio::co_spawn(
            socket_.get_executor(),
            [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->serve(); },
            [self = shared_from_this()](const std::exception_ptr& failure) {
                self->close();
                if (failure) log(LogLevel::error, "a connection ended with an exception");
            });
    }

    void wind_down() override {
        asio::post(socket_.get_executor(), [self = shared_from_this()] {
            if (self->idle_) self->close();
        });
    }

 private:
    void allow(std::chrono::milliseconds time) { deadline_ = SteadyClock::now() + time; }

    // One timer per connection looks at the deadline, which every step moves: cheaper than arming a
    // timer for each.
    void watch() {
        // Never for long: the next step may have less time than the one now.
        timer_.expires_at(std::min(deadline_, SteadyClock::now() + longest_look));
        timer_.async_wait([self = shared_from_this()](const error_code& ec) {
            if (ec || !self->socket_.is_open()) return;
            self->look_for_leaving();
            if (SteadyClock::now() >= self->deadline_)
                self->close();
            else
                self->watch();
        });
    }

    void close() {
        error_code ignored;
        socket_.close(ignored);
        timer_.cancel();
    }

    asio::awaitable<void> serve() {
        while (socket_.is_open()) {
            Parser parser;
            parser.header_limit(static_cast<std::uint32_t>(shared_.limits.head_bytes));
            parser.body_limit(boost::none);  // routes have limits of their own
            allow(shared_.limits.head);
            idle_ = true;
            if (shared_.stopping && buffer_.size() == 0) co_return;
            error_code ec;
            co_await http::async_read_header(socket_, buffer_, parser,
                                             asio::redirect_error(use_awaitable, ec));
            idle_ = false;
            if (ec) {
                if (is_gone(ec)) co_return;
                const Response refusal = refusal_of(ec);
                co_await send(refusal, false, false);
                co_await linger();
                co_return;
            }
            const bool again = co_await exchange(parser);
            if (!again) co_return;
        }
    }

    // One request and its answer. False: the connection ends.
    asio::awaitable<bool> exchange(Parser& parser) {
        const auto begin = SteadyClock::now();
        Request request = head_of(parser);
        Request head = request;
        Intake intake;
        Response response;
        bool whole = false, gone = false;
        const auto unfit = refusal_of(head, parser.get().version() >= 11);
        try {
            if (unfit)
                intake = {.route = "none", .refusal = unfit};
            else
                intake = handler_.begin(head);
        } catch (const std::exception& e) {
            intake.refusal = bug_response(e.what());
        }
        if (intake.refusal)
            response = std::move(*intake.refusal);
        else
            gone = !co_await receive(parser, intake, request, response, whole);
        if (whole && !gone) response = co_await ask(intake, std::move(request));
        // What a broken upload took up is free before its sender hears of it.
        intake.take = nullptr;
        intake.answer = nullptr;
        // With a body that nobody read, what follows on this connection is no request.
        const bool keep =
            (whole || parser.is_done()) && parser.keep_alive() && !unfit && !shared_.stopping;
        bool sent = false;
        if (!gone) sent = co_await send(response, keep, head.method == "HEAD");
        const std::chrono::duration<double> took = SteadyClock::now() - begin;
        handler_.finished(head, intake.route, sent ? response.status : 0, took.count());
        if (sent && !keep) co_await linger();
        co_return (sent && keep);
    }

    // Reads the body into the intake. False: the client is gone. Not `whole`: `response` says why.
    asio::awaitable<bool> receive(Parser& parser, Intake& intake, Request& request,
                                  Response& response, bool& whole) {
        const auto too_long = [&] {
            response = error_response(
                413, "INVALID_ARGUMENT",
                "the body is longer than " + std::to_string(intake.max_body_bytes) + " bytes");
            return true;
        };
        const auto length = parser.content_length();
        if (length && *length > intake.max_body_bytes) co_return too_long();
        if (!parser.is_done() && request.header("expect") == "100-continue") {
            const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            error_code ec;
            co_await asio::async_write(socket_, asio::buffer(go_on),
                                       asio::redirect_error(use_awaitable, ec));
            if (ec) co_return false;
        }
        const auto end = SteadyClock::now() + shared_.limits.body;
        std::uint64_t received = 0;
        std::vector<char> piece(parser.is_done() ? 0
                                : length         ? std::clamp<std::size_t>(*length, 1, piece_bytes)
                                                 : piece_bytes);
        while (!parser.is_done()) {
            parser.get().body().data = piece.data();
            parser.get().body().size = piece.size();
            allow(shared_.limits.stall);
            deadline_ = std::min(deadline_, end);
            error_code ec;
            co_await http::async_read_some(socket_, buffer_, parser,
                                           asio::redirect_error(use_awaitable, ec));
            if (ec == http::error::need_buffer) ec = {};
            if (ec) {
                if (is_gone(ec)) co_return false;
                response = refusal_of(ec);
                co_return true;
            }
            const std::size_t n = piece.size() - parser.get().body().size;
            received += n;
            if (received > intake.max_body_bytes) co_return too_long();
            if (!take(intake, request, std::string_view(piece.data(), n), response)) co_return true;
        }
        whole = true;
        co_return true;
    }

    bool take(Intake& intake, Request& request, std::string_view piece, Response& response) {
        if (!intake.take) {
            request.body.append(piece);
            return true;
        }
        const Status taken =
            intake.take(Bytes(reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size()));
        if (!taken.ok()) response = error_response(taken.error());
        return taken.ok();
    }

    // Nobody reads from the socket while an answer is waited for. When bytes of a next request lie
    // there, it stays readable: then the timer looks again.
    void watch_for_leaving() {
        socket_.async_wait(tcp::socket::wait_read,
                           [self = shared_from_this()](const error_code& ec) {
                               if (!ec) self->look_for_leaving();
                           });
    }

    void look_for_leaving() {
        if (!left_ || !socket_.is_open()) return;
        pollfd look{socket_.native_handle(), POLLRDHUP, 0};
        if (::poll(&look, 1, 0) > 0) left_();
    }

    // Hands the request over and waits for the reply, from whatever thread it comes.
    asio::awaitable<Response> ask(Intake& intake, Request request) {
        deadline_ = SteadyClock::time_point::max();
        const auto executor = socket_.get_executor();
        left_ = intake.left;
        if (left_) watch_for_leaving();
        auto initiate = [&intake, &request, executor](auto handler) {
            auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
            Reply reply = [waiting, executor](Response response) {
                asio::post(executor, [waiting, response = std::move(response)]() mutable {
                    (*waiting)(std::move(response));
                });
            };
            try {
                intake.answer(std::move(request), reply);
            } catch (const std::exception& e) {
                reply(bug_response(e.what()));
            }
        };
        Response response = co_await asio::async_initiate<decltype(use_awaitable), void(Response)>(
            initiate, use_awaitable);
        if (std::exchange(left_, nullptr)) {
            error_code ignored;
            socket_.cancel(ignored);
        }
        co_return response;
    }

    asio::awaitable<bool> send(const Response& response, bool keep_alive, bool head_only) {
        std::string text = head_text(response, keep_alive);
        const bool with_body = !head_only && response.status != 304;
        // Small answers leave in one packet.
        const bool joined = with_body && !response.file && response.body.size() <= piece_bytes;
        if (joined) text += response.body;
        const bool sent = co_await send_bytes(text);
        if (!sent || !with_body || joined) co_return sent;
        if (response.file) co_return co_await send_file(*response.file);
        co_return co_await send_bytes(response.body);
    }

    asio::awaitable<bool> send_bytes(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::string_view piece = bytes.substr(0, piece_bytes);
            allow(shared_.limits.stall);
            error_code ec;
            co_await asio::async_write(socket_, asio::buffer(piece),
                                       asio::redirect_error(use_awaitable, ec));
            if (ec) co_return false;
            bytes.remove_prefix(piece.size());
        }
        co_return true;
    }

    asio::awaitable<bool> send_file(FileSlice slice) {
        error_code ec;
        socket_.native_non_blocking(true, ec);
        auto offset = static_cast<off_t>(slice.begin);
        std::uint64_t left = slice.length;
        allow(shared_.limits.stall);
        while (left > 0) {
            const ssize_t n =
                ::sendfile(socket_.native_handle(), slice.file->fd(), &offset,
                           static_cast<std::size_t>(std::min<std::uint64_t>(left, sendfile_bytes)));
            if (n > 0) {
                left -= static_cast<std::uint64_t>(n);
                allow(shared_.limits.stall);
            } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                co_await socket_.async_wait(tcp::socket::wait_write,
                                            asio::redirect_error(use_awaitable, ec));
                if (ec) co_return false;
            } else if (n == 0 || errno != EINTR) {
                co_return false;  // the file became shorter, or the client is gone
            }
        }
        co_return true;
    }

    // Closing a socket with unread bytes resets it, and the client might never see the answer.
    asio::awaitable<void> linger() {
        error_code ec;
        socket_.shutdown(tcp::socket::shutdown_send, ec);
        allow(linger_time);
        std::vector<char> waste(64 * 1024);
        for (std::uint64_t seen = 0; !ec && seen < linger_bytes && !shared_.stopping;)
            seen += co_await socket_.async_read_some(asio::buffer(waste),
                                                     asio::redirect_error(use_awaitable, ec));
    }

    static Response bug_response(const char* what) {
        log(LogLevel::error, std::string("bug: a request failed with ") + what);
        return error_response(500, "INTERNAL", "the server has a bug (its log says more)");
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    beast::flat_buffer buffer_{2 * 1024 * 1024};
    SteadyClock::time_point deadline_;
    bool idle_ = true;
    std::function<void()> left_;  // of the request that is waited for
    Handler& handler_;
    ConnectionShare& shared_;
};

}  // namespace

std::shared_ptr<Connection> begin_connection(tcp::socket socket, Handler& handler,
                                             ConnectionShare& share) {
    auto connection = std::make_shared<BeastConnection>(std::move(socket), handler, share);
    connection->start();
    return connection;
}

}  // namespace skiff::server
