/* Delivery from C, with a world of the test's own: bundled -> update -> active -> report. It is
   also what is run against a libskiff built with SKIFF_HOST=none.

   test_api_client_c API_PUBLISH, in the repository's root; API_PUBLISH makes the signed trees. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <skiff/c.h>

#include "scripted_host.h"

static int passed = 0, failed = 0;
#define EXPECT(condition)                                                   \
    do {                                                                    \
        if (condition) {                                                    \
            ++passed;                                                       \
        } else {                                                            \
            ++failed;                                                       \
            printf("%s:%d: %s is false\n", __FILE__, __LINE__, #condition); \
        }                                                                   \
    } while (0)
#define EXPECT_OK(call)                                                                          \
    do {                                                                                         \
        if ((call) == SKIFF_OK) {                                                                \
            ++passed;                                                                            \
        } else {                                                                                 \
            ++failed;                                                                            \
            printf("%s:%d: %s: %d: %s\n", __FILE__, __LINE__, #call, error.code, error.message); \
        }                                                                                        \
    } while (0)

static const char* bundled_path = "examples/digits/digits_v1_int8.tflite";
static char scratch[] = "/tmp/skiff_test_api_c.XXXXXX";
static char tree[128], data_dir[128], root_path[160];
static script world;
static skiff_error error;

static int shell(const char* command) {
    const int status = system(command);
    if (status != 0) printf("failed: %s\n", command);
    return status == 0;
}

static int publish(const char* tool, const char* number, const char* model) {
    char command[1024];
    snprintf(command, sizeof command, "'%s' '%s' digits %s '%s'", tool, tree, number, model);
    return shell(command);
}

/* What the callbacks of a client saw. */
typedef struct seen {
    int changes, released;
    uint32_t now, before;
} seen;

static void on_change(void* user, const skiff_model_status* now, const skiff_model_status* before) {
    seen* s = (seen*)user;
    s->now = now->running.number;
    s->before = before->has_running ? before->running.number : 99;
    ++s->changes;
}
static void release(void* user) {
    ++((seen*)user)->released;
}
/* An executor that runs at once. */
static void execute(void* user, void (*task)(void*), void* argument) {
    (void)user;
    task(argument);
}

static skiff_client* open_client(seen* s) {
    static const char* urls[] = {"http://models.example/p/demo"};
    const skiff_host host = script_host(&world);
    skiff_client_options options;
    skiff_client* client = NULL;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.urls = urls;
    options.url_count = 1;
    options.root_path = root_path;
    options.data_dir = data_dir;
    options.report_token = "secret-of-the-test";
    options.check_every_s = -1;
    options.attributes = "{\"app_version\": \"1.2.3\"}";
    options.host = &host;
    options.execute = execute;
    options.user = s;
    options.release = release;
    EXPECT_OK(skiff_client_create(&options, &client, &error));
    return client;
}

static skiff_model* open_model(skiff_client* client, seen* s) {
    skiff_local_model bundled;
    skiff_download_conditions wifi;
    skiff_model_options options;
    skiff_model* model = NULL;
    memset(&bundled, 0, sizeof bundled);
    bundled.size = sizeof bundled;
    bundled.path = bundled_path;
    memset(&wifi, 0, sizeof wifi);
    wifi.size = sizeof wifi;
    wifi.wifi = 1;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.bundled = &bundled;
    options.conditions = &wifi;
    options.type = SKIFF_LOCAL_MODEL;
    options.on_change = on_change;
    options.user = s;
    options.release = release;
    EXPECT_OK(skiff_client_model(client, "digits", &options, &model, &error));
    return model;
}

static uint32_t running(skiff_model* model, int32_t* source) {
    skiff_model_status status;
    memset(&status, 0, sizeof status);
    status.size = sizeof status;
    skiff_model_get_status(model, &status);
    EXPECT(status.has_running && status.why[0] != 0);
    *source = status.source;
    return status.running.number;
}

