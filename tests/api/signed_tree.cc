#include "tests/api/signed_tree.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "decide/rollout.h"
#include "decide/version_record.h"
#include "runtime/interpreter.h"
#include "runtime/io_signature.h"
#include "runtime/smoke.h"
#include "trust/repository.h"
#include "trust/signer.h"

namespace skiff::test {
namespace {

std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::unique_ptr<trust::FileSigner> signer(std::uint8_t number) {
    trust::FileSigner::Seed seed;
    seed.fill(number);
    return trust::FileSigner::from_seed(seed);
}

struct Keys {
    std::unique_ptr<trust::FileSigner> root = signer(1), targets = signer(2), models = signer(3),
                                       online = signer(4);
    trust::Signers all() const { return {root.get(), targets.get(), models.get(), online.get()}; }
    static trust::KeySet set(const trust::FileSigner& of) { return {{of.public_key()}, 1}; }
};

void put_ruleset(trust::Tree& tree, trust::Repository& repository, const std::string& model,
                 std::uint32_t number) {
    const Json rules = decide::empty_model_ruleset(model, number);
    const std::string path = decide::ruleset_target(model);
    const auto record = trust::write_target(tree, path, as_bytes(json_text(rules))).value();
    repository.set_target(path, record, Json()).value();
}

}  // namespace

SignedTree::SignedTree(std::string folder) : folder_(std::move(folder)) {
    trust::FolderTree tree(folder_);
    if (tree.exists("metadata/timestamp.json")) return;
    const Keys keys;
    auto repository =
        trust::Repository::create(tree, {Keys::set(*keys.root), Keys::set(*keys.targets),
                                         Keys::set(*keys.models), Keys::set(*keys.online)});
    repository->commit(keys.all(), now_s()).value();
    write_file(root_path(), as_bytes(repository->root_file())).value();
}

void SignedTree::publish(const std::string& model, std::uint32_t number, const std::string& tflite,
                         const Files& files) {
    const Keys keys;
    trust::FolderTree tree(folder_);
    auto repository = trust::Repository::open(tree).value();
    const auto loaded = model::Model::load_file(tflite).value();
    const auto engine = runtime::Interpreter::create(loaded).value();
    decide::VersionRecord record;
    record.model = model;
    record.version = number;
    record.io_signature = runtime::io_signature(*loaded);
    record.smoke = decide::SmokeTest{number, runtime::smoke_digest(*engine, number).value()};
    for (const auto& [name, contents] : files) {
        const std::string path = decide::file_target(model, number, name);
        const auto target = trust::write_target(tree, path, as_bytes(contents)).value();
        repository.set_target(path, target, Json()).value();
        record.files.push_back({name, path});
    }
    const std::string path = decide::main_target(model, number, ".tflite");
    const auto target =
        trust::write_target(tree, path, as_bytes(read_file(tflite).value())).value();
    repository.set_target(path, target, decide::write_version_record(record)).value();
    if (number == 1) put_ruleset(tree, repository, model, number);
    repository.commit(keys.all(), now_s()).value();
}

void SignedTree::set_default(const std::string& model, std::uint32_t number) {
    const Keys keys;
    trust::FolderTree tree(folder_);
    auto repository = trust::Repository::open(tree).value();
    put_ruleset(tree, repository, model, number);
    repository.commit(keys.all(), now_s()).value();
}

}  // namespace skiff::test
