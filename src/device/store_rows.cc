// The rows of one model: read as one view, changed in one transaction each.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "device/store.h"
#include "runtime/runtime_level.h"

namespace skiff::device {

namespace {

std::string files_text(const std::vector<InstalledFile>& files) {
    Json json = Json::array();
    for (const InstalledFile& file : files) json.push_back({file.name, file.sha256});
    return json_text(json);
}

Result<std::vector<InstalledFile>> read_files(const std::string& text) {
    const Json json = TRY(parse_json(text, "the store's list of files"));
    std::vector<InstalledFile> files;
    try {
        for (const Json& file : json) files.push_back({file.at(0), file.at(1)});
    } catch (const std::exception& e) {
        return error(Code::data_loss,
                     std::string("the store's list of files is damaged: ") + e.what());
    }
    if (files.empty()) return error(Code::data_loss, "the store has a version without files");
    return files;
}

constexpr const char* installed_columns = "number, sha256, is_tflite, io_signature, bytes, files";

Result<InstalledVersion> installed_row(const sqlite::Statement& row, int at) {
    auto files = TRY(read_files(row.text(at + 5)));
    return InstalledVersion{static_cast<std::uint32_t>(row.integer(at)),
                            row.text(at + 1),
                            row.integer(at + 2) != 0,
                            row.text(at + 3),
                            std::move(files),
                            static_cast<std::uint64_t>(row.integer(at + 4))};
}

// What is damaged is as if it were not there: the next check and update bring it again.
bool is_whole(const Status& read, const std::string& model) {
    if (!read.ok()) log(LogLevel::warning, model + ": " + read.error().message);
    return read.ok();
}

Status read_model_row(sqlite::Database& db, const std::string& model, ModelState& state) {
    sqlite::Statement query =
        TRY(db.prepare("SELECT catalog, catalog_of, ruleset, ruleset_sha256, active, previous FROM "
                       "models WHERE name = ?"));
    if (!TRY(query.bind(1, model).step())) return {};
    state.catalog_of = query.text(1);
    state.ruleset_sha256 = query.text(3);
    auto catalog = read_catalog_text(query.text(0));
    if (is_whole(catalog.ok() ? Status() : Status(catalog.error()), model))
        state.catalog = std::move(catalog).value();
    else
        state.catalog_of.clear();
    if (const std::string text = query.text(2); !text.empty()) {
        auto ruleset = decide::Ruleset::parse(text, "the stored ruleset");
        if (is_whole(ruleset.ok() ? Status() : Status(ruleset.error()), model)) {
            state.ruleset = std::move(ruleset).value();
        } else {
            state.catalog_of.clear();
            state.ruleset_sha256.clear();
        }
    }
    state.active = static_cast<std::uint32_t>(query.integer(4));
    state.previous = static_cast<std::uint32_t>(query.integer(5));
    return {};
}

Status read_sets(sqlite::Database& db, const std::string& model, ModelState& state) {
    sqlite::Statement installed = TRY(
        db.prepare("SELECT " + std::string(installed_columns) + " FROM installed WHERE model = ?"));
    installed.bind(1, model);
    while (TRY(installed.step())) {
        auto version = installed_row(installed, 0);
        if (is_whole(version.ok() ? Status() : Status(version.error()), model))
            state.installed.emplace(version->number, std::move(version).value());
    }
    sqlite::Statement bad =
        TRY(db.prepare("SELECT sha256, reason FROM bad WHERE model = ? AND runtime_level >= ?"));
    bad.bind(1, model).bind(2, std::int64_t{runtime::runtime_level});
    while (TRY(bad.step())) state.bad[bad.text(0)] = bad.text(1);
    sqlite::Statement eligible = TRY(db.prepare("SELECT experiment FROM eligible WHERE model = ?"));
    eligible.bind(1, model);
    while (TRY(eligible.step())) state.eligible.insert(eligible.text(0));
    return {};
}

Progress::State state_of(const std::string& name) {
    for (const Progress::State state :
         {Progress::State::downloading, Progress::State::verifying, Progress::State::trying})
        if (name == state_name(state)) return state;
    return Progress::State::waiting;
}

Status read_update(sqlite::Database& db, const std::string& model, ModelState& state) {
    sqlite::Statement query =
        TRY(db.prepare("SELECT number, sha256, state, why FROM updates WHERE model = ?"));
    if (!TRY(query.bind(1, model).step())) return {};
    state.update = UpdateRow{static_cast<std::uint32_t>(query.integer(0)), query.text(1),
                             state_of(query.text(2)), query.text(3)};
    return {};
}

std::string failure_fact(const std::string& model) {
    return model.empty() ? "check_failure" : "check_failure/" + model;
}

Status read_checks(sqlite::Database& db, const std::string& model, ModelState& state) {
    sqlite::Statement query =
        TRY(db.prepare("SELECT name, value FROM facts WHERE name IN ('rules_at_s', "
                       "'rules_expire_s', 'check_failure', ?)"));
    query.bind(1, failure_fact(model));
    while (TRY(query.step())) {
        const std::string name = query.text(0);
        if (name == "rules_at_s")
            state.rules_at_s = query.integer(1);
        else if (name == "rules_expire_s")
            state.rules_expire_s = query.integer(1);
        else if (state.check_failure.empty())
            state.check_failure = query.text(1);
    }
    return {};
}

Status run_for(sqlite::Database& db, const char* sql, std::string_view model) {
    sqlite::Statement statement = TRY(db.prepare(sql));
    return statement.bind(1, model).run();
}

Status make_row(sqlite::Database& db, std::string_view model) {
    return run_for(db, "INSERT INTO models (name) VALUES (?) ON CONFLICT DO NOTHING", model);
}

Status set_active(sqlite::Database& db, const std::string& model, std::uint32_t number) {
    sqlite::Statement update = TRY(
        db.prepare("UPDATE models SET previous = CASE WHEN active = ?2 THEN previous ELSE active "
                   "END, active = ?2 WHERE name = ?1"));
    return update.bind(1, model).bind(2, std::int64_t{number}).run();
}

}  // namespace

Result<ModelState> Store::read(const std::string& model) {
    ModelState state;
    TRY(look([&](sqlite::Database& db) -> Status {
        TRY(read_model_row(db, model, state));
        TRY(read_sets(db, model, state));
        TRY(read_update(db, model, state));
        return read_checks(db, model, state);
    }));
    return state;
}

Result<std::vector<std::string>> Store::models() {
    std::vector<std::string> names;
    TRY(look([&](sqlite::Database& db) -> Status {
        sqlite::Statement query = TRY(db.prepare("SELECT name FROM models ORDER BY name"));
        while (TRY(query.step())) names.push_back(query.text(0));
        return {};
    }));
    return names;
}

Result<std::vector<std::pair<std::string, InstalledVersion>>> Store::installed() {
    std::vector<std::pair<std::string, InstalledVersion>> all;
    TRY(look([&](sqlite::Database& db) -> Status {
        sqlite::Statement query = TRY(db.prepare("SELECT model, " + std::string(installed_columns) +
                                                 " FROM installed ORDER BY model, number"));
        while (TRY(query.step()))
            if (auto version = installed_row(query, 1); version.ok())  // read() says what is not
                all.emplace_back(query.text(0), std::move(version).value());
        return {};
    }));
    return all;
}

Status Store::ask_for(const std::string& model) {
    const std::vector<std::string> known = TRY(models());
    if (std::find(known.begin(), known.end(), model) != known.end()) return {};
    return write([&](sqlite::Database& db) { return make_row(db, model); });
}

Status Store::save_published(const std::string& model, const Published& published) {
    const std::string catalog = write_catalog_text(published.catalog);
    bool news = false;
    const auto save = [&](sqlite::Database& db) -> Status {
        TRY(make_row(db, model));
        sqlite::Statement update = TRY(
            db.prepare("UPDATE models SET catalog = ?2, catalog_of = ?3, ruleset = CASE WHEN ?5 = "
                       "'' THEN ruleset ELSE ?4 END, ruleset_sha256 = CASE WHEN ?5 = '' THEN "
                       "ruleset_sha256 ELSE ?5 END WHERE name = ?1"));
        return update.bind(1, model)
            .bind(2, catalog)
            .bind(3, published.catalog_of)
            .bind(4, published.ruleset)
            .bind(5, published.ruleset_sha256)
            .run();
    };
    TRY(look([&](sqlite::Database& db) -> Status {
        sqlite::Statement query =
            TRY(db.prepare("SELECT 1 FROM models WHERE name = ?1 AND catalog = ?2 AND (?3 = '' OR "
                           "(ruleset_sha256 = ?3 AND ruleset = ?4))"));
        query.bind(1, model)
            .bind(2, catalog)
            .bind(3, published.ruleset_sha256)
            .bind(4, published.ruleset);
        news = !TRY(query.step());
        return {};
    }));
    return news ? change(save) : write(save);
}

Status Store::note_check(const std::string& model, const std::string& failure) {
    const std::string name = failure_fact(model);
    if (TRY(fact(name)) == failure) return {};
    return change([&](sqlite::Database& db) -> Status {
        sqlite::Statement insert = TRY(db.prepare("INSERT OR REPLACE INTO facts VALUES (?, ?)"));
        return insert.bind(1, name).bind(2, failure).run();
    });
}

Status Store::set_update(const std::string& model, const UpdateRow& update) {
    return change([&](sqlite::Database& db) -> Status {
        sqlite::Statement insert =
            TRY(db.prepare("INSERT OR REPLACE INTO updates VALUES (?, ?, ?, ?, ?)"));
        return insert.bind(1, model)
            .bind(2, std::int64_t{update.number})
            .bind(3, update.sha256)
            .bind(4, state_name(update.state))
            .bind(5, update.why)
            .run();
    });
}

Status Store::clear_update(const std::string& model) {
    return change([&](sqlite::Database& db) {
        return run_for(db, "DELETE FROM updates WHERE model = ?", model);
    });
}

Status Store::mark_bad(const std::string& model, const std::string& sha256,
                       const std::string& reason) {
    return change([&](sqlite::Database& db) -> Status {
        sqlite::Statement insert =
            TRY(db.prepare("INSERT OR REPLACE INTO bad VALUES (?, ?, ?, ?)"));
        TRY(insert.bind(1, model)
                .bind(2, sha256)
                .bind(3, reason)
                .bind(4, std::int64_t{runtime::runtime_level})
                .run());
        return run_for(db, "DELETE FROM updates WHERE model = ?", model);
    });
}

Status Store::mark_eligible(const std::string& model, const std::string& experiment) {
    return change([&](sqlite::Database& db) -> Status {
        sqlite::Statement insert =
            TRY(db.prepare("INSERT INTO eligible VALUES (?, ?) ON CONFLICT DO NOTHING"));
        return insert.bind(1, model).bind(2, experiment).run();
    });
}

Status Store::activate(const std::string& model, const InstalledVersion& version) {
    return change([&](sqlite::Database& db) -> Status {
        TRY(make_row(db, model));
        sqlite::Statement insert =
            TRY(db.prepare("INSERT OR REPLACE INTO installed VALUES (?, ?, ?, ?, ?, ?, ?)"));
        TRY(insert.bind(1, model)
                .bind(2, std::int64_t{version.number})
                .bind(3, version.sha256)
                .bind(4, std::int64_t{version.is_tflite})
                .bind(5, version.io_signature)
                .bind(6, static_cast<std::int64_t>(version.bytes))
                .bind(7, files_text(version.files))
                .run());
        TRY(set_active(db, model, version.number));
        return run_for(db, "DELETE FROM updates WHERE model = ?", model);
    });
}

Status Store::switch_to(const std::string& model, std::uint32_t installed) {
    return change([&](sqlite::Database& db) -> Status {
        TRY(set_active(db, model, installed));
        return run_for(db, "DELETE FROM updates WHERE model = ?", model);
    });
}

Status Store::uninstall(const std::string& model, std::uint32_t number) {
    return change([&](sqlite::Database& db) -> Status {
        sqlite::Statement remove =
            TRY(db.prepare("DELETE FROM installed WHERE model = ? AND number = ?"));
        TRY(remove.bind(1, model).bind(2, std::int64_t{number}).run());
        sqlite::Statement clear =
            TRY(db.prepare("UPDATE models SET active = CASE WHEN active = ?2 THEN 0 ELSE active "
                           "END, previous = CASE WHEN previous = ?2 THEN 0 ELSE previous END "
                           "WHERE name = ?1"));
        return clear.bind(1, model).bind(2, std::int64_t{number}).run();
    });
}

Status Store::forget(const std::string& model) {
    return change([&](sqlite::Database& db) -> Status {
        for (const char* table :
             {"DELETE FROM installed WHERE model = ?", "DELETE FROM updates WHERE model = ?",
              "DELETE FROM eligible WHERE model = ?", "DELETE FROM models WHERE name = ?"})
            TRY(run_for(db, table, model));
        return run_for(db, "DELETE FROM facts WHERE name = ?", failure_fact(model));
    });
}

}  // namespace skiff::device
