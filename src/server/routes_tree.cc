// What everybody may read: the static tree, and waiting for its next version.
#include <nlohmann/json.hpp>

#include "server/answers.h"
#include "server/router.h"
#include "server/static_files.h"

namespace skiff::server {

namespace {

constexpr std::chrono::seconds longest_wait{50};

Response no_such_project() {
    return error_response(404, "NOT_FOUND", "nothing is published in this project");
}

void serve(Services& services, const std::string& folder, const Call& call, const Reply& reply) {
    const auto project = services.existing_project(call.project);
    if (!project) return reply(no_such_project());
    reply(serve_file(project->tree(), folder + call.rest, call.request));
}

void wait(Services& services, std::uint64_t id, const Call& call, const Reply& reply) {
    const auto after = whole_number(call.request.query_value("after"));
    if (!after)
        return reply(
            error_response(400, "INVALID_ARGUMENT", "say which version is known: wait?after=12"));
    const auto project = services.existing_project(call.project);
    if (!project) return reply(no_such_project());
    const auto version = project->version();
    if (!version.ok()) return reply(storage_failure(version.error(), "reading a version"));
    services.waiters.add(id, call.project, *after, *version, Waiters::Clock::now() + longest_wait,
                         [reply](std::int64_t now) {
                             reply(json_response(200, {{"version", now}}));
                         });
    // What was published between the look and the entry into the list would be missed.
    const auto now = project->version();
    if (now.ok() && *now > *version) services.waiters.published(call.project, *now);
}

// A client that goes away while it waits leaves nothing behind.
Intake begin_wait(Services& services, const Call& call) {
    const std::uint64_t id = services.waiters.new_id();
    Intake intake;
    intake.answer = [&services, id, call](const Request&, const Reply& reply) {
        wait(services, id, call, reply);
    };
    intake.left = [&services, id] { services.waiters.leave(id); };
    return intake;
}

}  // namespace

void add_tree_routes(std::vector<Route>& routes, Services& services) {
    for (const std::string folder : {"metadata/", "targets/"})
        routes.push_back({.method = "GET",
                          .pattern = "/p/{project}/" + folder + "...",
                          .answer = [&services, folder](Call call, Reply reply) {
                              serve(services, folder, call, reply);
                          }});
    routes.push_back({.method = "GET",
                      .pattern = "/v1/projects/{project}/wait",
                      .begin = [&services](Call call) { return begin_wait(services, call); }});
}

}  // namespace skiff::server
