/* A C program with a model inside: delivery without any network, the bundled version runs.
   consumer_client_c DATA_DIR */
#include <skiff_embedded/digits.h>
#include <stdio.h>
#include <string.h>

#include <skiff/c.h>

static int run(skiff_interpreter* interpreter, skiff_error* error) {
    skiff_tensor input;
    skiff_model_version version;
    if (skiff_interpreter_input(interpreter, 0, &input, error) != SKIFF_OK) return 1;
    memset(input.data, 0, input.bytes);
    if (skiff_interpreter_invoke(interpreter, error) != SKIFF_OK) return 1;
    skiff_interpreter_version(interpreter, &version);
    printf("%s version %u of %zu bytes\n", version.model, (unsigned)version.number,
           skiff_embedded_digits_bytes());
    return version.number != 0;
}

int main(int argc, char** argv) {
    skiff_error error = {SKIFF_OK, 0, ""};
    skiff_local_model bundled;
    skiff_client_options options;
    skiff_model_options model_options;
    skiff_client* client = NULL;
    skiff_model* model = NULL;
    skiff_interpreter* interpreter = NULL;
    int failed;
    memset(&bundled, 0, sizeof bundled);
    bundled.size = sizeof bundled;
    bundled.data = skiff_embedded_digits;
    bundled.bytes = skiff_embedded_digits_bytes();
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.data_dir = argc == 2 ? argv[1] : "";
    memset(&model_options, 0, sizeof model_options);
    model_options.size = sizeof model_options;
    model_options.bundled = &bundled;
    failed = skiff_client_create(&options, &client, &error) != SKIFF_OK ||
             skiff_client_model(client, "digits", &model_options, &model, &error) != SKIFF_OK ||
             skiff_model_interpreter(model, &interpreter, &error) != SKIFF_OK ||
             run(interpreter, &error);
    if (failed) fprintf(stderr, "consumer: %s\n", error.message);
    skiff_interpreter_destroy(interpreter);
    skiff_model_destroy(model);
    skiff_client_destroy(client);
    return failed;
}
