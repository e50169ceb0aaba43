// One model as an app holds it: what runs is looked up when the store or the attributes changed,
// and is a pointer otherwise.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "device/bundled.h"
#include "device/choice.h"
#include "device/core.h"
#include "device/updater.h"

namespace skiff::device {

class Worker;

class ModelHandle final : public Model {
 public:
    // Errors: a bundled model that is none.
    static Result<std::shared_ptr<ModelHandle>> create(std::shared_ptr<Core> core,
                                                       std::weak_ptr<Worker> worker,
                                                       const std::string& name,
                                                       ModelOptions options);
    ~ModelHandle() override;

    const std::string& name() const override { return name_; }
    Result<std::unique_ptr<BorrowedEngine>> interpreter() override;
    Result<ModelFile> file() override;
    Trace trace() override;
    Download update(const DownloadConditions& conditions) override;
    ModelStatus status() const override;
    Assignment assignment() const override;
    void record_outcome(std::uint64_t inference_id, bool correct) override;
    void record(std::string_view metric, double value) override;
    void record_confidence(float value) override;

    UpdateRequest request() const;
    // Checks and passes update it: all but local_model, which is left alone once anything runs.
    bool follows_rules() const;
    // A check has never been made for it, or what it wants is not here yet.
    bool lacks_something() const;
    // Looks at the store if it changed, and tells the app if that is news to it.
    void look();

 private:
    // What was seen last, and what follows from it.
    struct View {
        std::uint64_t epoch = 0, generation = 0;
        std::shared_ptr<const Json> attributes;
        ModelState state;
        Choice choice;         // file() and whoever asks
        Choice engine_choice;  // interpreter(): another one where `choice` is no .tflite file
    };
    // Locks mutex_, and after it is let go hands the app what it is to be told.
    class Guard {
     public:
        explicit Guard(const ModelHandle& of) : of_(of), lock_(of.mutex_) {}
        ~Guard();
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;

     private:
        const ModelHandle& of_;
        std::unique_lock<std::mutex> lock_;
    };
    ModelHandle(std::shared_ptr<Core> core, std::weak_ptr<Worker> worker, std::string name,
                ModelOptions options, std::shared_ptr<const Bundled> bundled);

    bool is_current() const;    // under mutex_, as all below
    Status refresh() const;     // reads the store when it must
    void choose_again() const;  // after `unloadable_` or the view changed
    Status load();              // what engine_choice says, into loaded_
    Result<std::shared_ptr<const model::Model>> load_model(std::shared_ptr<const void>& lease);
    void give_up_on(const InstalledVersion& version, const Error& e);
    Result<ModelFile> file_of_choice();
    ChoiceContext context() const;
    ChoiceContext engine_context() const;
    ModelStatus status_of(const Choice& choice, const Choice& engine_choice) const;
    Assignment assignment_of(const Choice& choice) const;
    Version running_version(const Choice& choice) const;  // it runs something
    telemetry::CellKey cell_key(const Choice& choice) const;
    // What this app's uses are counted for: once it has computed, what computes.
    const Choice& used_choice() const { return computes_ ? view_.engine_choice : view_.choice; }
    Error nothing_computes() const;

    const std::shared_ptr<Core> core_;
    const std::weak_ptr<Worker> worker_;
    const std::string name_;
    const ModelOptions options_;
    const std::shared_ptr<const Bundled> bundled_;  // may be null
    const std::string io_signature_;
    const std::shared_ptr<InferenceRing> ring_ = std::make_shared<InferenceRing>();

    mutable std::mutex mutex_;
    mutable View view_;
    mutable std::optional<ModelStatus> told_;
    mutable std::vector<std::function<void()>> to_tell_;
    mutable std::map<std::string, std::string> unloadable_;
    mutable std::shared_ptr<LoadedVersion> loaded_;  // null until somebody borrows
    mutable telemetry::CellKey loaded_key_;
    mutable std::string loaded_sha256_;
    bool computes_ = false;              // interpreter() was asked
    telemetry::Cell* traced_ = nullptr;  // of what file() gave last
    Assignment traced_assignment_;
};

}  // namespace skiff::device
