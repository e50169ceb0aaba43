// From a path to what answers it, through the tokens.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http.h"
#include "server/services.h"
#include "server/tokens.h"

namespace skiff::server {

constexpr std::uint64_t json_body_bytes = 16u << 20;
constexpr std::uint64_t target_body_bytes = std::uint64_t{2} << 30;

struct Call {
    std::string project;  // a name; "" on routes without {project}
    std::string rest;     // what "..." stands for, as sent
    std::optional<TokenInfo> token = {};
    Request request;
};

struct Route {
    std::string method;                    // GET answers HEAD as well
    std::string pattern;                   // "/v1/projects/{project}/targets/..."
    std::vector<std::string> scopes = {};  // a token with one of them; none: for everyone
    std::uint64_t max_body_bytes = 0;
    std::function<void(Call, Reply)> answer = {};
    // Instead of `answer`, for bodies that are not gathered.
    std::function<Intake(Call)> begin = {};
};

class Router final : public Handler {
 public:
    Router(Services& services, std::vector<Route> routes)
        : services_(services), routes_(std::move(routes)) {}
    Intake begin(const Request& head) override;
    void finished(const Request& head, const std::string& route, int status,
                  double seconds) override;

 private:
    Intake begin_route(const Route& route, Call call);
    Result<TokenInfo> authorize(const Route& route, const Call& call);

    Services& services_;
    const std::vector<Route> routes_;
};

// The routes by subject.
void add_tree_routes(std::vector<Route>& routes, Services& services);
void add_publish_routes(std::vector<Route>& routes, Services& services);
void add_report_routes(std::vector<Route>& routes, Services& services);
void add_admin_routes(std::vector<Route>& routes, Services& services,
                      const std::function<int()>& connections);

// For the replies of errors that name files of ours: without where our data lies.
Error without_paths(Error e, const Services& services);
// A number in the query or a header; empty when it is none.
std::optional<std::int64_t> whole_number(std::string_view text);

}  // namespace skiff::server
