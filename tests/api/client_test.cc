// Delivery through the C++ interface, from a signed tree on disk.
#include <gtest/gtest.h>
#include <skiff_embedded/digits.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include <skiff/skiff.h>

namespace skiff {
namespace {

using namespace std::chrono_literals;

const std::string models = "examples/digits/";

std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class ApiClient : public testing::Test {
 protected:
    void SetUp() override {
        char path[] = "/tmp/skiff_test_api.XXXXXX";
        ASSERT_NE(mkdtemp(path), nullptr);
        scratch_ = path;
    }
    void TearDown() override { std::filesystem::remove_all(scratch_); }

    void publish(int number, const std::string& file, const std::string& extra = "") {
        const std::string command = std::string("'") + API_PUBLISH + "' '" + scratch_ +
                                    "/tree' digits " + std::to_string(number) + " '" + models +
                                    file + "' " + extra;
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
    }

    ClientOptions options() const {
        ClientOptions o;
        o.urls = {"file://" + scratch_ + "/tree"};
        o.root = LocalModel::file(scratch_ + "/tree/root.json");
        o.data_dir = scratch_ + "/data";
        o.check_every = 0s;
        o.host.network = [] { return NetworkState{true, false, "the test"}; };
        return o;
    }
    static ModelOptions with_bundled() {
        ModelOptions o;
        o.bundled = embedded::digits();
        o.type = DownloadType::local_model;
        return o;
    }
    static Client made(const ClientOptions& options) {
        auto client = Client::create(options);
        EXPECT_TRUE(client.ok()) << client.error().message;
        return std::move(client).value();
    }
    static Status update(const Model& model, DownloadConditions conditions = {}) {
        return SKIFF_TRY(model.update(conditions)).wait(20s);
    }

    std::string scratch_;
};

void expect_ok(const Status& status) {
    EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST(Embedded, IsTheFileAligned) {
    const LocalModel model = embedded::digits();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(model.bytes.data()) % 64, 0u);
    EXPECT_EQ(std::string(model.bytes.begin(), model.bytes.end()),
              read(models + "digits_v1_int8.tflite"));
}

TEST_F(ApiClient, FromBundledToActive) {
    publish(1, "digits_v2_int8.tflite", "labels.txt=LICENSE");
    const Client client = made(options());
    ModelOptions with = with_bundled();
    std::mutex mutex;
    std::vector<std::pair<ModelStatus, ModelStatus>> changes;
    with.on_change = [&](ModelStatus now, ModelStatus before) {
        std::lock_guard lock(mutex);
        changes.emplace_back(now, before);
    };
    const auto model = client.model("digits", with);
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(model->status().source, ModelStatus::bundled);
    EXPECT_EQ(model->status().running->to_string(), "digits (bundled)");

    auto labeler = ImageLabeler::create(*model);
    ASSERT_TRUE(labeler.ok()) << labeler.error().message;
    const std::string seven = read(models + "images/7.png");
    Image image;
    image.bytes = {reinterpret_cast<const std::uint8_t*>(seven.data()), seven.size()};
    ASSERT_TRUE(labeler->process(image).ok());
    EXPECT_EQ(labeler->version().number, 0u);

    auto old = model->interpreter();
    ASSERT_TRUE(old.ok());
    EXPECT_FALSE(old->stale());

    expect_ok(update(*model));
    EXPECT_TRUE(old->stale());
    EXPECT_EQ(old->version().number, 0u);
    EXPECT_TRUE(old->invoke().ok());
    EXPECT_EQ(model->status().source, ModelStatus::active);
    EXPECT_EQ(model->status().running->to_string(), "digits:1");
    EXPECT_FALSE(model->status().waiting.has_value());
    const auto labels = labeler->process(image);
    ASSERT_TRUE(labels.ok()) << labels.error().message;
    EXPECT_EQ(labels->front().index, 7);
    EXPECT_EQ(labeler->version().number, 1u);
    EXPECT_EQ(model->assignment().version.number, 1u);
    model->record_outcome(labeler->inference_id(), true);

    const auto file = model->file();
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(read(file->path), read(models + "digits_v2_int8.tflite"));
    EXPECT_EQ(read(file->path_of("labels.txt")), read("LICENSE"));
    EXPECT_EQ(file->path_of("none"), "");
    const auto switched = [&] {
        std::lock_guard lock(mutex);
        return !changes.empty() && changes.back().first.source == ModelStatus::active;
    };
    for (int i = 0; i < 500 && !switched(); ++i) std::this_thread::sleep_for(10ms);
    ASSERT_TRUE(switched());
    EXPECT_EQ(changes.back().first.running->number, 1u);
    EXPECT_EQ(changes.back().second.source, ModelStatus::bundled);
}

TEST_F(ApiClient, AFileStaysWhileItsLeaseLives) {
    publish(1, "digits_v1_int8.tflite");
    const Client client = made(options());
    const Model model = client.model("digits", with_bundled()).value();
    expect_ok(update(model));
    auto file = model.file();
    ASSERT_TRUE(file.ok());
    ASSERT_EQ(file->version.number, 1u);
    for (int number = 2; number <= 4; ++number) {
        publish(number, number % 2 ? "digits_v1_int8.tflite" : "digits_v2_int8.tflite");
        expect_ok(update(model));
    }
    EXPECT_EQ(model.status().running->number, 4u);
    EXPECT_EQ(read(file->path), read(models + "digits_v1_int8.tflite"));
}

TEST_F(ApiClient, ConditionsHoldAnUpdateBackAndSayWhy) {
    publish(1, "digits_v2_int8.tflite");
    ClientOptions with = options();
    std::atomic<bool> metered{true};
    with.host.network = [&] { return NetworkState{true, metered.load(), "the test"}; };
    with.host.power = [] { return PowerState{false, 54, {}, "the test"}; };
    const Client client = made(with);
    const Model model = client.model("digits", with_bundled()).value();

    auto download = model.update();  // wifi, by default
    ASSERT_TRUE(download.ok());
    const auto waits_for_wifi = [&] {
        return download->progress().why.find("wifi") != std::string::npos;
    };
    for (int i = 0; i < 200 && !waits_for_wifi(); ++i) (void)download->wait(100ms);
    EXPECT_EQ(download->wait(100ms).error().code, Code::deadline_exceeded);
    EXPECT_EQ(download->progress().state, Progress::waiting);
    EXPECT_NE(download->progress().why.find("wifi"), std::string::npos) << download->progress().why;
    ASSERT_TRUE(model.status().waiting.has_value());
    EXPECT_EQ(model.status().waiting->number, 1u);
    download->cancel();
    EXPECT_EQ(download->wait(20s).error().code, Code::cancelled);

    DownloadConditions strict{.charging = true, .min_battery_percent = 60};
    strict.deadline = 0s;
    metered = false;
    const Status status = update(model, strict);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::conditions_unmet) << status.error().message;
    EXPECT_NE(status.error().message.find("charg"), std::string::npos) << status.error().message;
    strict.charging = false;
    EXPECT_EQ(update(model, strict).error().code, Code::conditions_unmet);
    metered = true;
    strict = {.metered_bytes_per_month = 0};
    strict.deadline = 0s;
    const Status nothing = update(model, strict);
    ASSERT_FALSE(nothing.ok());
    EXPECT_EQ(nothing.error().code, Code::conditions_unmet) << nothing.error().message;
    EXPECT_NE(nothing.error().message.find("may carry nothing"), std::string::npos)
        << nothing.error().message;
    metered = false;
    strict = {.min_battery_percent = 50};
    expect_ok(update(model, strict));
    EXPECT_EQ(model.status().source, ModelStatus::active);
    strict.between = LocalTimeWindow{"25:00", "05:00"};
    EXPECT_EQ(model.update(strict).error().code, Code::invalid_argument);
}

TEST_F(ApiClient, AnAppsOwnHttp) {
    publish(1, "digits_v2_int8.tflite");
    ClientOptions with = options();
    with.urls = {"https://models.example/p/demo"};
    std::atomic<int> requests{0};
    std::atomic<bool> reachable{false};
    with.host.http = [&](const HttpRequest& request, HttpResponse& response) -> Status {
        ++requests;
        if (!reachable) return Error{Code::no_network, "no route", true};
        const std::string prefix = "https://models.example/p/demo";
        const std::string path = scratch_ + "/tree" + request.url.substr(prefix.size());
        if (!std::filesystem::exists(path)) {
            response.begin(404, {});
            return {};
        }
        const std::string body = read(path);
        response.begin(200, {{"Content-Length", std::to_string(body.size())}});
        if (!response.body({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()}))
            return Error{Code::cancelled, "stopped", false};
        return {};
    };
    const Client client = made(with);
    const Model model = client.model("digits", with_bundled()).value();
    const Status offline = client.sync(5s);
    EXPECT_EQ(offline.error().code, Code::no_network) << offline.error().message;
    EXPECT_TRUE(offline.error().retry);
    EXPECT_GT(requests.load(), 0);
    EXPECT_TRUE(model.interpreter().ok());
    reachable = true;
    expect_ok(update(model));
    EXPECT_EQ(model.status().running->number, 1u);
}

TEST_F(ApiClient, CallbacksRunOnTheExecutorAndMayCallBack) {
    publish(1, "digits_v2_int8.tflite");
    ClientOptions with = options();
    std::mutex mutex;
    std::vector<std::function<void()>> tasks;
    with.executor = [&](std::function<void()> task) {
        std::lock_guard lock(mutex);
        tasks.push_back(std::move(task));
    };
    const Client client = made(with);
    ModelOptions model_options = with_bundled();
    std::optional<Model> model;
    const auto here = std::this_thread::get_id();
    int called = 0;
    bool switched = false;
    model_options.on_change = [&](ModelStatus now, ModelStatus) {
        ++called;
        EXPECT_EQ(std::this_thread::get_id(), here);
        EXPECT_TRUE(model->interpreter().ok());
        EXPECT_EQ(model->status().source, ModelStatus::active);
        switched = now.source == ModelStatus::active;
    };
    model = client.model("digits", model_options).value();
    Download download = model->update({}).value();
    std::atomic<int> reports{0};
    download.on_progress([&](Progress) { ++reports; });
    expect_ok(download.wait(20s));
    EXPECT_EQ(called, 0);  // nobody ran the tasks yet
    for (int i = 0; i < 500 && !switched; ++i) {
        std::vector<std::function<void()>> now;
        {
            std::lock_guard lock(mutex);
            now.swap(tasks);
        }
        for (const auto& task : now) task();
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(switched);
    EXPECT_GT(reports.load(), 0);
}

TEST_F(ApiClient, ThreadsBorrowWhileVersionsChange) {
    publish(1, "digits_v1_int8.tflite");
    const Client client = made(options());
    const Model model = client.model("digits", with_bundled()).value();
    std::atomic<bool> ends{false};
    std::atomic<int> failures{0}, inferences{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            while (!ends) {
                auto interpreter = model.interpreter();
                if (!interpreter.ok() || !interpreter->invoke().ok()) ++failures;
                ++inferences;
            }
        });
    for (int number = 1; number <= 4; ++number) {
        if (number > 1)
            publish(number, number % 2 ? "digits_v1_int8.tflite" : "digits_v2_int8.tflite");
        expect_ok(update(model));
        EXPECT_EQ(model.status().running->number, static_cast<unsigned>(number));
    }
    ends = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failures.load(), 0);
    EXPECT_GT(inferences.load(), 0);
}

