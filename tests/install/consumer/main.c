/* What a C program does with an installed Skiff: load a model, run it once on zeros. */
#include <stdio.h>
#include <string.h>

#include <skiff/c.h>

static int run(skiff_interpreter* interpreter, skiff_error* error) {
    skiff_tensor input, output;
    if (skiff_interpreter_input(interpreter, 0, &input, error) != SKIFF_OK) return 1;
    memset(input.data, 0, input.bytes);
    if (skiff_interpreter_invoke(interpreter, error) != SKIFF_OK) return 1;
    if (skiff_interpreter_output(interpreter, 0, &output, error) != SKIFF_OK) return 1;
    printf("skiff %s: %s has %zu bytes\n", skiff_version(), output.name, output.bytes);
    return 0;
}

int main(int argc, char** argv) {
    skiff_error error = {SKIFF_OK, 0, ""};
    skiff_loaded_model* model = NULL;
    skiff_interpreter* interpreter = NULL;
    int failed = argc != 2 || skiff_load_file(argv[1], &model, &error) != SKIFF_OK ||
                 skiff_interpreter_create(model, NULL, &interpreter, &error) != SKIFF_OK ||
                 run(interpreter, &error);
    if (failed) fprintf(stderr, "consumer: %s\n", error.message);
    skiff_interpreter_destroy(interpreter);
    skiff_loaded_model_destroy(model);
    return failed;
}
