// Every file of the corpus: what the official library takes loads here, and what is refused is
// refused with the right line.
#include "tests/model/corpus.h"

#include <gtest/gtest.h>

#include "model/model.h"

namespace skiff::model {
namespace {

TEST(Corpus, LoadsAll) {
    SKIP_WITHOUT_CORPUS();
    for (const CorpusRow& row : corpus_rows()) {
        const std::string name = row.at("model");
        const auto model = Model::load_file(corpus_model(name));
        if (!model.ok()) printf("%s: %s\n", name.c_str(), model.error().message.c_str());
        EXPECT_TRUE(row.at("golden") != "ok" || model.ok()) << name;
    }
}

}  // namespace
}  // namespace skiff::model
