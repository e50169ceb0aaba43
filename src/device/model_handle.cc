#include "device/model_handle.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/files.h"
#include "base/log.h"
#include "base/sha256.h"
#include "device/worker.h"

namespace skiff::device {

namespace {

// Once in a process and for each file: a disk may rot, and what rotted must not label. A file that
// was written anew is another one.
Status check_once(const std::string& path, const std::string& sha256) {
    using Seen = std::tuple<std::string, std::string, ino_t, time_t, long>;
    static std::mutex mutex;
    static std::set<Seen> good;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return error(Code::not_found, path + ": is not there");
    const Seen seen{path, sha256, info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
    {
        std::lock_guard lock(mutex);
        if (good.contains(seen)) return {};
    }
    if (TRY(sha256_file_hex(path)) != sha256)
        return error(Code::data_loss, path + ": is damaged, its hash is another");
    std::lock_guard lock(mutex);
    good.insert(seen);
    return {};
}

}  // namespace

ModelHandle::ModelHandle(std::shared_ptr<Core> core, std::weak_ptr<Worker> worker, std::string name,
                         ModelOptions options, std::shared_ptr<const Bundled> bundled)
    : core_(std::move(core)),
      worker_(std::move(worker)),
      name_(std::move(name)),
      options_(std::move(options)),
      bundled_(std::move(bundled)),
      io_signature_(!options_.io_signature.empty() ? options_.io_signature
                    : bundled_                     ? bundled_->io_signature()
                                                   : "") {}

ModelHandle::~ModelHandle() = default;

Result<std::shared_ptr<ModelHandle>> ModelHandle::create(std::shared_ptr<Core> core,
                                                         std::weak_ptr<Worker> worker,
                                                         const std::string& name,
                                                         ModelOptions options) {
    std::shared_ptr<const Bundled> bundled;
    if (options.bundled) bundled = TRY(Bundled::open(*options.bundled));
    std::shared_ptr<ModelHandle> handle(new ModelHandle(std::move(core), std::move(worker), name,
                                                        std::move(options), std::move(bundled)));
    const Guard guard(*handle);
    // A bundled model works without the store: what is wrong with that is in the log.
    Status seen = handle->refresh();
    if (!seen.ok() && !handle->bundled_) return seen.take_error();
    return handle;
}

bool ModelHandle::is_current() const {
    return view_.attributes && view_.epoch == core_->store->epoch().now() &&
           view_.generation == core_->attributes_generation();
}

ChoiceContext ModelHandle::context() const {
    ChoiceContext context =
        choice_context(*core_, *view_.attributes, name_, io_signature_, bundled_ != nullptr);
    context.unloadable = &unloadable_;
    return context;
}

ChoiceContext ModelHandle::engine_context() const {
    ChoiceContext context = this->context();
    context.computes = true;
    context.has_bundled = bundled_ && bundled_->model();
    return context;
}

Status ModelHandle::refresh() const {
    if (is_current()) return {};
    // Numbers first: a change that comes while the store is read is seen the next time.
    const std::uint64_t epoch = core_->store->epoch().now();
    const std::uint64_t generation = core_->attributes_generation();
    // (A stand-in that cannot be read will not be read the next time either.)
    auto state = core_->store->can_read() || !view_.attributes ? core_->store->read(name_)
                                                               : Result<ModelState>(ModelState());
    Status read;
    if (state.ok()) {
        view_.state = std::move(state).value();
        view_.epoch = epoch;
        view_.generation = generation;
    } else {
        read = state.take_error();
        log(LogLevel::warning, name_ + ": " + read.error().message);
    }
    view_.attributes = core_->attributes();
    choose_again();
    return read;
}

void ModelHandle::choose_again() const {
    view_.choice = choose(view_.state, context());
    view_.engine_choice = choose(view_.state, engine_context());
    const Choice& computes = view_.engine_choice;
    if (loaded_ && (!computes.runs || cell_key(computes) != loaded_key_ ||
                    running_version(computes).sha256 != loaded_sha256_)) {
        loaded_->retire();
        loaded_.reset();
    }
    ModelStatus now = status_of(view_.choice, view_.engine_choice);
    if (told_ && now != *told_ && options_.on_change)
        to_tell_.push_back(
            [tell = options_.on_change, now, before = *told_] { tell(now, before); });
    told_ = std::move(now);
}

ModelHandle::Guard::~Guard() {
    const auto to_tell = std::exchange(of_.to_tell_, {});
    lock_.unlock();
    for (const auto& task : to_tell) of_.core_->executor.post(task);
}

Version ModelHandle::running_version(const Choice& choice) const {
    const std::uint32_t number = *choice.runs;
    return {name_, number,
            number == 0 ? bundled_->sha256() : view_.state.installed.at(number).sha256};
}

telemetry::CellKey ModelHandle::cell_key(const Choice& choice) const {
    telemetry::CellKey key{name_, choice.runs.value_or(0)};
    if (choice.counts) {
        key.experiment = choice.experiment.substr(0, 63);
        key.variant = choice.variant.substr(0, 63);
    }
    return key;
}

ModelStatus ModelHandle::status_of(const Choice& choice, const Choice& engine_choice) const {
    ModelStatus status;
    if (choice.runs) status.running = running_version(choice);
    if (choice.wanted == Choice::Wanted::missing) {
        const PublishedVersion& published = view_.state.catalog.versions.at(choice.wanted_number);
        status.waiting =
            Version{name_, choice.wanted_number,
                    published.main_for(text_attribute(*view_.attributes, "device_class")).sha256()};
    }
    status.source = choice.source;
    status.why = choice.why;
    if (choice.runs && engine_choice.runs && choice.runs != engine_choice.runs)
        status.why += "; it is no .tflite file, so interpreter() runs " +
                      version_name(name_, *engine_choice.runs);
    return status;
}

Assignment ModelHandle::assignment_of(const Choice& choice) const {
    Assignment assignment;
    if (choice.counts) {
        assignment.experiment = choice.experiment;
        assignment.variant = choice.variant;
    }
    assignment.version = choice.runs ? running_version(choice) : Version{name_, 0, {}};
    assignment.reason = choice.why;
    return assignment;
}

Result<std::unique_ptr<BorrowedEngine>> ModelHandle::interpreter() {
    std::shared_ptr<LoadedVersion> loaded;
    {
        const Guard guard(*this);
        Status seen = refresh();
        computes_ = true;
        if (!loaded_) {
            if (!seen.ok() && !view_.engine_choice.runs) return seen.take_error();
            TRY(load());
        }
        loaded = loaded_;
    }
    return loaded->borrow();
}

Error ModelHandle::nothing_computes() const {
    if (view_.choice.runs)
        return error(
            Code::unimplemented,
            version_name(name_, *view_.choice.runs) +
                " is no .tflite file: use its path, from file(), or bundle a .tflite model");
    return error(Code::not_found, "no version of " + name_ + " can run: " + view_.choice.why);
}

// Versions that do not load are given up one by one, down to the bundled one.
Status ModelHandle::load() {
    for (;;) {
        const Choice& choice = view_.engine_choice;
        if (!choice.runs) return nothing_computes();
        const std::uint32_t number = *choice.runs;
        const Version version = running_version(choice);
        std::shared_ptr<const void> lease;
        auto model = load_model(lease);
        if (!model.ok() && model.error().code == Code::not_found && number != 0) {
            // Collected meanwhile, or lost: the store knows which.
            const std::uint64_t before = view_.epoch;
            view_.epoch = 0;
            TRY(refresh());
            if (view_.epoch != before) continue;
        }
        if (model.ok()) {
            telemetry::Cell& cell = core_->recorder->cell(cell_key(choice));
            Core* core = core_.get();
            Counting counting{core_->options.host.clock, &cell,
                              [core, &cell, assignment = assignment_of(choice)] {
                                  core->expose(assignment, cell);
                              },
                              ring_};
            using Keep = std::pair<std::shared_ptr<Core>, std::shared_ptr<const void>>;
            auto loaded =
                LoadedVersion::load(version, *model, options_.load, std::move(counting),
                                    std::make_shared<const Keep>(core_, std::move(lease)));
            if (loaded.ok()) {
                loaded_ = std::move(loaded).value();
                loaded_key_ = cell_key(choice);
                loaded_sha256_ = version.sha256;
                return {};
            }
            model = loaded.take_error();
        }
        if (number == 0) return model.take_error();
        give_up_on(view_.state.installed.at(number), model.error());
    }
}

Result<std::shared_ptr<const model::Model>> ModelHandle::load_model(
    std::shared_ptr<const void>& lease) {
    const std::uint32_t number = *view_.engine_choice.runs;
    if (number == 0) return bundled_->model();
    const InstalledVersion& version = view_.state.installed.at(number);
    lease = TRY(core_->files.lease(name_, version));
    const std::string path = core_->files.path(name_, version, 0);
    TRY(check_once(path, version.sha256));
    return model::Model::load_file(path);
}

void ModelHandle::give_up_on(const InstalledVersion& version, const Error& e) {
    log(LogLevel::warning, version_name(name_, version.number) + " does not load: " + e.message);
    unloadable_[version.sha256] = e.message;
    // A file that is not what it was is fetched again; one that is may load another time.
    const auto hash = sha256_file_hex(core_->files.path(name_, version, 0));
    if (!hash.ok() || *hash != version.sha256) {
        const std::uint32_t number = version.number;
        (void)remove_file(core_->files.blob(version.sha256));
        const UpdateRow again{number, version.sha256, Progress::State::waiting,
                              "its file on this disk was damaged, it is fetched again"};
        Status removed = core_->store->uninstall(name_, number);
        if (removed.ok()) removed = core_->store->set_update(name_, again);
        view_.state.update = again;
        if (!removed.ok()) log(LogLevel::warning, removed.error().message);
        unloadable_.erase(version.sha256);
        view_.state.installed.erase(number);
    }
    choose_again();
}

Result<ModelFile> ModelHandle::file() {
    const Guard guard(*this);
    Status seen = refresh();
    if (!seen.ok() && !view_.choice.runs) return seen.take_error();
    for (int attempt = 0;; ++attempt) {
        auto file = file_of_choice();
        if (file.ok()) {
            traced_ = &core_->recorder->cell(cell_key(view_.choice));
            traced_assignment_ = assignment_of(view_.choice);
            return file;
        }
        if (file.error().code != Code::not_found || attempt == 3) return file;
        view_.epoch = 0;  // collected meanwhile: the store knows what there is now
        TRY(refresh());
    }
}

Result<ModelFile> ModelHandle::file_of_choice() {
    if (!view_.choice.runs)
        return error(Code::not_found, "no version of " + name_ + " can run: " + view_.choice.why);
    ModelFile file;
    file.version = running_version(view_.choice);
    if (*view_.choice.runs == 0) {
        auto [path, lease] = TRY(bundled_->path(core_->files, name_));
        file.path = std::move(path);
        file.lease = std::move(lease);
        file.files = bundled_->files();
        return file;
    }
    const InstalledVersion& version = view_.state.installed.at(*view_.choice.runs);
    file.lease = TRY(core_->files.lease(name_, version));
    file.path = core_->files.path(name_, version, 0);
    for (std::size_t i = 1; i < version.files.size(); ++i)
        file.files.emplace_back(version.files[i].name, core_->files.path(name_, version, i));
    return file;
}

Trace ModelHandle::trace() {
    telemetry::Cell* cell = nullptr;
    Assignment assignment;
    {
        const Guard guard(*this);
        cell = traced_;
        assignment = traced_assignment_;
    }
    if (!cell) return {};
    core_->expose(assignment, *cell);
    Trace trace(cell, core_->options.host.clock, core_);
    ring_->note(trace.inference_id(), *cell);
    return trace;
}

UpdateRequest ModelHandle::request() const {
    return {name_, options_.conditions, io_signature_, bundled_ != nullptr};
}

bool ModelHandle::follows_rules() const {
    return options_.type != DownloadType::local_model || !status().running;
}

bool ModelHandle::lacks_something() const {
    const Guard guard(*this);
    (void)refresh();
    return !view_.state.catalog.known || view_.choice.wanted == Choice::Wanted::missing;
}

Download ModelHandle::update(const DownloadConditions& conditions) {
    const auto worker = worker_.lock();
    if (!worker)
        return finished_download(error(Code::cancelled, "the client of this model is gone"), "");
    UpdateRequest wanted = request();
    wanted.conditions = conditions;
    return worker->submit(wanted, false);
}

void ModelHandle::look() {
    const Guard guard(*this);
    (void)refresh();
}

ModelStatus ModelHandle::status() const {
    const Guard guard(*this);
    (void)refresh();
    // Rules become stale with time alone.
    return status_of(choose(view_.state, context()), choose(view_.state, engine_context()));
}

Assignment ModelHandle::assignment() const {
    const Guard guard(*this);
    (void)refresh();
    return assignment_of(used_choice());
}

void ModelHandle::record_outcome(std::uint64_t inference_id, bool correct) {
    if (telemetry::Cell* cell = ring_->take(inference_id)) cell->labelled_outcome(correct);
}

void ModelHandle::record(std::string_view metric, double value) {
    const Guard guard(*this);
    (void)refresh();
    core_->recorder->cell(cell_key(used_choice())).goal(metric, value);
}

void ModelHandle::record_confidence(float value) {
    const Guard guard(*this);
    (void)refresh();
    core_->recorder->cell(cell_key(used_choice())).confidence(value);
}

}  // namespace skiff::device
