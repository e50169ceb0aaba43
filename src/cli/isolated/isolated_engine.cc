#include "cli/isolated/isolated_engine.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/hex.h"

extern char** environ;

namespace skiff::cli {
namespace {

// The child finds them at these numbers.
constexpr int child_socket_fd = 3, child_model_fd = 4;

struct Fd {
    int fd = -1;
    ~Fd() {
        if (fd >= 0) close(fd);
    }
    int release() { return std::exchange(fd, -1); }
};

Error system_error(const std::string& what) {
    return error(Code::resource_exhausted, "cannot " + what + " (" + std::strerror(errno) + ")");
}

// The model's bytes as a file without a name: the child maps it like any other.
Result<int> as_file(Bytes bytes) {
    Fd file{memfd_create("model.tflite", MFD_CLOEXEC)};
    if (file.fd < 0) return system_error("make a file in memory");
    while (!bytes.empty()) {
        const ssize_t written = write(file.fd, bytes.data(), bytes.size());
        if (written <= 0) return system_error("copy the model for a child process");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return file.release();
}

// A descriptor that dup2 in the child cannot overwrite before it is used.
Result<int> out_of_the_way(int fd) {
    Fd old{fd};
    const int moved = fcntl(fd, F_DUPFD_CLOEXEC, child_model_fd + 1);
    if (moved < 0) return system_error("pass a file to a child process");
    return moved;
}

std::string signal_name(int signal) {
    const char* name = sigabbrev_np(signal);
    return name ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

}  // namespace

Result<std::unique_ptr<IsolatedEngine>> IsolatedEngine::start(
    const std::string& spec, const std::shared_ptr<const model::Model>& model,
    const runtime::EngineOptions& options, IsolationOptions isolation) {
    auto engine =
        std::unique_ptr<IsolatedEngine>(new IsolatedEngine(model->label(), std::move(isolation)));
    engine->name_ = spec.substr(0, spec.find(':'));
    TRY(engine->spawn(model));
    BodyWriter body;
    body.add(spec).add(model->label()).add(static_cast<std::uint64_t>(options.threads));
    body.add(std::uint64_t{options.allow_fp16}).add(options.signature);
    const std::string answer = TRY(engine->call(MessageType::create, body.take()));
    BodyReader reader(answer);
    engine->name_ = std::string(reader.bytes());
    TRY(engine->read_infos(reader));
    return engine;
}

IsolatedEngine::~IsolatedEngine() {
    stop();
}

Status IsolatedEngine::spawn(const std::shared_ptr<const model::Model>& model) {
    const int model_descriptor = TRY(out_of_the_way(TRY(as_file(model->bytes()))));
    Fd model_file{model_descriptor};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return system_error("open a socket");
    Fd ours{pair[0]};
    const int their_end = TRY(out_of_the_way(pair[1]));
    Fd theirs{their_end};

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, theirs.fd, child_socket_fd);
    posix_spawn_file_actions_adddup2(&actions, model_file.fd, child_model_fd);
    std::string memory = std::to_string(isolation_.memory_limit);
    std::string arguments[] = {"skiff", "engine-child", std::to_string(child_socket_fd),
                               std::to_string(child_model_fd), memory};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(),
                    arguments[3].data(), arguments[4].data(), nullptr};
    const int failed =
        posix_spawn(&pid_, isolation_.program.c_str(), &actions, nullptr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        pid_ = -1;
        return error(Code::internal, "cannot start " + isolation_.program + " as a child (" +
                                         std::strerror(failed) + ")");
    }
    socket_ = ours.release();
    return {};
}

void IsolatedEngine::stop() {
    if (socket_ >= 0) close(std::exchange(socket_, -1));
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(std::exchange(pid_, -1), nullptr, 0);
    }
}

// What became of the child, when the socket says that it is gone or silent.
Error IsolatedEngine::ended(const Error& why) {
    const std::string on = " on " + label_;
    Error result = error(Code::internal, name_ + " gave a garbled answer" + on);
    if (why.code == Code::deadline_exceeded) {
        result = error(Code::deadline_exceeded,
                       name_ + " did not answer within " +
                           std::to_string(isolation_.time_limit.count() / 1000) + " s" + on +
                           " and was stopped");
    } else if (why.code == Code::unavailable) {
        int status = 0;
        waitpid(std::exchange(pid_, -1), &status, 0);
        result =
            WIFSIGNALED(status)
                ? error(Code::internal, name_ + " crashed: " + signal_name(WTERMSIG(status)) + on)
                : error(Code::internal,
                        name_ + " ended with status " + std::to_string(WEXITSTATUS(status)) + on);
    }
    stop();
    dead_ = result;
    return result;
}

