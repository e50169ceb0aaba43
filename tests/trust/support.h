// A repository in memory, a fetcher that looks into it, keys that never change.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/hex.h"
#include "base/sha256.h"
#include "trust/client.h"
#include "trust/date_time.h"
#include "trust/repository.h"

namespace skiff::trust {

constexpr std::int64_t start_s = 1'800'000'000;  // 2027-01-15
constexpr std::int64_t day_s = 86400;

inline std::unique_ptr<FileSigner> test_signer(std::uint8_t number) {
    FileSigner::Seed seed;
    seed.fill(number);
    return FileSigner::from_seed(seed);
}

class MemoryTree final : public Tree {
 public:
    std::map<std::string, std::string> files;
    int writes_left = -1;  // then every write fails, as after a power cut; -1: never

    Result<std::string> read(const std::string& path) override {
        const auto at = files.find(path);
        if (at == files.end()) return error(Code::not_found, path + " is not there");
        return at->second;
    }
    bool exists(const std::string& path) override { return files.contains(path); }
    Status write(const std::string& path, Bytes bytes) override {
        if (writes_left == 0) return error(Code::unavailable, "the power is gone");
        if (writes_left > 0) --writes_left;
        files[path] = as_text(bytes);
        return {};
    }
};

class MemoryStore final : public Store {
 public:
    std::map<std::string, std::string> files;
    int writes_left = -1;

    Result<std::string> read(const std::string& name) override {
        const auto at = files.find(name);
        if (at == files.end()) return error(Code::not_found, name + " is not there");
        return at->second;
    }
    Status write(const std::string& name, std::string_view bytes) override {
        TRY(spend());
        files[name] = bytes;
        return {};
    }
    Status remove(const std::string& name) override {
        TRY(spend());
        files.erase(name);
        return {};
    }

 private:
    Status spend() {
        if (writes_left == 0) return error(Code::unavailable, "the power is gone");
        if (writes_left > 0) --writes_left;
        return {};
    }
};

// Serves one folder of a tree with ETags, and writes down what was asked for.
class TreeFetcher final : public Fetcher {
 public:
    TreeFetcher(MemoryTree& tree, std::string folder) : tree_(tree), folder_(std::move(folder)) {}

    std::vector<std::string> requests;  // "timestamp.json", "timestamp.json 304", "2.root.json 404"
    std::uint64_t body_bytes = 0;
    bool etags = true;
    // A hostile server: may answer instead.
    std::function<std::optional<Fetched>(const std::string& path)> instead;

    Result<Fetched> get(const std::string& path, std::uint64_t max_bytes,
                        const std::string& etag) override {
        if (instead)
            if (auto reply = instead(path)) return *reply;
        const auto file = tree_.read(folder_ + "/" + path);
        if (!file.ok()) {
            requests.push_back(path + " 404");
            return Fetched{};
        }
        const std::string tag =
            etags ? "\"" + sha256_hex(as_bytes(*file)).substr(0, 16) + "\"" : "";
        if (!etag.empty() && etag == tag) {
            requests.push_back(path + " 304");
            return Fetched{Fetched::Kind::not_modified, {}, tag};
        }
        requests.push_back(path);
        if (file->size() > max_bytes)
            return error(Code::resource_exhausted, path + " is too large");
        body_bytes += file->size();
        return Fetched{Fetched::Kind::file, *file, tag};
    }

    std::vector<std::string> take_requests() { return std::exchange(requests, {}); }

 private:
    MemoryTree& tree_;
    std::string folder_;
};

// A published project with one model, and a device that knows its first root.
struct World {
    std::unique_ptr<FileSigner> root = test_signer(1), targets = test_signer(2),
                                models = test_signer(3), online = test_signer(4);
    MemoryTree tree;
    MemoryStore store;
    TreeFetcher metadata{tree, "metadata"}, files{tree, "targets"};
    std::int64_t now_s = start_s;
    std::string pinned_root;

    Signers signers() const { return {root.get(), targets.get(), models.get(), online.get()}; }
    ProjectKeys keys() const {
        const auto one = [](const auto& signer) { return KeySet{{signer->public_key()}, 1}; };
        return {one(root), one(targets), one(models), one(online)};
    }

    // The tree's state after this is "published": digits 1, with its ruleset.
    void publish() {
        auto repository = Repository::create(tree, keys()).value();
        add(repository, "models/digits/1.tflite", "first model", {{"version", 1}});
        add(repository, "rulesets/digits.json", "{}", nullptr);
        repository.commit(signers(), now_s).value();
        pinned_root = repository.root_file();
    }
    void add(Repository& repository, const std::string& path, const std::string& bytes,
             const Json& custom) {
        const TargetRecord record = write_target(tree, path, as_bytes(bytes)).value();
        repository.set_target(path, record, custom).value();
    }
    Repository open() { return Repository::open(tree).value(); }

    // Publishes one more file.
    void publish(const std::string& path, const std::string& bytes, const Json& custom = nullptr) {
        Repository repository = open();
        add(repository, path, bytes, custom);
        repository.commit(signers(), now_s).value();
    }

    std::unique_ptr<Client> client() { return client(metadata, store); }
    std::unique_ptr<Client> client(Fetcher& fetcher, Store& in) {
        return std::make_unique<Client>(
            fetcher, in,
            Client::Options{.pinned_root = pinned_root, .clock = [this] { return now_s; }});
    }

    Json body(const std::string& file) {
        return Json::parse(tree.files.at("metadata/" + file)).at("signed");
    }
    // Puts a file of an attacker's making, signed by whom he has, into the tree.
    void forge(const std::string& file, const Json& body, const Signers& by) {
        std::string bytes = Json({{"signatures", Json::array()}, {"signed", body}}).dump();
        for (const Signer* signer : by) bytes = sign_file(bytes, *signer).value();
        tree.files["metadata/" + file] = bytes;
    }
};

inline Code code_of(const Status& status) {
    return status.ok() ? Code::ok : status.error().code;
}
template <typename T>
Code code_of(const Result<T>& result) {
    return result.ok() ? Code::ok : result.error().code;
}

}  // namespace skiff::trust
