#include "server/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>

#include "server/router.h"

namespace skiff::server {

namespace {

constexpr std::chrono::hours upkeep_every{1};
constexpr std::chrono::milliseconds tick{500};

// Each connection needs a descriptor; the usual 1,024 are few.
void allow_many_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

// The router behind an address; it comes when the address is ours.
class Door final : public Handler {
 public:
    Intake begin(const Request& head) override { return router->begin(head); }
    void finished(const Request& head, const std::string& route, int status,
                  double seconds) override {
        router->finished(head, route, status, seconds);
    }
    std::unique_ptr<Router> router;
};

class RunningServer final : public Server {
 public:
    explicit RunningServer(const HttpLimits& limits)
        : http_(HttpServer::create(
              std::max(1, static_cast<int>(std::thread::hardware_concurrency())), limits)) {}
    ~RunningServer() override { stop(); }

    // Before the data is touched: who cannot listen leaves nothing behind.
    Status listen(const ServerOptions& options) {
        address_ = admin_address_ = TRY(http_->listen(options.listen, public_));
        if (!options.admin_listen.empty())
            admin_address_ = TRY(http_->listen(options.admin_listen, admin_));
        return {};
    }

    Status open(const ServerOptions& options) {
        services_ = TRY(Services::open(options.data, options.now_s));
        const auto connections = [this] { return http_->connections(); };
        std::vector<Route> routes;
        add_tree_routes(routes, *services_);
        add_publish_routes(routes, *services_);
        add_report_routes(routes, *services_);
        if (options.admin_listen.empty()) add_admin_routes(routes, *services_, connections);
        public_.router = std::make_unique<Router>(*services_, std::move(routes));
        if (options.admin_listen.empty()) return {};
        std::vector<Route> admin_routes;
        add_admin_routes(admin_routes, *services_, connections);
        admin_.router = std::make_unique<Router>(*services_, std::move(admin_routes));
        return {};
    }

    void start() {
        services_->upkeep();
        http_->start();
        keeper_ = std::thread([this] { keep(); });
    }

    std::string address() const override { return address_; }
    std::string admin_address() const override { return admin_address_; }

    void stop() override {
        {
            const std::lock_guard lock(mutex_);
            if (std::exchange(stopping_, true)) return;
        }
        wake_.notify_all();
        if (keeper_.joinable()) keeper_.join();
        if (services_) services_->waiters.end();
        http_->stop();
        if (services_) services_->report_writer.reset();
    }

 private:
    // Ends long waits in time, and signs again once an hour.
    void keep() {
        auto next_upkeep = std::chrono::steady_clock::now() + upkeep_every;
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, tick, [this] { return stopping_; })) {
            lock.unlock();
            const auto now = std::chrono::steady_clock::now();
            services_->waiters.expire(now);
            if (now >= next_upkeep) {
                services_->upkeep();
                next_upkeep = now + upkeep_every;
            }
            lock.lock();
        }
    }

    // In the order in which the one needs the other.
    std::unique_ptr<Services> services_;
    Door public_, admin_;
    std::unique_ptr<HttpServer> http_;
    std::string address_, admin_address_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread keeper_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
    allow_many_descriptors();
    if (!options.now_s) options.now_s = [] { return std::int64_t{std::time(nullptr)}; };
    auto server = std::make_unique<RunningServer>(options.limits);
    TRY(server->listen(options));
    TRY(server->open(options));
    server->start();
    return std::unique_ptr<Server>(std::move(server));
}

}  // namespace skiff::server
