// skiff-tuf-client: the TUF client with the command line of the public conformance suite.
//
//   skiff-tuf-client --metadata-dir D init ROOT
//   skiff-tuf-client --metadata-dir D --metadata-url U refresh
//   skiff-tuf-client --metadata-dir D --metadata-url U --target-name T [--target-name T]...
//                    --target-base-url V --target-dir X download
//
// Options may stand before or after the verb. Exit 0 done, 1 failed, 2 misused.
#include <cstdio>
#include <ctime>
#include <map>
#include <vector>

#include "base/files.h"
#include "curl_fetcher.h"
#include "trust/client.h"

namespace {

using namespace skiff;
using namespace skiff::trust;

struct Arguments {
    std::map<std::string, std::string> options;
    std::vector<std::string> target_names;
    std::vector<std::string> words;  // the verb and what follows it

    Result<std::string> option(const std::string& name) const {
        const auto at = options.find(name);
        if (at == options.end()) return error(Code::invalid_argument, name + " is missing");
        return at->second;
    }
};

Result<Arguments> read_arguments(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (!word.starts_with("--")) {
            arguments.words.push_back(word);
        } else if (i + 1 == argc) {
            return error(Code::invalid_argument, word + " needs a value");
        } else if (word == "--target-name") {
            arguments.target_names.push_back(argv[++i]);
        } else if (word == "--metadata-dir" || word == "--metadata-url" ||
                   word == "--target-base-url" || word == "--target-dir") {
            arguments.options[word] = argv[++i];
        } else {
            return error(Code::invalid_argument, "there is no option " + word);
        }
    }
    if (arguments.words.empty())
        return error(Code::invalid_argument, "say init ROOT, refresh or download");
    return arguments;
}

Status init(const Arguments& arguments) {
    if (arguments.words.size() != 2) return error(Code::invalid_argument, "init needs ROOT");
    FolderStore store(TRY(arguments.option("--metadata-dir")));
    const std::string root = TRY(read_file(arguments.words[1], max_root_bytes));
    return store.write("root.json", root);
}

Status update(const Arguments& arguments, bool download) {
    FolderStore store(TRY(arguments.option("--metadata-dir")));
    CurlFetcher metadata(TRY(arguments.option("--metadata-url")));
    Client client(metadata, store, {.pinned_root = {}, .clock = [] { return std::time(nullptr); }});
    TRY(client.refresh(RefreshMode::full));
    if (!download) return {};
    CurlFetcher targets(TRY(arguments.option("--target-base-url")));
    const std::string folder = TRY(arguments.option("--target-dir"));
    TRY(make_folders(folder));
    for (const std::string& name : arguments.target_names) {
        const TargetInfo target = TRY(client.find_target(name));
        TRY(client.download(target, targets, folder + "/" + quote(name)));
    }
    return {};
}

Status run(const Arguments& arguments) {
    const std::string& verb = arguments.words[0];
    if (verb == "init") return init(arguments);
    if (verb == "refresh" || verb == "download") return update(arguments, verb == "download");
    return error(Code::invalid_argument, "there is no verb " + verb);
}

int fail(const Error& error, int exit_code) {
    std::fprintf(stderr, "skiff-tuf-client: error: %s\n", error.message.c_str());
    return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = read_arguments(argc, argv);
    if (!arguments.ok()) return fail(arguments.error(), 2);
    const Status done = run(*arguments);
    return done.ok() ? 0 : fail(done.error(), 1);
}
