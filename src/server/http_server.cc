#include "server/http_server.h"

#include <boost/asio.hpp>
#include <csignal>
#include <list>
#include <mutex>
#include <thread>

#include "server/http_connection.h"

namespace skiff::server {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using asio::use_awaitable;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

class AsioServer final : public HttpServer {
 public:
    AsioServer(int threads, const HttpLimits& limits) : shared_(limits), loop_(threads) {
        std::signal(SIGPIPE, SIG_IGN);  // a client that goes away in the middle of a sendfile
        thread_count_ = threads;
    }
    ~AsioServer() override { stop(); }

    Result<std::string> listen(const std::string& address, Handler& handler) override {
        const std::size_t colon = address.rfind(':');
        if (colon == std::string::npos || colon == 0 || colon + 1 == address.size())
            return error(Code::invalid_argument,
                         "\"" + address + "\" is not ADDRESS:PORT, e.g. 127.0.0.1:8080");
        std::string host = address.substr(0, colon);
        if (host.size() > 2 && host.front() == '[' && host.back() == ']')
            host = host.substr(1, host.size() - 2);
        const std::string port = address.substr(colon + 1);
        if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
            std::stoi(port) > 65535)
            return error(Code::invalid_argument, port + " is no port (0 to 65535)");
        error_code ec;
        tcp::resolver resolver(loop_);
        const auto found = resolver.resolve(host, port, tcp::resolver::passive, ec);
        if (ec || found.empty())
            return error(Code::invalid_argument, "there is no address " + address + ": " +
                                                     ec.message() + " (write 127.0.0.1:8080)");
        const tcp::endpoint endpoint = *found.begin();
        tcp::acceptor acceptor(asio::make_strand(loop_));
        acceptor.open(endpoint.protocol(), ec);
        if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
        if (!ec) acceptor.bind(endpoint, ec);
        if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
        if (ec == asio::error::address_in_use)
            return error(Code::already_exists,
                         address + " is taken by another program (choose another port)");
        if (ec)
            return error(Code::unavailable, "cannot listen on " + address + ": " + ec.message());
        const tcp::endpoint local = acceptor.local_endpoint(ec);
        acceptors_.push_back(std::make_shared<tcp::acceptor>(std::move(acceptor)));
        handlers_.push_back(&handler);
        const std::string name = local.address().to_string();
        return (local.address().is_v6() ? "[" + name + "]" : name) + ":" +
               std::to_string(local.port());
    }

    void start() override {
        for (std::size_t i = 0; i < acceptors_.size(); ++i)
            asio::co_spawn(acceptors_[i]->get_executor(), accept(acceptors_[i], *handlers_[i]),
                           asio::detached);
        for (int i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { loop_.run(); });
    }

    void stop() override {
        if (shared_.stopping.exchange(true)) return;
        for (const auto& acceptor : acceptors_)
            asio::post(acceptor->get_executor(), [acceptor] {
                error_code ignored;
                acceptor->close(ignored);
            });
        {
            const std::lock_guard lock(mutex_);
            for (const auto& weak : alive_)
                if (const auto connection = weak.lock()) connection->wind_down();
        }
        const auto end = SteadyClock::now() + shared_.limits.drain;
        while (shared_.connections > 0 && SteadyClock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        loop_.stop();
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

    int connections() const override { return shared_.connections; }

 private:
    asio::awaitable<void> accept(std::shared_ptr<tcp::acceptor> acceptor, Handler& handler) {
        while (acceptor->is_open()) {
            error_code ec;
            tcp::socket socket(asio::make_strand(loop_));
            co_await acceptor->async_accept(socket, asio::redirect_error(use_awaitable, ec));
            if (shared_.stopping) co_return;
            if (ec == asio::error::operation_aborted) co_return;
            if (ec) {  // most likely no descriptors are left: some come back as connections end
                asio::steady_timer pause(loop_, std::chrono::milliseconds(50));
                co_await pause.async_wait(asio::redirect_error(use_awaitable, ec));
                continue;
            }
            if (shared_.connections >= shared_.limits.connections) continue;
            socket.set_option(tcp::no_delay(true), ec);
            remember(begin_connection(std::move(socket), handler, shared_));
        }
    }

    void remember(const std::shared_ptr<Connection>& connection) {
        const std::lock_guard lock(mutex_);
        if (alive_.size() > 2 * static_cast<std::size_t>(shared_.connections) + 16)
            alive_.remove_if([](const auto& weak) { return weak.expired(); });
        alive_.push_back(connection);
    }

    ConnectionShare shared_;
    asio::io_context loop_;  // after shared_: connections that it still holds use that
    int thread_count_ = 1;
    std::vector<std::shared_ptr<tcp::acceptor>> acceptors_;
    std::vector<Handler*> handlers_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::list<std::weak_ptr<Connection>> alive_;
};

}  // namespace

std::unique_ptr<HttpServer> HttpServer::create(int threads, const HttpLimits& limits) {
    return std::make_unique<AsioServer>(threads, limits);
}

}  // namespace skiff::server