Result<std::string> IsolatedEngine::call(MessageType type, std::string body) {
    if (socket_ < 0) return dead_;
    const Status sent = send_message(socket_, Message{type, std::move(body)});
    if (!sent.ok()) return ended(sent.error());
    Result<Message> answer = receive_message(socket_, isolation_.time_limit);
    if (!answer.ok()) return ended(answer.error());
    if (answer->type == MessageType::ok) return std::move(answer->body);
    BodyReader reader(answer->body);
    const auto code = static_cast<Code>(reader.number());
    const std::string message(reader.bytes());
    if (answer->type != MessageType::failed || !reader.ok() || code == Code::ok)
        return ended(error(Code::data_loss, "garbled"));
    return error(code, message);
}

Status IsolatedEngine::read_infos(BodyReader& reader) {
    for (auto* slots : {&inputs_, &outputs_}) {
        const std::uint64_t count = reader.number();
        slots->clear();
        for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
            Slot slot;
            slot.info.name = std::string(reader.bytes());
            slot.info.dtype = static_cast<DType>(reader.number());
            const std::uint64_t rank = reader.number();
            for (std::uint64_t d = 0; d < rank && d < Shape::max_rank; ++d)
                slot.info.shape.push_back(static_cast<std::int32_t>(reader.number()));
            const auto scale = static_cast<std::uint32_t>(reader.number());
            std::memcpy(&slot.info.quantization.scale, &scale, sizeof scale);
            slot.info.quantization.zero_point = static_cast<std::int32_t>(reader.number());
            slot.info.bytes = reader.number();
            slots->push_back(std::move(slot));
        }
    }
    if (!reader.ok()) return ended(error(Code::data_loss, "garbled"));
    return {};
}

Status IsolatedEngine::resize_input(std::size_t i, const Shape& shape) {
    prepared_ = false;
    BodyWriter body;
    body.add(std::uint64_t{i}).add(static_cast<std::uint64_t>(shape.rank()));
    for (const std::int32_t dim : shape) body.add(static_cast<std::uint64_t>(dim));
    TRY(call(MessageType::resize, body.take()));
    return {};
}

Status IsolatedEngine::prepare() {
    const std::string answer = TRY(call(MessageType::prepare, {}));
    BodyReader reader(answer);
    TRY(read_infos(reader));
    for (Slot& slot : inputs_) slot.data.assign(slot.info.bytes, '\0');
    prepared_ = true;
    return {};
}

MutableBytes IsolatedEngine::input(std::size_t i) {
    std::string& data = inputs_[i].data;
    return {reinterpret_cast<std::uint8_t*>(data.data()), data.size()};
}

Bytes IsolatedEngine::output(std::size_t i) const {
    return as_bytes(outputs_[i].data);
}

std::string IsolatedEngine::input_body() const {
    BodyWriter body;
    for (const Slot& slot : inputs_) body.add(slot.data);
    return body.take();
}

Status IsolatedEngine::invoke() {
    if (!prepared_) TRY(prepare());
    const std::string answer = TRY(call(MessageType::invoke, input_body()));
    BodyReader reader(answer);
    std::vector<std::string> inputs;
    for (Slot& slot : inputs_) inputs.push_back(std::move(slot.data));
    TRY(read_infos(reader));
    for (std::size_t i = 0; i < inputs_.size() && i < inputs.size(); ++i)
        inputs_[i].data = std::move(inputs[i]);
    for (Slot& slot : outputs_) slot.data = std::string(reader.bytes());
    if (!reader.ok()) return ended(error(Code::data_loss, "garbled"));
    return {};
}

Status IsolatedEngine::reset_state() {
    TRY(call(MessageType::reset, {}));
    return {};
}

Result<std::vector<std::int64_t>> IsolatedEngine::time_invocations(int count) {
    if (!prepared_) TRY(prepare());
    BodyWriter body;
    body.add(static_cast<std::uint64_t>(count));
    const std::string answer = TRY(call(MessageType::time_invocations, body.take() + input_body()));
    BodyReader reader(answer);
    std::vector<std::int64_t> times;
    times.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) times.push_back(static_cast<std::int64_t>(reader.number()));
    if (!reader.ok()) return ended(error(Code::data_loss, "garbled"));
    return times;
}

Result<ProcessUse> IsolatedEngine::process_use() {
    const std::string answer = TRY(call(MessageType::process_use, {}));
    BodyReader reader(answer);
    ProcessUse use{};
    use.load_ns = static_cast<std::int64_t>(reader.number());
    use.peak_bytes = reader.number();
    if (!reader.ok()) return ended(error(Code::data_loss, "garbled"));
    return use;
}

}  // namespace skiff::cli
