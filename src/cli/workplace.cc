#include "cli/workplace.h"

#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <ctime>

#include "base/files.h"
#include "cli/remote/http_home.h"
#include "host/host.h"

namespace skiff::cli {

void add_folder_option(CLI::App& verb, WorkplaceOptions& options) {
    verb.add_option("-C", options.folder, "DIR: the project's folder (default: here or above)")
        ->type_name("DIR")
        ->each([&options](const std::string&) { options.folder_given = true; });
}

void add_home_options(CLI::App& verb, WorkplaceOptions& options) {
    add_folder_option(verb, options);
    CLI::Option* to =
        verb.add_option("--to", options.place.folder, "DIR: the repository in this folder")
            ->type_name("DIR");
    verb.add_option("--context", options.place.context,
                    "NAME: the repository on this server (see skiff login)")
        ->type_name("NAME")
        ->excludes(to);
}

Result<std::unique_ptr<publish::Home>> Workplace::open_home(const publish::HomePlace& place) const {
    if (place.context.empty())
        return publish::folder_home(place.folder, audit_file(), user_at_host());
    const Context context = TRY(find_context(place.context));
    auto http = host::system_host().http;
    if (!http)
        return error(Code::unimplemented,
                     "this skiff was built without HTTP: it cannot reach " + context.url);
    return std::unique_ptr<publish::Home>(std::make_unique<HttpHome>(context, std::move(http)));
}

std::string Workplace::audit_file() const {
    return project_ ? project_->audit_file() : std::string();
}

Result<std::unique_ptr<Workplace>> Workplace::open(const WorkplaceOptions& options) {
    auto workplace = std::make_unique<Workplace>();
    workplace->project_ = TRY(publish::Project::open(options.folder));
    const publish::Project& project = *workplace->project_;
    workplace->root_ = project.root();
    workplace->name_ = project.name();
    workplace->keys_ = TRY(project.keys());
    workplace->dry_run_ = options.dry_run;
    const bool chosen = !(options.place == publish::HomePlace{});
    workplace->place_ = chosen ? options.place : project.home();
    workplace->real_home_ = TRY(workplace->open_home(workplace->place_));
    if (chosen && !(options.place == project.home())) {
        auto own = TRY(workplace->open_home(project.home()));
        if (!options.dry_run) {
            workplace->twin_ = std::move(own);
        } else if (TRY(own->version()) > TRY(workplace->real_home_->version())) {
            TRY(publish::check_home_belongs(*workplace->real_home_, project.root(),
                                            project.name()));
            workplace->real_home_ = std::move(own);
        }
    }
    workplace->home_ = options.dry_run ? publish::dry_home(*workplace->real_home_)
                                       : std::move(workplace->real_home_);
    return workplace;
}

Result<std::unique_ptr<Workplace>> Workplace::open_to_read(const WorkplaceOptions& options) {
    auto workplace = std::make_unique<Workplace>();
    auto project = publish::Project::open(options.folder);
    if (project.ok()) {
        workplace->root_ = project->root();
        workplace->name_ = project->name();
        const bool chosen = !(options.place == publish::HomePlace{});
        workplace->place_ = chosen ? options.place : project->home();
        workplace->project_ = std::move(project).value();
    } else {
        if (project.error().code != Code::not_found || options.folder_given ||
            !options.place.folder.empty())
            return project.error();
        const std::string name =
            options.place.context.empty() ? TRY(load_contexts()).current : options.place.context;
        if (name.empty())
            return error(Code::not_found, project.error().message +
                                              "; nor a current context (skiff login URL --project "
                                              "P)");
        const Context context = TRY(find_context(name));
        if (context.root.empty())
            return error(Code::failed_precondition,
                         "when you logged in to " + name +
                             " nothing was published there (log in again, or use its project's "
                             "folder)");
        workplace->root_ = context.root;
        workplace->name_ = context.project;
        workplace->place_.context = name;
    }
    workplace->home_ = TRY(workplace->open_home(workplace->place_));
    return workplace;
}

publish::Publisher Workplace::publisher() const {
    return {*home_, root_, name_, keys_.signers(), std::time(nullptr), twin_.get()};
}

void Workplace::on_upload(const HttpHome::OnUpload& listener) {
    for (publish::Home* home : {home_.get(), twin_.get()})
        if (auto* server = dynamic_cast<HttpHome*>(home)) server->on_upload(listener);
}

Status Workplace::remember_home() {
    if (dry_run_ || !project_) return {};
    if (!place_.context.empty()) {
        Contexts contexts = TRY(load_contexts());
        const auto at = contexts.by_name.find(place_.context);
        if (at != contexts.by_name.end() && at->second.root.empty()) {
            at->second.root = root_;
            TRY(save_contexts(contexts));
        }
    }
    return project_->set_home(place_);
}

Result<Found> find_version(const publish::Reference& reference, const WorkplaceOptions& options) {
    Found found;
    found.workplace = TRY(Workplace::open_to_read(options));
    found.tree = std::make_unique<publish::StagedTree>(found.workplace->home());
    found.repository = std::make_unique<trust::Repository>(
        TRY(publish::open_home(found.workplace->publisher(), *found.tree)));
    found.model = TRY(publish::read_model(*found.repository, *found.tree, reference.model));
    found.version = TRY(publish::resolve(found.model, reference));
    return found;
}

std::string user_at_host() {
    char host[256] = "";
    (void)::gethostname(host, sizeof host - 1);
    const passwd* user = ::getpwuid(::geteuid());
    return (user ? std::string(user->pw_name) : "uid " + std::to_string(::geteuid())) + "@" + host;
}

}  // namespace skiff::cli
