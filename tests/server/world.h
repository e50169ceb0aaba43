// A publisher with fixed keys, a server in this process, folders that go away.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "publish/home.h"
#include "server/server.h"
#include "telemetry/report.h"
#include "tests/server/client.h"
#include "trust/repository.h"

namespace skiff::server::test {

class Scratch {
 public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
    std::string folder_;
};

// What a publisher sends: targets, then one publication.
struct Parcel {
    std::vector<std::pair<std::string, std::string>> targets;  // "targets/..." -> bytes
    publish::Publication publication;
    std::string body() const;  // of POST publications
    Fields headers() const;    // If-Match or If-None-Match
};

// A tree in memory that writes down what is written.
class RecordingTree final : public trust::Tree {
 public:
    Result<std::string> read(const std::string& path) override;
    bool exists(const std::string& path) override { return files.contains(path); }
    Status write(const std::string& path, Bytes bytes) override;
    std::map<std::string, std::string> files;
    std::vector<std::string> written;
};

class Author {
 public:
    Author();
    // A version of "digits" on top of what was made last.
    Parcel version(int number, const std::string& bytes);
    std::int64_t base = 0;  // the timestamp version of what was made last
    std::int64_t now_s;
    RecordingTree tree;
    const trust::Signer& online() const { return *keys_[3]; }
    void save_online_key(const std::string& path) const;

 private:
    std::vector<std::unique_ptr<trust::FileSigner>> keys_;  // root, targets, models, online
};

std::string target_path(const std::string& bytes, int number);  // "targets/models/digits/<sha>..."

// Tokens made with the ledger, as `skiff tokens create` does.
std::string make_token(const std::string& data, const std::vector<std::string>& scopes,
                       const std::string& project = "demo", const std::string& note = "ann");
inline Fields bearer(const std::string& token) {
    return {{"Authorization", "Bearer " + token}};
}
Fields operator+(Fields a, const Fields& b);

// Sends all of it; the answer to the publication.
Answer publish(const std::string& address, const std::string& token, const Parcel& parcel);

telemetry::Report report_of(const std::string& id, std::uint64_t sequence, std::uint64_t runs);

// A server on a free port, with a token for everything.
struct TestServer {
    explicit TestServer(HttpLimits limits = {}, std::function<std::int64_t()> now_s = {});
    void restart();
    std::string address() const { return server->address(); }
    Answer ask(const std::string& method, const std::string& path, const Fields& headers = {},
               std::string_view body = {}) const {
        return test::ask(address(), method, path, headers, body);
    }
    Answer report(const telemetry::Report& report) const;
    std::int64_t runs_counted() const;  // of digits:1, as /stats says

    Scratch scratch;
    ServerOptions options;
    std::string token;
    std::unique_ptr<Server> server;
};

}  // namespace skiff::server::test
