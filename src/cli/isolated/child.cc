// The child's side of isolated_engine.h.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/files.h"
#include "cli/isolated/isolated_engine.h"
#include "runtime/engines/dynamic_library.h"

namespace skiff::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t nanoseconds_since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

// A line of /proc/self/status such as "VmHWM:  1234 kB", in bytes.
std::uint64_t memory_line(std::string_view name) {
    const auto status = read_file("/proc/self/status");
    const std::size_t at = status.ok() ? status->find(name) : std::string::npos;
    if (at == std::string::npos) return 0;
    return std::strtoull(status->c_str() + at + name.size(), nullptr, 10) * 1024;
}

class Server {
 public:
    Server(int socket_fd, int model_fd) : socket_(socket_fd), model_fd_(model_fd) {}

    // Until the other end closes.
    int run() {
        constexpr std::chrono::milliseconds forever = std::chrono::hours(24 * 365);
        while (true) {
            const Result<Message> message = receive_message(socket_, forever);
            if (!message.ok()) return 0;
            Result<std::string> answer = handle_all(*message);
            Message reply{MessageType::ok, {}};
            if (answer.ok()) {
                reply.body = std::move(answer).value();
            } else {
                reply.type = MessageType::failed;
                BodyWriter body;
                body.add(static_cast<std::uint64_t>(answer.error().code));
                reply.body = body.add(answer.error().message).take();
            }
            if (!send_message(socket_, reply).ok()) return 0;
        }
    }

 private:
    // A library's exceptions end here too.
    Result<std::string> handle_all(const Message& message) {
        try {
            return handle(message);
        } catch (const std::bad_alloc&) {
            return error(Code::resource_exhausted, engine_name() + " ran out of memory");
        } catch (const std::exception& e) {
            return error(Code::internal, engine_name() + " threw an exception (" + e.what() + ")");
        }
    }

    std::string engine_name() const {
        return engine_ ? std::string(engine_->name()) : "the engine";
    }

    Result<std::string> handle(const Message& message) {
        BodyReader reader(message.body);
        if (message.type == MessageType::create) return create(reader);
        if (!engine_) return error(Code::failed_precondition, "no engine yet");
        switch (message.type) {
            case MessageType::resize:
                return resize(reader);
            case MessageType::prepare:
                return prepare();
            case MessageType::invoke:
                return invoke(reader);
            case MessageType::reset:
                TRY(engine_->reset_state());
                return std::string();
            case MessageType::time_invocations:
                return time_invocations(reader);
            case MessageType::process_use: {
                BodyWriter body;
                body.add(static_cast<std::uint64_t>(load_ns_));
                const std::uint64_t peak = memory_line("VmHWM:");
                return body.add(peak - std::min(peak, resident_before_)).take();
            }
            default:
                return error(Code::invalid_argument, "unknown request");
        }
    }

    Result<std::string> create(BodyReader& reader) {
        const std::string spec(reader.bytes()), label(reader.bytes());
        runtime::EngineOptions options;
        options.threads = static_cast<int>(reader.number());
        options.allow_fp16 = reader.number() != 0;
        options.signature = std::string(reader.bytes());
        file_ = TRY(MappedFile::open("/proc/self/fd/" + std::to_string(model_fd_)));
        // A program links its library: opening it is no part of loading a model.
        if (const std::size_t colon = spec.find(':'); colon != std::string::npos)
            TRY(runtime::DynamicLibrary::open(spec.substr(colon + 1)));
        resident_before_ = memory_line("VmRSS:");

        const auto start = Clock::now();
        auto model = TRY(model::Model::load_memory(file_->bytes(), label));
        const std::int64_t model_ns = nanoseconds_since(start);
        engine_ = TRY(runtime::create_engine(spec, model, options));
        load_ns_ = nanoseconds_since(start);
        // A foreign library reads the file once more by itself; our reader only tells it names.
        if (spec != "skiff") load_ns_ -= model_ns;
        BodyWriter body;
        body.add(engine_->name());
        return body.take() + infos();
    }

