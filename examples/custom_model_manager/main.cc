// custom_model_manager: the class that an Android app with ML Kit's custom models has today, on
// Skiff. Bundled model, remote model under a wifi condition, a strategy by name, classify, track.
//
//   custom_model_manager DATA_DIR URL ROOT.json STRATEGY USER IMAGE LABEL
//
// classifies IMAGE (whose true label is LABEL) by the model inside the program, updates from URL
// (as `skiff publish --to DIR` or `skiff serve` give it), classifies again, and records both.
//
// ML Kit / Firebase                           here
// LocalModel, RemoteModel                     ModelOptions::bundled, the name "digits"
// DownloadConditions.requireWifi()            .conditions = {.wifi = true}
// isModelDownloaded, then choose a model      nothing: the best that works is what runs
// random() or hash(user) % 2 in the app       a rule at the publisher, matched by `strategy`; it
//                                             gives the same device or user the same answer
// your own analytics of which model was right record_outcome, record: counted per version
#include <skiff_embedded/digits.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include <skiff/skiff.h>

class CustomModelManager {
 public:
    // Offline, milliseconds: with a bundled model this cannot fail for want of a network.
    static skiff::Result<CustomModelManager> initialize(const std::string& data_dir,
                                                        const std::string& url,
                                                        const std::string& root) {
        const auto client = SKIFF_TRY(skiff::Client::create(
            {.urls = {url}, .root = skiff::LocalModel::file(root), .data_dir = data_dir}));
        const auto model = SKIFF_TRY(client.model(
            "digits", {.bundled = skiff::embedded::digits(), .conditions = {.wifi = true}}));
        return CustomModelManager(client, model, SKIFF_TRY(skiff::ImageLabeler::create(model)));
    }

    // "random": by device; "user_based": by user; anything else: the active version for everyone.
    skiff::Status select(const std::string& strategy, const std::string& user) {
        const bool known = strategy == "random" || strategy == "user_based";
        client_.set_user_id(strategy == "user_based" ? user : "");
        return client_.set_attributes({{"strategy", known ? strategy : "active"}});
    }

    // The update goes on in the background whether or not anybody waits for it.
    skiff::Status update(std::chrono::seconds at_most) {
        return SKIFF_TRY(model_.update()).wait(at_most);
    }

    skiff::Result<skiff::ImageLabel> classify(skiff::Bytes picture) {
        auto labels = SKIFF_TRY(labeler_.process({.bytes = picture}));
        if (labels.empty()) return skiff::Error{skiff::Code::not_found, "nothing recognized"};
        return labels.front();
    }

    // What the user said of the newest answer: per version, on the server, without the picture.
    void track(bool correct) {
        model_.record_outcome(labeler_.inference_id(), correct);
        if (!correct) model_.record("correction", 1);
    }

    std::string version() const { return labeler_.version().to_string(); }
    std::string why() const { return model_.status().why; }

 private:
    CustomModelManager(skiff::Client client, skiff::Model model, skiff::ImageLabeler labeler)
        : client_(std::move(client)), model_(std::move(model)), labeler_(std::move(labeler)) {}
    skiff::Client client_;
    skiff::Model model_;
    skiff::ImageLabeler labeler_;
};

static skiff::Status run(char** argument) {
    std::ifstream file(argument[6], std::ios::binary);
    const std::string picture{std::istreambuf_iterator<char>(file), {}};
    const skiff::Bytes bytes{reinterpret_cast<const std::uint8_t*>(picture.data()), picture.size()};
    auto manager = SKIFF_TRY(CustomModelManager::initialize(argument[1], argument[2], argument[3]));
    SKIFF_TRY(manager.select(argument[4], argument[5]));
    for (const bool updated : {false, true}) {
        if (updated)
            if (const auto status = manager.update(std::chrono::seconds(30)); !status.ok())
                std::printf("no update: %s\n", status.error().message.c_str());
        const auto label = SKIFF_TRY(manager.classify(bytes));
        manager.track(label.text == argument[7]);
        std::printf("%s says %s (%.2f): %s\n", manager.version().c_str(), label.text.c_str(),
                    static_cast<double>(label.confidence), manager.why().c_str());
    }
    return {};
}

int main(int argc, char** argv) {
    if (argc != 8) return std::fputs("usage: see the head of main.cc\n", stderr), 2;
    const auto status = run(argv);
    if (!status.ok()) std::fprintf(stderr, "error: %s\n", status.error().message.c_str());
    return status.ok() ? 0 : 1;
}
