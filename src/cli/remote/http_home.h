// A project on a server as the home of a repository: docs/api.md, the client's side.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/remote/contexts.h"
#include "host/host.h"
#include "publish/audit.h"
#include "publish/home.h"

namespace skiff::cli {

// Errors: unauthenticated (no or a wrong token; says how to log in), permission_denied (the token
// lacks a scope), aborted (somebody else published), no_network; else what the server says.
class HttpHome final : public publish::Home {
 public:
    HttpHome(Context context, std::shared_ptr<host::Http> http)
        : context_(std::move(context)), http_(std::move(http)) {}

    std::string describe() const override;
    Result<std::int64_t> version() override;
    Result<std::string> read(const std::string& path) override;
    Result<bool> exists(const std::string& path) override;
    Status put_target(const std::string& path, Bytes bytes) override;
    Status take(const publish::Publication& publication) override;

    // Called while put_target() sends.
    using OnUpload = std::function<void(std::uint64_t sent, std::uint64_t total)>;
    void on_upload(OnUpload listener) { on_upload_ = std::move(listener); }

    // All of it, oldest first.
    Result<std::vector<publish::AuditEntry>> audit();
    // What devices reported, as the server sends it.
    Result<std::string> stats();

 private:
    struct Reply {
        int status = 0;
        std::string body;
    };
    enum class Door { open, token };  // whether the token goes along
    Result<Reply> send(host::HttpRequest request, Door door);
    Error refused(const Reply& reply, const std::string& what) const;
    std::string static_url(const std::string& path) const;
    std::string api_url() const;

    const Context context_;
    const std::shared_ptr<host::Http> http_;
    OnUpload on_upload_;
};

}  // namespace skiff::cli
