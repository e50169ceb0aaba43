// A project in a scratch folder, models to publish, homes that misbehave.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/hex.h"
#include "model/builder_ops.h"
#include "publish/model_edits.h"
#include "publish/project.h"
#include "publish/publish_version.h"

namespace skiff::publish {

constexpr std::int64_t start_s = 1'800'000'000;  // 2027-01-15
constexpr std::int64_t day_s = 86400;

class Scratch {
 public:
    Scratch() {
        char path[] = "/tmp/skiff_test_publish.XXXXXX";
        if (mkdtemp(path) == nullptr) std::abort();
        folder_ = path;
    }
    ~Scratch() { std::filesystem::remove_all(folder_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    std::string operator/(const std::string& name) const { return folder_ + "/" + name; }

 private:
    std::string folder_;
};

// y = x + x over `n` floats; `scale` keeps files apart that compute the same shape.
inline std::vector<std::uint8_t> doubling_model(std::int32_t n, const std::string& name = "x") {
    model::Builder builder;
    const auto x = builder.add_tensor({.name = name, .shape = {n}});
    const auto y = builder.add_tensor({.name = "y", .shape = {n}});
    builder.add_operator(model::ops::add(x, x, y));
    builder.set_inputs({x});
    builder.set_outputs({y});
    return builder.write().value();
}

// Every file below a folder with its bytes; what `except` names is left out.
inline std::map<std::string, std::string> files_below(const std::string& folder,
                                                      const std::string& except = "/metadata/.") {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().string().find(except) == std::string::npos)
            files[entry.path().string()] = read_file(entry.path().string()).value();
    return files;
}

template <typename T>
Code code_of(const Result<T>& result) {
    return result.ok() ? Code::ok : result.error().code;
}
template <typename T>
std::string message_of(const Result<T>& result) {
    return result.ok() ? "" : result.error().message;
}

// A project that was made once: making one waits for the disk many times.
inline Project copy_of_new_project(const std::string& folder) {
    static const Scratch made;
    static const Project project =
        Project::init(made / "demo", "demo", start_s, "ann@here").value();
    std::filesystem::copy(project.folder(), folder, std::filesystem::copy_options::recursive);
    return Project::open(folder).value();
}

class PublishTest : public testing::Test {
 protected:
    Scratch scratch;
    Project project = copy_of_new_project(scratch / "demo");
    KeyRing keys = project.keys().value();
    std::unique_ptr<Home> home = open_home_again();
    std::int64_t now_s = start_s;

    std::unique_ptr<Home> open_home_again() const {
        return folder_home(project.home().folder, project.audit_file(), "ann@here");
    }
    Publisher publisher() { return publisher(*home); }
    Publisher publisher(Home& at) {
        return {at, project.root(), project.name(), keys.signers(), now_s};
    }

    std::string file(const std::string& name, std::string_view bytes) const {
        EXPECT_TRUE(write_file(scratch / name, as_bytes(bytes)).ok());
        return scratch / name;
    }
    std::string model_file(const std::string& name, std::int32_t n = 4) const {
        return file(name + ".tflite", as_text(doubling_model(n, name)));
    }

    Result<Published> publish(const NewVersion& version) {
        return publish_version(publisher(), version, [](int, int, const std::string&) {});
    }
    Result<Published> publish(const std::string& model, const std::string& path) {
        return publish(NewVersion{.model = model, .file = path});
    }
    // Versions 1 to n of "digits", each of other bytes.
    void publish_digits(int n) {
        for (int i = 1; i <= n; ++i)
            ASSERT_EQ(message_of(publish("digits", model_file("digits" + std::to_string(i)))), "");
    }

    ModelState read(const std::string& name) { return read(*home, name); }
    ModelState read(Home& at, const std::string& name) {
        StagedTree tree(at);
        const auto repository = open_home(publisher(at), tree).value();
        return read_model(repository, tree, name).value();
    }

    // An edit of one model, published.
    template <typename EditModel>
    Status edit(const std::string& name, EditModel&& edit_model) {
        const auto changed = change(
            publisher(),
            [&](trust::Repository& repository, StagedTree& tree) -> Result<std::vector<AuditNote>> {
                ModelState model = TRY(read_model(repository, tree, name));
                TRY(edit_model(repository, tree, model));
                return std::vector<AuditNote>{{"test", name, ""}};
            });
        return changed.ok() ? Status() : Status(changed.error());
    }
    Status advance(std::uint32_t to, double percent, const std::string& condition = "") {
        return edit("digits", [&](auto& repository, auto& tree, auto& model) {
            return advance_rollout(repository, tree, model, to, percent, condition);
        });
    }
    Status undo() {
        return edit("digits", [&](auto& repository, auto& tree, auto& model) {
            return undo_rollout(repository, tree, model);
        });
    }
    Status revoke_version(std::uint32_t number, const std::string& why = "bad") {
        return edit("digits", [&](auto& repository, auto& tree, auto& model) {
            return revoke(repository, tree, model, number, why);
        });
    }
    Status alias(const std::string& name, std::uint32_t version) {
        return edit("digits", [&](auto& repository, auto& tree, auto& model) {
            return set_alias(repository, tree, model, name, version);
        });
    }
};

// A home that fails, or lets somebody else go first, when told.
class TrickyHome final : public Home {
 public:
    explicit TrickyHome(Home& home) : home_(home) {}
    std::function<void()> before_take = [] {};
    bool disk_full = false, answer_lost = false;

    std::string describe() const override { return home_.describe(); }
    Result<std::int64_t> version() override { return home_.version(); }
    Result<std::string> read(const std::string& path) override { return home_.read(path); }
    Result<bool> exists(const std::string& path) override { return home_.exists(path); }
    Status put_target(const std::string& path, Bytes bytes) override {
        if (disk_full) return error(Code::not_enough_space, path + ": the disk is full");
        return home_.put_target(path, bytes);
    }
    Status take(const Publication& publication) override {
        before_take();
        const Status taken = home_.take(publication);
        return answer_lost ? Status(retryable(Code::data_loss, "no answer came")) : taken;
    }

 private:
    Home& home_;
};

}  // namespace skiff::publish