TEST_F(ApiClient, RemoteModelManager) {
    publish(1, "digits_v2_int8.tflite");
    const Client client = made(options());
    const RemoteModelManager manager(client);
    EXPECT_FALSE(manager.is_model_downloaded("digits"));
    EXPECT_TRUE(manager.downloaded_models().empty());
    expect_ok(manager.download("digits", DownloadType::latest_model)->wait(20s));
    EXPECT_TRUE(manager.is_model_downloaded("digits"));
    ASSERT_EQ(manager.downloaded_models().size(), 1u);
    EXPECT_EQ(manager.downloaded_models()[0].to_string(), "digits:1");
    expect_ok(manager.delete_downloaded_model("digits"));
    EXPECT_FALSE(manager.is_model_downloaded("digits"));
}

TEST_F(ApiClient, WithoutAnyVersionThereIsAnErrorNotACrash) {
    publish(1, "digits_v2_int8.tflite");
    const Client client = made(options());
    ModelOptions none;
    none.type = DownloadType::local_model;
    const Model model = client.model("letters", none).value();
    EXPECT_EQ(model.status().source, ModelStatus::none);
    EXPECT_EQ(model.interpreter().error().code, Code::not_found);
    EXPECT_EQ(model.file().error().code, Code::not_found);
    EXPECT_FALSE(ImageLabeler::create(model).ok());
    { Trace trace = model.trace(); }
    EXPECT_FALSE(client.model("../letters").ok());
    ClientOptions bad = options();
    bad.root = LocalModel::file("none.json");
    EXPECT_EQ(Client::create(bad).error().code, Code::not_found);
    bad.root = LocalModel::memory({});
    EXPECT_EQ(Client::create(bad).error().code, Code::invalid_argument);
}