    Result<std::string> resize(BodyReader& reader) {
        const std::uint64_t index = reader.number(), rank = reader.number();
        Shape shape;
        for (std::uint64_t d = 0; d < rank && d < Shape::max_rank; ++d)
            shape.push_back(static_cast<std::int32_t>(reader.number()));
        if (index >= engine_->input_count()) return error(Code::out_of_range, "no such input");
        TRY(engine_->resize_input(index, shape));
        return std::string();
    }

    Result<std::string> prepare() {
        const auto start = Clock::now();
        TRY(engine_->prepare());
        // The first one belongs to loading.
        if (!std::exchange(prepared_, true)) load_ns_ += nanoseconds_since(start);
        return infos();
    }

    Status take_inputs(BodyReader& reader) {
        for (std::size_t i = 0; i < engine_->input_count(); ++i) {
            const std::string_view data = reader.bytes();
            const MutableBytes input = engine_->input(i);
            if (data.size() != input.size() || (!input.empty() && input.data() == nullptr))
                return error(Code::internal, std::string(engine_->name()) + " has " +
                                                 std::to_string(input.size()) +
                                                 " bytes for input " + std::to_string(i) +
                                                 ", not " + std::to_string(data.size()));
            if (!data.empty()) std::memcpy(input.data(), data.data(), data.size());
        }
        return {};
    }

    Result<std::string> invoke(BodyReader& reader) {
        TRY(take_inputs(reader));
        TRY(engine_->invoke());
        BodyWriter outputs;
        for (std::size_t i = 0; i < engine_->output_count(); ++i) outputs.add(engine_->output(i));
        return infos() + outputs.take();
    }

    Result<std::string> time_invocations(BodyReader& reader) {
        const std::uint64_t count = reader.number();
        TRY(take_inputs(reader));
        BodyWriter times;
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto start = Clock::now();
            TRY(engine_->invoke());
            times.add(static_cast<std::uint64_t>(nanoseconds_since(start)));
        }
        return times.take();
    }

    std::string infos() const {
        BodyWriter body;
        const auto add = [&](const runtime::TensorInfo& info) {
            std::uint32_t scale;
            std::memcpy(&scale, &info.quantization.scale, sizeof scale);
            body.add(info.name).add(static_cast<std::uint64_t>(info.dtype));
            body.add(static_cast<std::uint64_t>(info.shape.rank()));
            for (const std::int32_t dim : info.shape) body.add(static_cast<std::uint64_t>(dim));
            body.add(std::uint64_t{scale});
            body.add(static_cast<std::uint64_t>(info.quantization.zero_point));
            body.add(std::uint64_t{info.bytes});
        };
        body.add(std::uint64_t{engine_->input_count()});
        for (std::size_t i = 0; i < engine_->input_count(); ++i) add(engine_->input_info(i));
        body.add(std::uint64_t{engine_->output_count()});
        for (std::size_t i = 0; i < engine_->output_count(); ++i) add(engine_->output_info(i));
        return body.take();
    }

    int socket_, model_fd_;
    std::unique_ptr<MappedFile> file_;
    std::unique_ptr<runtime::Engine> engine_;
    bool prepared_ = false;
    std::int64_t load_ns_ = 0;
    std::uint64_t resident_before_ = 0;
};

}  // namespace

int serve_isolated_engine(int socket_fd, int model_fd, std::uint64_t memory_limit) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // never outlive the program that asked
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
#ifndef SKIFF_SANITIZED
    // Sanitizers map terabytes of shadow.
    const rlimit memory{memory_limit, memory_limit};
    setrlimit(RLIMIT_AS, &memory);
#else
    (void)memory_limit;
#endif
    return Server(socket_fd, model_fd).run();
}

}  // namespace skiff::cli
