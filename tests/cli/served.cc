#include "tests/cli/served.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <list>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/hex.h"
#include "base/json.h"
#include "publish/home.h"
#include "publish/registry.h"
#include "trust/repository.h"

namespace skiff::cli::test {

std::map<std::string, std::string> Served::environment() const {
    return {{"XDG_CONFIG_HOME", folder_ + "/config"}, {"XDG_CACHE_HOME", folder_ + "/cache"}};
}

Finished Served::skiff(const std::vector<std::string>& arguments) const {
    return run_skiff(arguments, environment());
}

Finished Served::in_demo(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"-C", demo_});
    return skiff(arguments);
}

std::vector<std::string> Served::publish(const std::string& model, const std::string& file) const {
    return {"publish", model, file, "-C", demo_, "--context", "demo"};
}

std::string Served::file(const std::string& name, const std::string& bytes) const {
    const std::string path = folder_ + "/" + name;
    write_file(path, as_bytes(bytes)).value();
    return path;
}

void Served::serve() {
    const std::string listen = address_.empty() ? "127.0.0.1:0" : address_;
    server_.reset();
    server_ = std::make_unique<Running>(
        std::vector<std::string>{"serve", "--data", data(), "--listen", listen}, environment());
    const std::string first = server_->read_line();
    ASSERT_TRUE(first.starts_with("listening on http://")) << first;
    address_ = first.substr(first.rfind('/') + 1);
}

void Served::SetUp() {
    folder_ =
        scratch_folder() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    demo_ = folder_ + "/demo";
    std::filesystem::remove_all(folder_);  // of a run before, with --gtest_repeat
    make_folders(folder_).value();
    ASSERT_EQ(skiff({"init", demo_}).exit_code, 0);
    serve();
    const Finished made = skiff({"tokens", "create", "--data", data(), "--project", "demo",
                                 "--scope", "publish", "--note", "ann"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    token_ = made.out.substr(0, made.out.find('\n'));
    const Finished login =
        skiff({"login", "http://" + address_, "--project", "demo", "--token", token_});
    ASSERT_EQ(login.exit_code, 0) << login.err;
}

std::size_t Served::verified_versions(const std::string& model) const {
    trust::FolderTree tree(data() + "/projects/demo/tree");
    auto repository = trust::Repository::open(tree);
    EXPECT_TRUE(repository.ok()) << repository.error().message;
    if (!repository.ok()) return 0;
    for (const std::string& role : repository->role_names()) {
        const auto targets = repository->targets_role(role);
        if (!targets.ok()) continue;  // root, snapshot, timestamp
        for (const auto& [path, meta] : targets->targets) {
            const auto bytes = tree.read(publish::target_file(path, meta.hashes.at("sha256")));
            EXPECT_TRUE(bytes.ok() && bytes->size() == meta.length) << path;
        }
    }
    const auto home = publish::folder_home(data() + "/projects/demo/tree", "", "");
    publish::StagedTree staged(*home);
    const auto state = publish::read_model(*repository, staged, model);
    return state.ok() ? state->versions.size() : 0;
}

// -- a slow line ------------------------------------------------------------------------------

namespace {

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

bool forward(int from, int to, std::size_t& moved) {
    char piece[65536];
    const ssize_t n = ::recv(from, piece, sizeof piece, 0);
    if (n <= 0) return false;
    moved += static_cast<std::size_t>(n);
    for (ssize_t at = 0; at < n;) {
        const ssize_t sent = ::send(to, piece + at, static_cast<std::size_t>(n - at), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += sent;
    }
    return true;
}

void carry(int client, int port, std::size_t after_bytes, int pause_ms) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = loopback(port);
    bool open = ::connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    std::size_t up = 0, down = 0;
    bool paused = false;
    while (open) {
        pollfd look[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        if (::poll(look, 2, 20'000) <= 0) break;
        if (look[0].revents) open = forward(client, server, up);
        if (open && look[1].revents) open = forward(server, client, down);
        if (up < after_bytes || std::exchange(paused, true)) continue;
        std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    }
    ::close(server);
    ::close(client);
}

}  // namespace

struct SlowLine::State {
    int listener = -1;
    std::list<std::thread> lines;
    std::thread acceptor;
};

SlowLine::SlowLine(const std::string& to, std::size_t after_bytes, int pause_ms)
    : state_(std::make_unique<State>()) {
    const int port = std::stoi(to.substr(to.rfind(':') + 1));
    state_->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int small = 65536;  // so that what waits, waits at the sender
    ::setsockopt(state_->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in here = loopback(0);
    socklen_t size = sizeof here;
    CHECK(::bind(state_->listener, reinterpret_cast<sockaddr*>(&here), size) == 0);
    CHECK(::listen(state_->listener, 8) == 0);
    ::getsockname(state_->listener, reinterpret_cast<sockaddr*>(&here), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    state_->acceptor = std::thread([state = state_.get(), port, after_bytes, pause_ms] {
        for (int client;
             (client = ::accept4(state->listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
            state->lines.emplace_back(carry, client, port, after_bytes, pause_ms);
    });
}

SlowLine::~SlowLine() {
    ::shutdown(state_->listener, SHUT_RDWR);
    state_->acceptor.join();
    ::close(state_->listener);
    for (std::thread& line : state_->lines) line.join();
}

}  // namespace skiff::cli::test