/* Labels a white square and says which version did. */
static uint32_t label(skiff_labeler* labeler, uint64_t* inference_id) {
    static unsigned char white[28 * 28];
    skiff_image image;
    skiff_label labels[10];
    skiff_model_version version;
    size_t count = 0;
    memset(white, 255, sizeof white);
    memset(&image, 0, sizeof image);
    image.size = sizeof image;
    image.format = SKIFF_IMAGE_GRAY;
    image.width = image.height = 28;
    image.data = white;
    image.bytes = sizeof white;
    EXPECT_OK(skiff_labeler_process(labeler, &image, labels, 10, &count, &error));
    EXPECT(count > 0 && labels[0].text[0] != 0);
    skiff_labeler_version(labeler, &version);
    EXPECT(strcmp(version.model, "digits") == 0);
    *inference_id = skiff_labeler_inference_id(labeler);
    EXPECT(*inference_id != 0);
    return version.number;
}

/* On a metered network an update waits, and says why; with wifi it comes. */
static void update(skiff_model* model) {
    skiff_download* download = NULL;
    skiff_progress progress;
    memset(&progress, 0, sizeof progress);
    progress.size = sizeof progress;
    world.metered = 1;
    EXPECT_OK(skiff_model_update(model, NULL, &download, &error));
    EXPECT(skiff_download_wait(download, 1500, &error) == SKIFF_DEADLINE_EXCEEDED);
    skiff_download_get_progress(download, &progress);
    EXPECT(progress.state == SKIFF_PROGRESS_WAITING);
    EXPECT(strstr(progress.why, "wifi") != NULL);
    EXPECT(strstr(progress.why, "the script") != NULL);
    EXPECT(!skiff_download_done(download));
    skiff_download_cancel(download);
    EXPECT(skiff_download_wait(download, 20000, &error) == SKIFF_CANCELLED);
    skiff_download_destroy(download);

    /* A limit of 0 is one when it says so. */
    skiff_download_conditions conditions;
    memset(&conditions, 0, sizeof conditions);
    conditions.size = sizeof conditions;
    conditions.has_metered_limit = 1;
    conditions.deadline_s = 1;
    download = NULL;
    EXPECT_OK(skiff_model_update(model, &conditions, &download, &error));
    EXPECT(skiff_download_wait(download, 20000, &error) == SKIFF_CONDITIONS_UNMET);
    EXPECT(strstr(error.message, "may carry nothing") != NULL);
    skiff_download_destroy(download);
    /* A program built before there was that member has no limit with 0. */
    conditions.size = offsetof(skiff_download_conditions, has_metered_limit);
    conditions.wifi = 1;
    download = NULL;
    EXPECT_OK(skiff_model_update(model, &conditions, &download, &error));
    EXPECT(skiff_download_wait(download, 20000, &error) == SKIFF_CONDITIONS_UNMET);
    EXPECT(strstr(error.message, "may carry nothing") == NULL);
    skiff_download_destroy(download);

    world.metered = 0;
    download = NULL;
    EXPECT_OK(skiff_model_update(model, NULL, &download, &error));
    EXPECT_OK(skiff_download_wait(download, 20000, &error));
    skiff_download_get_progress(download, &progress);
    EXPECT(progress.state == SKIFF_PROGRESS_ACTIVE);
    EXPECT(skiff_download_done(download));
    skiff_download_destroy(download);
}

static void test_foreign_inference(skiff_model* model) {
    skiff_model_file* file = NULL;
    skiff_model_version version;
    skiff_loaded_model* loaded = NULL;
    skiff_trace* trace;
    EXPECT_OK(skiff_model_open_file(model, &file, &error));
    if (!file) return;
    skiff_model_file_version(file, &version);
    EXPECT(version.number == 1);
    EXPECT(skiff_model_file_path_of(file, "no such") == NULL);
    EXPECT_OK(skiff_load_file(skiff_model_file_path(file), &loaded, &error));
    trace = skiff_model_trace(model);
    EXPECT(skiff_trace_inference_id(trace) != 0);
    skiff_trace_success(trace);
    skiff_trace_destroy(trace);
    skiff_trace_destroy(skiff_model_trace(model)); /* aborted */
    trace = skiff_model_trace(model);
    skiff_trace_failure(trace, SKIFF_INTERNAL);
    skiff_trace_destroy(trace);
    skiff_loaded_model_destroy(loaded);
    skiff_model_file_destroy(file);
}

