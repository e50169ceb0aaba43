#include "tests/server/world.h"

#include <stdlib.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "server/data_folder.h"
#include "server/tokens.h"

namespace skiff::server::test {

Scratch::Scratch() {
    std::string form = std::filesystem::temp_directory_path() / "skiff_test_server.XXXXXX";
    CHECK(::mkdtemp(form.data()) != nullptr);
    folder_ = form;
}

Scratch::~Scratch() {
    std::filesystem::remove_all(folder_);
}

std::string Parcel::body() const {
    Json files = Json::array(), audit = Json::array();
    for (const auto& file : publication.files)
        files.push_back({{"path", file.path}, {"text", file.bytes}});
    for (const auto& note : publication.audit)
        audit.push_back({{"what", note.what}, {"subject", note.subject}, {"why", note.why}});
    return json_text({{"files", files}, {"audit", audit}});
}

Fields Parcel::headers() const {
    if (publication.base == 0) return {{"If-None-Match", "*"}};
    return {{"If-Match", "\"" + std::to_string(publication.base) + "\""}};
}

Result<std::string> RecordingTree::read(const std::string& path) {
    const auto at = files.find(path);
    if (at == files.end()) return error(Code::not_found, path + " is not there");
    return at->second;
}

Status RecordingTree::write(const std::string& path, Bytes bytes) {
    files[path] = as_text(bytes);
    written.push_back(path);
    return {};
}

Author::Author() : now_s(std::time(nullptr)) {
    for (std::uint8_t number = 1; number <= 4; ++number) {
        trust::FileSigner::Seed seed;
        seed.fill(number);
        keys_.push_back(trust::FileSigner::from_seed(seed));
    }
}

void Author::save_online_key(const std::string& path) const {
    keys_[3]->save(path).value();
}

std::string target_path(const std::string& bytes, int number) {
    return "targets/models/digits/" + sha256_hex(as_bytes(bytes)) + "." + std::to_string(number) +
           ".bin";
}

Parcel Author::version(int number, const std::string& bytes) {
    const auto one = [&](int key) {
        return trust::KeySet{{keys_[static_cast<std::size_t>(key)]->public_key()}, 1};
    };
    tree.written.clear();
    auto repository = base == 0 ? trust::Repository::create(tree, {one(0), one(1), one(2), one(3)})
                                : trust::Repository::open(tree);
    const std::string path = "models/digits/" + std::to_string(number) + ".bin";
    const auto record = trust::write_target(tree, path, as_bytes(bytes)).value();
    repository.value().set_target(path, record, {{"model", "digits"}, {"version", number}}).value();
    trust::Signers signers;
    for (const auto& key : keys_) signers.push_back(key.get());
    repository->commit(signers, now_s).value();
    Parcel parcel;
    parcel.publication.base = base;
    for (const std::string& file : tree.written) {
        if (file.starts_with("targets/"))
            parcel.targets.emplace_back(file, tree.files.at(file));
        else
            parcel.publication.files.push_back({file, tree.files.at(file)});
    }
    parcel.publication.audit = {{"publish", "digits:" + std::to_string(number), "a test"}};
    base = trust::parse_timestamp(tree.files.at("metadata/timestamp.json"), "timestamp")->version;
    return parcel;
}

std::string make_token(const std::string& data, const std::vector<std::string>& scopes,
                       const std::string& project, const std::string& note) {
    const auto folder = DataFolder::open(data).value();
    const auto ledger = Ledger::open(folder.database()).value();
    return create_token(*ledger, project, scopes, note, std::time(nullptr)).value();
}

Fields operator+(Fields a, const Fields& b) {
    a.insert(b.begin(), b.end());
    return a;
}

Answer publish(const std::string& address, const std::string& token, const Parcel& parcel) {
    for (const auto& [path, bytes] : parcel.targets) {
        const Answer answer =
            ask(address, "PUT", "/v1/projects/demo/" + path, bearer(token), bytes);
        if (answer.status != 201 && answer.status != 200) return answer;
    }
    return ask(address, "POST", "/v1/projects/demo/publications", bearer(token) + parcel.headers(),
               parcel.body());
}

telemetry::Report report_of(const std::string& id, std::uint64_t sequence, std::uint64_t runs) {
    telemetry::CellSnapshot cell{.key = {.model = "digits", .version = 1}};
    cell.counts.inferences[0] = runs;
    cell.counts.latency_us.add(100, runs);
    return {.report_id = id, .sequence = sequence, .cells = {cell}};
}

TestServer::TestServer(HttpLimits limits, std::function<std::int64_t()> now_s) {
    options = {.data = scratch.path("data"),
               .listen = "127.0.0.1:0",
               .limits = limits,
               .now_s = std::move(now_s)};
    token = make_token(options.data, {"publish", "report", "read"});
    server = Server::start(options).value();
}

void TestServer::restart() {
    server.reset();
    server = Server::start(options).value();
}

Answer TestServer::report(const telemetry::Report& report) const {
    return ask("POST", "/v1/projects/demo/reports", bearer(token), telemetry::write_report(report));
}

std::int64_t TestServer::runs_counted() const {
    const Answer answer = ask("GET", "/v1/projects/demo/stats", bearer(token));
    const Json stats = parse_json(answer.body, "stats").value();
    for (const Json& row : stats.at("models"))
        if (row.at("version") == 1) return row.at("runs");
    return 0;
}

}  // namespace skiff::server::test