TEST_F(ApiClient, AnAutoMlManifestBringsItsLabels) {
    const std::string folder = scratch_ + "/automl/";
    std::filesystem::create_directory(folder);
    const std::string command =
        std::string("'") + API_PUBLISH + "' --bare '" + folder + "model.tflite'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::ofstream(folder + "manifest.json")
        << R"({"modelFile": "model.tflite", "labelsFile": "dict.txt", "modelType": "IMAGE_LABELING"})";
    std::ofstream labels(folder + "dict.txt");
    for (int i = 0; i < 12; ++i) labels << "label " << i << "\n";
    labels.close();
    const LocalModel manifest = LocalModel::automl_manifest(folder + "manifest.json");
    std::vector<std::uint8_t> pixels(12, 0);
    pixels[7] = 255;
    Image image;
    image.bytes = pixels;
    image.width = image.height = 2;
    image.format = Image::rgb;
    auto alone = ImageLabeler::create(manifest);
    ASSERT_TRUE(alone.ok()) << alone.error().message;
    EXPECT_EQ(alone->process(image)->front().text, "label 7");

    publish(1, "digits_v2_int8.tflite");
    const Client client = made(options());
    ModelOptions with = with_bundled();
    with.bundled = manifest;
    const auto model = client.model("labels", with);
    ASSERT_TRUE(model.ok()) << model.error().message;
    auto labeler = ImageLabeler::create(*model);
    ASSERT_TRUE(labeler.ok()) << labeler.error().message;
    EXPECT_EQ(labeler->process(image)->front().text, "label 7");
    EXPECT_FALSE(ImageLabeler::create(LocalModel::automl_manifest(folder + "dict.txt")).ok());
}

TEST(Attributes, BecomeJson) {
    const Attributes attributes = {{"app_version", "3.2.0"}, {"cores", 8},
                                   {"beta", true},           {"quote\"", std::string("a\\b\n")},
                                   {"ratio", 0.5},           {"nothing", 1.0 / 0.0 - 1.0 / 0.0}};
    EXPECT_EQ(detail::json_of(attributes),
              R"({"app_version":"3.2.0","cores":8,"beta":true,"quote\"":"a\\b\u000a","ratio":0.5,)"
              R"("nothing":null})");
    EXPECT_EQ(detail::json_of({}), "{}");
}

TEST(Interpreter, OfTheAppsOwnHasNoVersion) {
    auto interpreter = Interpreter::create(embedded::digits());
    ASSERT_TRUE(interpreter.ok());
    EXPECT_FALSE(interpreter->stale());
    EXPECT_EQ(interpreter->version(), Version());
    EXPECT_EQ(interpreter->inference_id(), 0u);
}

}  // namespace
}  // namespace skiff
