// What is counted where, and that reports arrive once.
#include <sys/wait.h>
#include <unistd.h>

#include "device/reporter.h"
#include "device/store.h"
#include "telemetry/report.h"
#include "tests/device/world.h"

namespace skiff::device::testing {
namespace {

class CountingUses : public World {
 protected:
    void SetUp() override {
        project_.publish("digits", {});
        project_.publish("digits", {.number = 2}, false);
        instead_ = [this](const host::HttpRequest& request) -> std::optional<Result<Answer>> {
            if (request.method != "POST") return std::nullopt;
            url_ = request.url;
            for (const auto& [name, value] : request.headers)
                if (name == "Authorization") authorization_ = value;
            if (answer_status_ == 0)
                return Result<Answer>(retryable(Code::no_network, "no way there"));
            bodies_.push_back(request.body);
            return Result<Answer>(Answer{answer_status_, {}, "because"});
        };
    }
    std::shared_ptr<Client> reporting(std::function<void(ClientOptions&)> change = {}) {
        return client([&](ClientOptions& o) {
            o.report_token = "secret";
            if (change) change(o);
        });
    }
    // An experiment in which every device is in B, or every device in control.
    void experiment(bool all_in_b) {
        project_.rules("digits", [&](const Json& before) {
            Json rules = decide::start_rollout(before, "digits", {"rollout-1", 1, 2, 50}).value();
            rules["features"]["model.digits"]["rules"][0]["ranges"] =
                all_in_b ? Json{{0, 1}, {1, 1}} : Json{{0, 0}, {0, 1}};
            return rules;
        });
    }
    static void end_experiment(Project& project) {
        project.rules("digits",
                      [](const Json&) { return decide::empty_model_ruleset("digits", 1); });
    }
    // "1 success=2", "2 rollout-1/B success=1 exposures=1": of what no report has yet.
    static std::vector<std::string> counts(Client& device) {
        std::vector<std::string> lines;
        const Json all = device.diagnostics().value();
        for (const Json& cell : all.at("counts")) {
            std::string line = std::to_string(cell.at("version").get<int>());
            if (cell.contains("experiment"))
                line += " " + cell["experiment"].get<std::string>() + "/" +
                        cell["variant"].get<std::string>();
            const auto add = [&](const std::string& name, const Json& value) {
                line += " " + name + "=" + value.dump();
            };
            for (const auto& [name, n] : cell.at("outcomes").items()) add(name, n);
            if (cell.contains("exposures")) add("exposures", cell["exposures"]);
            if (cell.contains("updates"))
                for (const auto& [name, n] : cell["updates"].items()) add(name, n);
            if (cell.contains("labelled")) add("correct", cell["labelled"]["correct"]);
            lines.push_back(line);
        }
        return lines;
    }
    using Lines = std::vector<std::string>;

