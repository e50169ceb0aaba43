// The program itself: what it prints, on which stream, and how it ends.
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "model/builder_ops.h"
#include "tests/cli/program.h"

namespace skiff::cli {
namespace {

using nlohmann::json;
using test::run_skiff;
using test::scratch_file;

Bytes floats(const std::vector<float>& values) {
    return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * 4};
}

std::string model_file(const std::string& name = "doubling.tflite", std::int32_t n = 4) {
    return scratch_file(name, test::doubling_model(n));
}

std::string text_file(const std::string& name, const std::string& content) {
    return scratch_file(name, as_bytes(content));
}

std::string one_pixel_bmp(int red, int green, int blue) {
    std::string file = "BM";
    const auto add = [&](std::uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) file += static_cast<char>(value >> 8 * i);
    };
    for (const std::uint32_t word : {58, 0, 54, 40, 1, 1})
        add(word, 4);       // size, -, pixels at, header, w, h
    add(1, 2), add(24, 2);  // planes, bits
    for (const std::uint32_t word : {0, 4, 0, 0, 0, 0}) add(word, 4);
    for (const int value : {blue, green, red, 0}) add(static_cast<std::uint32_t>(value), 1);
    return file;
}

std::string fake_library() {
    return "tflite:" + test::build_folder() + "/fake_tflite.so";
}

// Exactly one line on standard error, that begins as it must.
void expect_one_error(const test::Finished& finished, int exit_code, const std::string& part) {
    EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
    EXPECT_EQ(finished.err.rfind("skiff: error: ", 0), 0u) << finished.err;
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
    EXPECT_EQ(finished.err.back(), '\n');
    EXPECT_NE(finished.err.find(part), std::string::npos)
        << "wanted \"" << part << "\" in: " << finished.err;
    EXPECT_EQ(finished.out, "");
}

TEST(Command, BadModels) {
    const auto good = test::doubling_model();
    std::vector<std::uint8_t> truncated(good.begin(),
                                        good.begin() + static_cast<long>(good.size() / 2));
    std::vector<std::uint8_t> other_identifier = good;
    std::memcpy(other_identifier.data() + 4, "TFL2", 4);
    model::Builder unknown;
    const auto x = unknown.add_tensor({.name = "x", .shape = {4}});
    const auto y = unknown.add_tensor({.name = "y", .shape = {4}});
    unknown.add_operator(
        {.builtin_code = 32, .inputs = {x}, .outputs = {y}, .custom_code = "Frobnicate"});
    unknown.set_inputs({x});
    unknown.set_outputs({y});
    const struct {
        std::string file, part;
    } cases[] = {
        {scratch_file("text.tflite", as_bytes("this is not a model at all, only some text")),
         "text.tflite"},
        {scratch_file("empty.tflite", {}), "empty.tflite"},
        {scratch_file("truncated.tflite", truncated), "truncated.tflite"},
        {scratch_file("identifier.tflite", other_identifier), "identifier.tflite"},
        {"/nowhere/model.tflite", "/nowhere/model.tflite"},
        {scratch_file("unknown.tflite", unknown.write().value()), "Frobnicate"},
    };
    for (const auto& bad : cases)
        expect_one_error(run_skiff({"run", bad.file, "--random", "1"}), 1, bad.part);
    // A model that does not run can still be looked at.
    const auto inspected = run_skiff({"inspect", test::scratch_folder() + "/unknown.tflite"});
    EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
    EXPECT_NE(inspected.out.find("skiff cannot run it: no kernel for CUSTOM Frobnicate"),
              std::string::npos)
        << inspected.out;
}

TEST(Command, HelpIsAWordToo) {
    expect_one_error(run_skiff({"help", "frobnicate"}), 2, "there is no command 'frobnicate'");
    const std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> pairs = {
        {{"help"}, {"--help"}},
        {{"help", "publish"}, {"publish", "--help"}},
        {{"help", "rollout", "start"}, {"rollout", "start", "--help"}}};
    for (const auto& [word, option] : pairs) {
        const test::Finished helped = run_skiff(word);
        EXPECT_EQ(helped.exit_code, 0) << helped.err;
        EXPECT_EQ(helped.out, run_skiff(option).out);
        EXPECT_NE(helped.out.find("Usage:"), std::string::npos);
    }
}

