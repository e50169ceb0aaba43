// docs/formats/trust.md shows what we write, to the byte.
#include <gtest/gtest.h>

#include "base/files.h"
#include "tests/trust/support.h"

namespace skiff::trust {

TEST(Document, examples_are_what_we_write) {
    World world;
    Repository repository = Repository::create(world.tree, world.keys()).value();
    world.add(repository, "models/digits/1.tflite", "first model", {{"version", 1}});
    ASSERT_TRUE(repository.set_custom("models.digits", {{"minimum_version", 1}}).ok());
    ASSERT_TRUE(repository.commit(world.signers(), start_s).ok());
    const auto page = read_file("docs/formats/trust.md");
    ASSERT_TRUE(page.ok()) << page.error().message;
    for (const auto& [name, bytes] : world.tree.files) {
        const bool like_another =
            name.find("rulesets.") != std::string::npos && name != "metadata/1.rulesets.0.json";
        if (!name.starts_with("metadata/") || like_another) continue;
        const std::string example = "`" + name + "`\n\n    " + bytes + "\n";
        EXPECT_NE(page->find(example), std::string::npos) << "the page should have:\n" << example;
    }
}

}  // namespace skiff::trust