    int answer_status_ = 200;
    std::vector<std::string> bodies_;
    std::string url_, authorization_;
};

TEST_F(CountingUses, by_version) {
    const auto device = client();
    const auto digits = model(*device, "digits", free(bundled_file()));
    compute(*digits);
    compute(*digits);
    ASSERT_TRUE(device->sync(soon).ok());
    compute(*digits);
    EXPECT_EQ(counts(*device), (Lines{"0 success=2", "1 success=1 installed=1"}));
}

// What computes is another version than what lies there as a file: each is counted for itself.
TEST_F(CountingUses, an_opaque_version_is_counted_by_its_files_alone) {
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    project_.publish("digits", {.number = 3, .bytes = "opaque", .extension = ".bin"});
    ASSERT_TRUE(device->sync(soon).ok());
    digits->record_confidence(0.5f);  // nothing has computed: of the file
    compute(*digits);
    digits->record_confidence(0.5f);
    digits->record("tap", 1);
    EXPECT_EQ(digits->file()->version.number, 3u);
    digits->trace().success();
    EXPECT_EQ(counts(*device), (Lines{"1 success=1 installed=1", "3 success=1 installed=1"}));
    const Json cells = device->diagnostics()->at("counts");
    for (const Json& cell : cells) {
        EXPECT_EQ(cell.at("confidence").at(10), 1) << cell.dump();
        EXPECT_EQ(cell.contains("goals"), cell.at("version") == 1) << cell.dump();
    }
}

// A device that never reports has counts of what it has, however long it lives; one that does keeps
// all until they are in a report.
TEST_F(CountingUses, versions_that_are_gone_make_room_where_nothing_is_reported) {
    {
        const auto device = client();
        const auto digits = model(*device);
        ASSERT_TRUE(device->sync(soon).ok());
        compute(*digits);
    }
    const auto age = [&] {
        const auto recorder = telemetry::Recorder::open(data_ + "/counters", 0).value();
        for (std::uint32_t number = 100; number < 140; ++number)
            recorder->cell({"digits", number, "", ""}).inference(telemetry::Outcome::success, 1000);
    };
    age();
    EXPECT_EQ(counts(*client()), (Lines{"1 success=1 installed=1"}));
    age();
    EXPECT_EQ(counts(*reporting()).size(), 41u);
    answer_status_ = 0;
    EXPECT_FALSE(reporting()->sync(soon).ok());  // a report waits: this store reports
    age();
    EXPECT_EQ(counts(*client()).size(), 40u);
}

TEST_F(CountingUses, b_counts_from_its_switch) {
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    experiment(true);
    network_->set(true, true);
    const auto strict = client();
    const auto waiting = model(*strict, "digits", {});
    EXPECT_EQ(strict->sync(soon).error().code, Code::conditions_unmet);
    compute(*waiting);
    EXPECT_EQ(waiting->assignment().experiment, "");
    network_->set(true, false);
    ASSERT_TRUE(strict->sync(soon).ok());
    compute(*waiting);
    EXPECT_EQ(waiting->assignment().experiment, "rollout-1");
    EXPECT_EQ(waiting->assignment().variant, "B");
    EXPECT_EQ(counts(*strict), (Lines{"1 success=1 installed=1",
                                      "2 rollout-1/B success=1 exposures=1 installed=1"}));
}

// A device of the control group runs A all the time, and counts only from the moment its own
// conditions would have let it fetch B.
TEST_F(CountingUses, control_counts_once_its_conditions_would_let_it_switch) {
    const auto device = client();
    const auto digits = model(*device, "digits", {});
    ASSERT_TRUE(device->sync(soon).ok());
    experiment(false);
    network_->set(true, true);
    ASSERT_TRUE(device->sync(soon).ok());  // nothing is to be fetched
    compute(*digits);
    EXPECT_EQ(counts(*device), (Lines{"1 success=1 installed=1"}));
    network_->set(true, false);
    ASSERT_TRUE(device->sync(soon).ok());
    compute(*digits);
    EXPECT_EQ(counts(*device),
              (Lines{"1 success=1 installed=1", "1 rollout-1/control success=1 exposures=1"}));
    // For good: also on a metered network, and in the next process.
    network_->set(true, true);
    const auto next = client();
    compute(*model(*next));
    EXPECT_EQ(counts(*next)[1], "1 rollout-1/control success=2 exposures=2");
    // After the experiment nothing of it is left.
    end_experiment(project_);
    ASSERT_TRUE(next->sync(soon).ok());
    compute(*model(*next));
    EXPECT_EQ(counts(*next)[0], "1 success=2 installed=1");
}

// A control device that could not run B (its gates) is never compared with devices that do.
TEST_F(CountingUses, control_behind_a_gate_does_not_count) {
    project_.publish("digits", {.number = 3, .min_app = "9.0"}, false);
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    project_.rules("digits", [&](const Json& before) {
        Json rules = decide::start_rollout(before, "digits", {"rollout-1", 1, 3, 50}).value();
        rules["features"]["model.digits"]["rules"][0]["ranges"] = Json{{0, 0}, {0, 1}};
        return rules;
    });
    ASSERT_TRUE(device->sync(soon).ok());
    compute(*digits);
    EXPECT_EQ(counts(*device), (Lines{"1 success=1 installed=1"}));
}

TEST_F(CountingUses, exposure_is_told_once_in_a_process) {
    std::vector<std::string> told;
    const auto device = client([&](ClientOptions& o) {
        o.on_exposure = [&](const Assignment& a) { told.push_back(a.experiment + a.variant); };
        o.executor = [](const std::function<void()>& task) { task(); };
    });
    const auto digits = model(*device);
    experiment(true);
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_TRUE(told.empty());
    for (int i = 0; i < 3; ++i) compute(*digits);
    EXPECT_EQ(told, std::vector<std::string>{"rollout-1B"});
}

TEST_F(CountingUses, traces_and_outcomes) {
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    { Trace early = digits->trace(); }  // of no file: counts nothing
    ASSERT_TRUE(digits->file().ok());
    Trace right = digits->trace(), wrong = digits->trace();
    right.success();
    wrong.failure(Code::internal);
    { Trace forgotten = digits->trace(); }
    digits->record_outcome(right.inference_id(), true);
    digits->record_outcome(right.inference_id(), true);  // once
    digits->record_outcome(999'999'999, true);           // nobody's
    auto engine = digits->interpreter().value();
    ASSERT_TRUE(engine->invoke().ok());
    // The version of then, not of now.
    project_.set_default("digits", 2);
    ASSERT_TRUE(device->sync(soon).ok());
    digits->record_outcome(engine->inference_id(), true);
    digits->record("tap", 2);
    digits->record_confidence(0.5f);
    EXPECT_EQ(counts(*device)[0], "1 aborted=1 failure=1 success=2 installed=1 correct=2");
    const Json all = device->diagnostics().value();
    EXPECT_EQ(all["counts"][1]["version"], 2);
    EXPECT_EQ(all["counts"][1]["goals"]["tap"]["sum"], 2);
    EXPECT_EQ(all["counts"][1]["confidence"][10], 1);
}

TEST_F(CountingUses, reports_are_sent_byte_for_byte_until_they_are_taken) {
    const auto device = reporting();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(url_, "http://models.example/v1/projects/demo/reports");
    EXPECT_EQ(authorization_, "Bearer secret");
    ASSERT_EQ(bodies_.size(), 1u);  // the installation
    EXPECT_TRUE(counts(*device).empty());
    compute(*digits);
    answer_status_ = 0;
    EXPECT_EQ(device->sync(soon).error().code, Code::no_network);
    EXPECT_EQ(device->diagnostics().value()["reports_waiting"], 1);
    answer_status_ = 503;
    bodies_.clear();
    EXPECT_EQ(device->sync(soon).error().code, Code::unavailable);
    answer_status_ = 200;
    compute(*digits);
    const auto next = reporting();  // another process
    ASSERT_TRUE(next->sync(soon).ok());
    ASSERT_EQ(bodies_.size(), 3u);
    EXPECT_EQ(bodies_[0], bodies_[1]);
    std::uint64_t successes = 0;
    for (const int i : {1, 2}) {
        const auto report = telemetry::read_report(bodies_[static_cast<std::size_t>(i)]);
        ASSERT_TRUE(report.ok());
        successes += report->cells.at(0).counts.inferences[0];
    }
    EXPECT_EQ(successes, 2u);
    EXPECT_EQ(device->diagnostics().value()["reports_waiting"], 0);
}

// A process that dies after its report is durable and before the counters are emptied: whoever
// comes next, with a recorder of its own from before, does not report the same again.
TEST_F(CountingUses, counts_are_reported_once_whoever_dies) {
    const auto device = reporting();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    compute(*digits);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto store = Store::open(data_).value();
        const auto generation =
            static_cast<std::uint64_t>(store->number_fact("counters_generation").value());
        const auto recorder = telemetry::Recorder::open(data_ + "/counters", generation).value();
        (void)recorder->take([&](std::uint64_t now, const auto& cells) -> Status {
            const bool saved = store->set_fact("counters_generation", std::to_string(now)).ok();
            ::_exit(saved && cells.size() == 1 ? 0 : 1);
        });
        ::_exit(2);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    bodies_.clear();
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(bodies_, std::vector<std::string>());
    compute(*digits);
    ASSERT_TRUE(device->sync(soon).ok());
    ASSERT_EQ(bodies_.size(), 1u);
    EXPECT_EQ(telemetry::read_report(bodies_[0])->cells.at(0).counts.inferences[0], 1u);
}

TEST_F(CountingUses, refused_reports_are_set_aside) {
    const auto device = reporting();
    const auto digits = model(*device);
    answer_status_ = 400;
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_EQ(device->diagnostics().value()["reports_refused"], 1);
    compute(*digits);
    answer_status_ = 401;
    const Status synced = device->sync(soon);
    ASSERT_FALSE(synced.ok());
    EXPECT_EQ(synced.error().code, Code::unauthenticated);
    EXPECT_EQ(synced.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(device->diagnostics().value()["reports_waiting"], 1);
    EXPECT_EQ(device->diagnostics().value()["reports_refused"], 1);
}

TEST_F(CountingUses, nothing_is_sent_without_a_token) {
    const auto device = client();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    compute(*digits);
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_TRUE(bodies_.empty());
    EXPECT_EQ(counts(*device).size(), 1u);
}

// Reports belong together while an experiment runs, and to nobody otherwise.
TEST_F(CountingUses, report_ids) {
    const auto device = reporting();
    const auto digits = model(*device);
    const auto next_report = [&] {
        compute(*digits);
        bodies_.clear();
        EXPECT_TRUE(device->sync(soon).ok());
        return telemetry::read_report(bodies_.at(0)).value();
    };
    ASSERT_TRUE(device->sync(soon).ok());
    const auto first = next_report(), second = next_report();
    EXPECT_NE(first.report_id, second.report_id);
    EXPECT_EQ(second.sequence, 1u);
    EXPECT_EQ(bodies_[0].find(device->installation_id()), std::string::npos);
    experiment(true);
    ASSERT_TRUE(device->sync(soon).ok());
    const auto third = next_report(), fourth = next_report();
    EXPECT_EQ(third.report_id, fourth.report_id);
    EXPECT_EQ(fourth.sequence, third.sequence + 1);
    end_experiment(project_);
    ASSERT_TRUE(device->sync(soon).ok());
    EXPECT_NE(next_report().report_id, fourth.report_id);
}

TEST_F(CountingUses, reports_of_a_clock_that_is_behind_have_the_time_that_was_signed) {
    const auto device = reporting();
    const auto digits = model(*device);
    ASSERT_TRUE(device->sync(soon).ok());
    const std::int64_t signed_ms = project_.clock->unix_ms();
    project_.clock->jump_to(signed_ms - std::int64_t{200} * 86'400'000);
    compute(*digits);
    bodies_.clear();
    ASSERT_TRUE(device->sync(soon).ok());
    const auto report = telemetry::read_report(bodies_.at(0));
    EXPECT_EQ(report->window_end_ms, signed_ms);
}

TEST_F(CountingUses, report_urls) {
    const auto url_for = [](std::vector<std::string> urls) {
        ClientOptions options;
        options.urls = std::move(urls);
        return report_url(options);
    };
    EXPECT_EQ(url_for({"https://a:8443/p/demo/"}), "https://a:8443/v1/projects/demo/reports");
    EXPECT_EQ(url_for({"file:///p/demo", "https://cdn/x", "https://b/p/demo"}),
              "https://b/v1/projects/demo/reports");
    EXPECT_EQ(url_for({"https://cdn/x/p/demo"}), "");
    EXPECT_EQ(url_for({"https://cdn/p/demo/x"}), "");
    EXPECT_EQ(url_for({}), "");
    ClientOptions given;
    given.report_url = "https://elsewhere/reports";
    EXPECT_EQ(report_url(given), "https://elsewhere/reports");
}

}  // namespace
}  // namespace skiff::device::testing