TEST(Command, MisuseInPlainWords) {
    const struct {
        std::vector<std::string> arguments;
        std::string message;
    } cases[] = {
        {{"models", "-o", "xml"}, "-o xml: write table, json or csv (see skiff --help)"},
        {{"bench", "x", "--threads", "999"}, "--threads 999: between 1 and 256 (see skiff --help)"},
        {{"rollout", "start", "x:1", "--percent", "-5"},
         "--percent -5: between 0 and 100 (see skiff --help)"},
        {{"tokens", "revoke", "x", "--data", "d", "--project", "p"},
         "ID x: is not a number that fits (see skiff --help)"},
        {{"models", "wombat"}, "models has no \"wombat\": show, alias, revoke, audit"},
        {{"tokens", "wombat"}, "tokens has no \"wombat\": create, list, revoke"},
        {{"-q", "tokens", "wombat", "--data", "x"},
         "tokens has no \"wombat\": create, list, revoke"},
        {{"models", "--wombat", "x"},
         "The following arguments were not expected: x --wombat (see skiff --help)"},
        {{"tokens"}, "skiff tokens needs one of create, list, revoke (skiff tokens --help)"},
        {{"device"},
         "skiff device needs one of run, update, install, status, agent (skiff device --help)"},
    };
    for (const auto& bad : cases)
        expect_one_error(run_skiff(bad.arguments), 2, "skiff: error: " + bad.message + "\n");
}

TEST(Command, BadInputs) {
    const std::string model = model_file();
    const std::string short_file = scratch_file("short.bin", floats({1, 2, 3}));
    const std::string good_file = scratch_file("good.bin", floats({1, 2, 3, 4}));
    expect_one_error(
        run_skiff({"run", model, "--input", "0=" + short_file}), 1,
        "short.bin has 12 bytes, but input 0 takes 16 (float32 [4], raw little-endian)");
    expect_one_error(run_skiff({"run", model, "--input", "0=/nowhere.bin"}), 1, "/nowhere.bin");
    expect_one_error(run_skiff({"run", model, "--input", "1=" + good_file}), 1,
                     "no input 1 (0 = x)");
    expect_one_error(run_skiff({"run", model}), 1,
                     "nothing for input 0, x (give --input 0=FILE.bin");
    expect_one_error(run_skiff({"run", model, "--signature", "serve", "--random", "1"}), 1,
                     "serve");
}

TEST(Command, Misuse) {
    const std::string model = model_file();
    const std::vector<std::vector<std::string>> misuses = {
        {},
        {"fly"},
        {"run"},
        {"run", model, "--no-such-flag"},
        {"run", model, "--engine", "onnx"},
        {"run", model, "--threads", "0"},
        {"run", model, "--threads", "many"},
        {"run", model, "--resize", "0=1x-2"},
        {"run", model, "--resize", "1x2"},
        {"run", model, "--input", "file.bin"},
        {"run", model, "--steps", "0"},
        {"verify", model},
        {"inspect", model, "-o", "xml"},
        {"bench", model, "--rounds", "-1"},
    };
    for (const auto& words : misuses) expect_one_error(run_skiff(words), 2, "see skiff --help");
}