static void test_report(skiff_client* client) {
    EXPECT_OK(skiff_client_sync(client, 20000, &error));
    EXPECT(world.reports >= 1);
    EXPECT(strstr(world.report, "\"digits\"") != NULL);
    EXPECT(strstr(world.report, "secret") == NULL);
    EXPECT(strcmp(world.authorization, "Bearer secret-of-the-test") == 0);
}

static void test_story(void) {
    seen client_seen = {0, 0, 0, 0}, model_seen = {0, 0, 0, 0};
    skiff_client* client;
    skiff_model* model;
    skiff_labeler* labeler = NULL;
    skiff_interpreter *old = NULL, *fresh = NULL;
    skiff_model_version version;
    skiff_tensor input;
    uint64_t id = 0;
    int32_t source = -1;

    world.online = 0;
    client = open_client(&client_seen);
    if (!client) return;
    model = open_model(client, &model_seen);
    if (!model) return;
    EXPECT(running(model, &source) == 0 && source == SKIFF_SOURCE_BUNDLED);
    EXPECT_OK(skiff_model_labeler_create(model, NULL, &labeler, &error));
    if (!labeler) return;
    EXPECT(skiff_labeler_max_results(labeler) == 10);
    EXPECT(label(labeler, &id) == 0);
    EXPECT_OK(skiff_model_interpreter(model, &old, &error));

    world.online = 1;
    update(model);
    EXPECT(running(model, &source) == 1 && source == SKIFF_SOURCE_ACTIVE);
    EXPECT(model_seen.changes >= 1 && model_seen.now == 1 && model_seen.before == 0);
    EXPECT(skiff_interpreter_stale(old));
    skiff_interpreter_version(old, &version);
    EXPECT(version.number == 0); /* keeps to its version */
    EXPECT_OK(skiff_interpreter_invoke(old, &error));
    skiff_interpreter_destroy(old);

    EXPECT_OK(skiff_model_interpreter(model, &fresh, &error));
    skiff_interpreter_version(fresh, &version);
    EXPECT(version.number == 1 && strlen(version.sha256) == 64);
    EXPECT(!skiff_interpreter_stale(fresh) && skiff_interpreter_inference_id(fresh) == 0);
    EXPECT_OK(skiff_interpreter_input(fresh, 0, &input, &error));
    memset(input.data, 0, input.bytes);
    EXPECT_OK(skiff_interpreter_invoke(fresh, &error));
    EXPECT(skiff_interpreter_inference_id(fresh) != 0);
    EXPECT(label(labeler, &id) == 1); /* follows */
    skiff_model_record_outcome(model, id, 1);
    skiff_model_record(model, "tap", 1.5);
    test_foreign_inference(model);
    test_report(client);

    /* Any order of destruction is fine. */
    skiff_client_destroy(client);
    skiff_model_destroy(model);
    EXPECT_OK(skiff_interpreter_invoke(fresh, &error));
    skiff_interpreter_destroy(fresh);
    EXPECT(world.released == 0);
    skiff_labeler_destroy(labeler);
    EXPECT(world.released == 1 && client_seen.released == 1 && model_seen.released == 1);
}

