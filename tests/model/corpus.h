// The corpus of real models, for tests that skip when it is absent.
#pragma once

#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.h"

namespace skiff::model {

inline std::string corpus_folder() {
    const char* folder = std::getenv("SKIFF_CORPUS");
    return folder ? folder : "../shared/corpus";
}
inline std::string corpus_model(const std::string& name) {
    return corpus_folder() + "/models/" + name + ".tflite";
}
inline bool has_corpus() {
    return file_exists(corpus_folder() + "/models.tsv");
}

// models.tsv: one row per model, by column name.
using CorpusRow = std::map<std::string, std::string>;
inline std::vector<CorpusRow> corpus_rows() {
    const auto split = [](const std::string& line) {
        std::vector<std::string> fields;
        std::size_t from = 0;
        for (std::size_t tab; (tab = line.find('\t', from)) != line.npos; from = tab + 1)
            fields.push_back(line.substr(from, tab - from));
        fields.push_back(line.substr(from));
        return fields;
    };
    std::istringstream table(read_file(corpus_folder() + "/models.tsv").value());
    std::string line;
    std::getline(table, line);
    const std::vector<std::string> names = split(line);
    std::vector<CorpusRow> rows;
    while (std::getline(table, line)) {
        const std::vector<std::string> fields = split(line);
        CorpusRow row;
        for (std::size_t i = 0; i < names.size() && i < fields.size(); ++i)
            row[names[i]] = fields[i];
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace skiff::model

#define SKIP_WITHOUT_CORPUS()        \
    if (!skiff::model::has_corpus()) \
    GTEST_SKIP() << "no corpus at " << skiff::model::corpus_folder()