TEST(Command, Help) {
    const auto help = run_skiff({"--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_EQ(help.err, "");
    for (const char* verb : {"inspect", "run", "verify", "conformance", "bench"})
        EXPECT_NE(help.out.find(verb), std::string::npos) << verb;
    EXPECT_EQ(help.out.find("engine-child"), std::string::npos);
}

TEST(Command, LibrariesThatAreNone) {
    const std::string model = model_file();
    const std::string zlib = "/usr/lib/x86_64-linux-gnu/libz.so.1";
    const std::string text = scratch_file("text.so", as_bytes("no library"));
    const auto run = [&](const std::string& engine) {
        return run_skiff({"run", model, "--random", "1", "--engine", engine});
    };
    if (file_exists(zlib)) {
        expect_one_error(run("tflite:" + zlib), 1, zlib + " has no function TfLiteModelCreate");
        expect_one_error(run("litert:" + zlib), 1,
                         zlib + " has no function LiteRtCreateCompiledModel");
    }
    expect_one_error(run("tflite:" + text), 1, text + " is not a library this system can load");
    expect_one_error(run("litert:/nowhere.so"), 1, "no library at /nowhere.so");
    expect_one_error(run_skiff({"verify", model, "--against", "tflite:/nowhere.so"}), 1,
                     "/nowhere.so");
}

TEST(Command, RunWritesOutputs) {
    const std::string input = scratch_file("in.bin", floats({1, 2, 3, 4}));
    const std::string folder = test::scratch_folder() + "/made/here";
    const auto finished =
        run_skiff({"run", model_file(), "--input", "x=" + input, "--output-dir", folder});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(finished.err, "");
    EXPECT_EQ(read_file(folder + "/output_0.bin").value(), as_text(floats({2, 4, 6, 8})));
}

TEST(Command, RunWithStepsTakesOnePartEach) {
    const std::string input = scratch_file("in2.bin", floats({1, 2, 3, 4, 5, 6, 7, 8}));
    const std::string folder = test::scratch_folder() + "/steps";
    const auto finished = run_skiff({"run", model_file(), "--input", "0=" + input, "--steps", "2",
                                     "--output-dir", folder, "--json"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(read_file(folder + "/step_0/output_0.bin").value(), as_text(floats({2, 4, 6, 8})));
    EXPECT_EQ(read_file(folder + "/step_1/output_0.bin").value(),
              as_text(floats({10, 12, 14, 16})));
    const json out = json::parse(finished.out);
    EXPECT_EQ(out["engine"], "skiff");
    EXPECT_EQ(out["steps"].size(), 2u);
    EXPECT_EQ(out["steps"][1]["outputs"][0]["max"], 16);
}

TEST(Command, RunResized) {
    const std::string input = scratch_file("in3.bin", floats({1, 2, 3, 4, 5, 6}));
    const auto finished = run_skiff(
        {"run", model_file(), "--resize", "0=2x3", "--input", "0=" + input, "-o", "json"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(json::parse(finished.out)["steps"][0]["outputs"][0]["shape"],
              (std::vector<int>{2, 3}));
}

TEST(Command, RunShowsTheLargestOfAVector) {
    std::vector<float> values(20, 0);
    values[13] = 5;
    values[2] = 4;
    const std::string input = scratch_file("top.bin", floats(values));
    const auto finished =
        run_skiff({"run", model_file("twenty.tflite", 20), "--input", "0=" + input});
    EXPECT_NE(finished.out.find("top 13: 10, 2: 8, "), std::string::npos) << finished.out;
}

TEST(Command, RunProfile) {
    const auto finished = run_skiff({"run", model_file(), "--random", "1", "--profile"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_NE(finished.out.find("ADD"), std::string::npos) << finished.out;
    expect_one_error(
        run_skiff({"run", model_file(), "--random", "1", "--profile", "--engine", fake_library()}),
        1, "--profile");
}

TEST(Command, InspectJson) {
    const auto finished = run_skiff({"inspect", model_file(), "--json"});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const json out = json::parse(finished.out);
    EXPECT_EQ(out["inputs"][0]["name"], "x");
    EXPECT_EQ(out["operators"], json::parse(R"([{"name":"ADD","version":1,"count":1}])"));
    EXPECT_EQ(out["runs"], true);
    EXPECT_GT(out["arena_bytes"].get<int>(), 0);
    EXPECT_EQ(out["metadata"], nullptr);
}

TEST(Command, InspectNotesWhatLabellingWillRefuse) {
    model::Builder builder;
    const auto x = builder.add_tensor({.name = "image", .shape = {1, 2, 2, 3}});
    const auto y = builder.add_tensor({.name = "scores", .shape = {1, 2, 2, 3}});
    builder.add_operator(model::ops::relu(x, y));
    builder.set_inputs({x});
    builder.set_outputs({y});
    const std::string path = scratch_file("image.tflite", builder.write().value());
    const std::string note = "no normalization metadata: image labelling will refuse it";
    EXPECT_NE(run_skiff({"inspect", path}).out.find(note), std::string::npos);
    builder.set_image_metadata({.name = "m",
                                .mean = {127.5f},
                                .std = {127.5f},
                                .output_labels = {{"labels.txt", {"a", "b"}}}});
    const std::string described = scratch_file("described.tflite", builder.write().value());
    const auto out = run_skiff({"inspect", described}).out;
    EXPECT_EQ(out.find(note), std::string::npos) << out;
    EXPECT_NE(out.find("labels.txt has 2 labels for 3 classes of output 0"), std::string::npos)
        << out;
}

TEST(Command, RunLabelsAnImageWithWhatTheMetadataLacks) {
    model::Builder builder;
    const auto x = builder.add_tensor({.name = "image", .shape = {1, 2, 2, 3}});
    const auto y = builder.add_tensor({.name = "scores", .shape = {1, 1, 1, 3}});
    builder.add_operator(model::ops::average_pool_2d(x, y));
    builder.set_inputs({x});
    builder.set_outputs({y});
    const std::string path = scratch_file("plain.tflite", builder.write().value());
    const std::string picture = text_file("pixel.bmp", one_pixel_bmp(255, 0, 191));
    std::vector<std::string> words = {"run", path, "--image", picture, "--json"};
    expect_one_error(run_skiff(words), 1, "give mean and std");

    words.insert(words.end(), {"--normalize", "127", "128", "--labels",
                               text_file("labels.txt", "red\ngreen\nblue\n")});
    const auto finished = run_skiff(words);
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const json labels = json::parse(finished.out)["labels"];
    ASSERT_EQ(labels.size(), 2u) << labels;  // green is below 0
    EXPECT_EQ(labels[0]["label"], "red");
    EXPECT_EQ(labels[0]["confidence"], 1);
    EXPECT_EQ(labels[1]["label"], "blue");
    EXPECT_EQ(labels[1]["confidence"], 0.5);

    words.back() = text_file("labels.txt", "red\ngreen\n");
    expect_one_error(run_skiff(words), 1, "the labels have 2 lines");
    words.back() = text_file("labels.txt", "");
    expect_one_error(run_skiff(words), 1, "is empty");
}

TEST(Command, VerifyEqual) {
    const auto finished =
        run_skiff({"verify", model_file(), "--against", fake_library(), "--seeds", "5"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(finished.out, "20 of 20 values equal in 5 runs\n");
}

TEST(Command, VerifyNamesTheFirstDifferingOperator) {
    const std::vector<std::string> words = {"verify",       model_file(), "--against",
                                            fake_library(), "--seeds",    "3"};
    const auto finished = run_skiff(words, {{"FAKE_TFLITE", "wrong"}});
    EXPECT_EQ(finished.exit_code, 1) << finished.err;
    EXPECT_NE(finished.out.find("9 of 12 values equal in 3 runs"), std::string::npos)
        << finished.out;
    EXPECT_NE(finished.out.find("first at node 0, ADD 'y'"), std::string::npos) << finished.out;
    EXPECT_NE(finished.out.find("so do the official builds"), std::string::npos) << finished.out;
}

TEST(Command, VerifySurvivesACrash) {
    const std::string model = model_file();
    const std::vector<std::string> words = {"verify", model, "--against", fake_library()};
    expect_one_error(run_skiff(words, {{"FAKE_TFLITE", "crash"}}), 1,
                     "tflite 0.0-fake crashed: SIGSEGV on " + model);
    // Among several models it is one row.
    const std::string text =
        scratch_file("no_model.tflite", as_bytes("not a model, only text that is long"));
    const auto table = run_skiff({"verify", model, text, "--against", fake_library(), "--json"});
    EXPECT_EQ(table.exit_code, 0) << table.err;
    const json out = json::parse(table.out);
    EXPECT_EQ(out["equal"], 1);
    EXPECT_EQ(out["rejected"], 1);
}

TEST(Command, ConformanceOfAPlainFolder) {
    const std::string folder = test::scratch_folder() + "/plain";
    make_folders(folder).value();
    write_file(folder + "/good.tflite", test::doubling_model()).value();
    write_file(folder + "/bad.tflite", as_bytes("not a model, only text that is long")).value();
    write_file(folder + "/notes.txt", as_bytes("ignored")).value();
    const auto finished = run_skiff({"conformance", folder, "--json"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    const json out = json::parse(finished.out);
    EXPECT_EQ(out["models"], 2);
    EXPECT_EQ(out["rejected"], 1);
    EXPECT_EQ(out["ran"], 1);
    EXPECT_EQ(out["results"][0]["model"], "bad");
    EXPECT_EQ(out["results"][1]["status"], "ran");
    EXPECT_EQ(
        json::parse(run_skiff({"conformance", folder, "--only", "g*", "--json"}).out)["models"], 1);
    expect_one_error(run_skiff({"conformance", folder, "--only", "x*"}), 1, "no models");
    expect_one_error(run_skiff({"conformance", "/nowhere"}), 1, "/nowhere");
}

TEST(Command, BenchAgainstALibrary) {
    // The rival sleeps 20 ms: the ratio is steady enough only for the rival's time to dominate, so
    // either ending is right, but never a ratio together with a refusal.
    const auto finished = run_skiff({"bench", model_file(), "--vs", fake_library(), "--rounds", "3",
                                     "--round-ms", "20", "--json"},
                                    {{"FAKE_TFLITE", "slow"}});
    const json out = json::parse(finished.out);
    const json& result = out["results"][0];
    ASSERT_EQ(result["engines"].size(), 2u);
    EXPECT_EQ(result["engines"][1]["engine"], "tflite 0.0-fake");
    EXPECT_GE(result["engines"][1]["median_ns"].get<double>(), 20e6);
    EXPECT_EQ(result["engines"][0]["rounds_ns"].size(), 3u);
    const bool steady = result["ratio_spread"].get<double>() <= 0.10;
    EXPECT_EQ(finished.exit_code, steady ? 0 : 1);
    EXPECT_EQ(result["ratio"].is_null(), !steady);
    EXPECT_EQ(finished.err.find("no ratio: it varied by") != std::string::npos, !steady);
    EXPECT_FALSE(out["cpu"].get<std::string>().empty());
    EXPECT_EQ(out["allow_fp16"], false);
}

}  // namespace
}  // namespace skiff::cli