/* The store outlives the client; the manager sees what is there. */
static void test_manager(void) {
    seen client_seen = {0, 0, 0, 0};
    skiff_model_version versions[4];
    skiff_download* download = NULL;
    skiff_client* client;
    world.online = 0;
    client = open_client(&client_seen);
    if (!client) return;
    EXPECT(skiff_client_is_model_downloaded(client, "digits"));
    EXPECT(!skiff_client_is_model_downloaded(client, "letters"));
    EXPECT(skiff_client_downloaded_models(client, versions, 4) == 1);
    EXPECT(versions[0].number == 1 && strcmp(versions[0].model, "digits") == 0);
    EXPECT_OK(skiff_client_download(client, "digits", SKIFF_LATEST_MODEL, NULL, &download, &error));
    EXPECT_OK(skiff_download_wait(download, 20000, &error)); /* offline: what is there */
    skiff_download_destroy(download);
    EXPECT(skiff_client_download(client, "digits", 7, NULL, &download, &error) ==
           SKIFF_INVALID_ARGUMENT);
    EXPECT_OK(skiff_client_delete_downloaded_model(client, "digits", &error));
    EXPECT_OK(skiff_client_delete_downloaded_model(client, "digits", &error));
    EXPECT(!skiff_client_is_model_downloaded(client, "digits"));
    skiff_client_destroy(client);
}

static void test_mistakes(void) {
    seen s = {0, 0, 0, 0};
    skiff_client_options options;
    skiff_client* client = NULL;
    skiff_model* model = NULL;
    skiff_model_options model_options;
    skiff_host host = script_host(&world);
    const int released = world.released;
    memset(&options, 0, sizeof options);
    memset(&model_options, 0, sizeof model_options);
    EXPECT(skiff_client_create(&options, &client, &error) == SKIFF_INVALID_ARGUMENT); /* no size */
    EXPECT(skiff_client_create(NULL, &client, &error) == SKIFF_INVALID_ARGUMENT);
    options.size = sizeof options;
    options.user = &s;
    options.release = release;
    options.root_path = "no/such/root.json";
    options.data_dir = data_dir;
    options.host = &host;
    EXPECT(skiff_client_create(&options, &client, &error) == SKIFF_NOT_FOUND);
    EXPECT(strstr(error.message, "no/such/root.json") != NULL);
    EXPECT(s.released == 1 && world.released == released + 1);
    host.monotonic_ns = NULL;
    EXPECT(skiff_client_create(&options, &client, &error) == SKIFF_INVALID_ARGUMENT);
    EXPECT(s.released == 2 && world.released == released + 2);
    host = script_host(&world);
    EXPECT(skiff_client_create(&options, NULL, &error) == SKIFF_INVALID_ARGUMENT);
    EXPECT(s.released == 3 && world.released == released + 3);
    EXPECT(client == NULL);
    client = open_client(&s);
    model_options.size = sizeof model_options;
    model_options.user = &s;
    model_options.release = release;
    EXPECT(skiff_client_model(client, NULL, &model_options, &model, &error) ==
           SKIFF_INVALID_ARGUMENT);
    EXPECT(s.released == 4);
    EXPECT(skiff_client_model(client, "digits", &model_options, NULL, &error) ==
           SKIFF_INVALID_ARGUMENT);
    EXPECT(s.released == 5);
    EXPECT(skiff_client_set_attributes(client, "[1]", &error) == SKIFF_INVALID_ARGUMENT);
    EXPECT(skiff_client_set_attributes(client, "{", &error) == SKIFF_INVALID_ARGUMENT);
    EXPECT_OK(skiff_client_set_attributes(client, "{\"cores\": 8}", &error));
    skiff_client_set_user_id(client, "anna");
    skiff_client_destroy(client);
    skiff_client_destroy(NULL);
    skiff_model_destroy(NULL);
    skiff_download_destroy(NULL);
    skiff_model_file_destroy(NULL);
    skiff_trace_destroy(NULL);
}

int main(int argc, char** argv) {
    char command[256];
    if (argc != 2 || !mkdtemp(scratch)) return 2;
    snprintf(tree, sizeof tree, "%s/tree", scratch);
    snprintf(data_dir, sizeof data_dir, "%s/data", scratch);
    snprintf(root_path, sizeof root_path, "%s/root.json", tree);
    script_begin(&world, tree);
    if (publish(argv[1], "1", "examples/digits/digits_v2_int8.tflite")) {
        test_story();
        test_manager();
        test_mistakes();
    } else {
        ++failed;
    }
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    shell(command);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
