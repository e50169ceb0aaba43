/* The C interface from C: load, run, resize, refuse. Prints one line per failure; the last line
 * counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <skiff/c.h>

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

static const char* model_path = "examples/digits/digits_v2_int8.tflite";

static void test_versions(void) {
    EXPECT(skiff_abi_version() == SKIFF_ABI_VERSION);
    EXPECT(strcmp(skiff_version(), "0.1.0") == 0);
    EXPECT(sizeof(skiff_error) == 512);
}

static void test_errors(void) {
    skiff_loaded_model* model = NULL;
    skiff_error error;
    EXPECT(skiff_load_file("no/such.tflite", &model, &error) == SKIFF_NOT_FOUND);
    EXPECT(error.code == SKIFF_NOT_FOUND);
    EXPECT(strstr(error.message, "no/such.tflite") != NULL);
    EXPECT(model == NULL);
    EXPECT(skiff_load_memory("this is not a model", 19, &model, &error) == SKIFF_INVALID_ARGUMENT);
    EXPECT(skiff_load_memory(NULL, 7, &model, &error) == SKIFF_INVALID_ARGUMENT);
    EXPECT(skiff_load_file(NULL, &model, &error) == SKIFF_INVALID_ARGUMENT);
    EXPECT(skiff_load_file("no/such.tflite", &model, NULL) == SKIFF_NOT_FOUND);
    skiff_loaded_model_destroy(NULL);
    skiff_interpreter_destroy(NULL);
    skiff_labeler_destroy(NULL);
}

static void test_interpreter(void) {
    skiff_loaded_model* model = NULL;
    skiff_interpreter* interpreter = NULL;
    skiff_interpreter_options options;
    skiff_tensor input, output, again;
    skiff_error error;
    const int32_t two_images[4] = {2, 28, 28, 3};

    EXPECT(skiff_load_file(model_path, &model, &error) == SKIFF_OK);
    if (!model) return;
    memset(&options, 0, sizeof options);
    EXPECT(skiff_interpreter_create(model, &options, &interpreter, &error) ==
           SKIFF_INVALID_ARGUMENT); /* size unset */
    options.size = sizeof options;
    options.threads = 2;
    EXPECT(skiff_interpreter_create(model, &options, &interpreter, &error) == SKIFF_OK);
    if (!interpreter) return;
    skiff_loaded_model_destroy(model); /* the interpreter keeps it */

    EXPECT(skiff_interpreter_input_count(interpreter) == 1);
    EXPECT(skiff_interpreter_output_count(interpreter) == 1);
    EXPECT(skiff_interpreter_input(interpreter, 0, &input, &error) == SKIFF_OK);
    EXPECT(input.dtype == SKIFF_INT8 && input.rank == 4 && input.dims[1] == 28 &&
           input.dims[3] == 3);
    EXPECT(input.bytes == 28 * 28 * 3 && input.scale > 0);
    EXPECT(skiff_interpreter_input_index(interpreter, input.name) == 0);
    EXPECT(skiff_interpreter_input_index(interpreter, "none") == -1);
    EXPECT(skiff_interpreter_output_index(interpreter, "none") == -1);
    EXPECT(skiff_interpreter_input(interpreter, 1, &input, &error) == SKIFF_INVALID_ARGUMENT);
    EXPECT(skiff_interpreter_input(interpreter, 0, &input, &error) == SKIFF_OK);
    memset(input.data, -128, input.bytes);
    EXPECT(skiff_interpreter_invoke(interpreter, &error) == SKIFF_OK);
    EXPECT(skiff_interpreter_output(interpreter, 0, &output, &error) == SKIFF_OK);
    EXPECT(output.bytes == 10 && output.rank == 2 && output.dims[1] == 10);
    {
        signed char first[10];
        memcpy(first, output.data, 10);
        EXPECT(skiff_interpreter_resize_input(interpreter, 0, two_images, 4, &error) == SKIFF_OK);
        EXPECT(skiff_interpreter_input(interpreter, 0, &input, &error) == SKIFF_OK);
        EXPECT(input.bytes == 2 * 28 * 28 * 3);
        memset(input.data, -128, input.bytes);
        EXPECT(skiff_interpreter_invoke(interpreter, &error) == SKIFF_OK);
        EXPECT(skiff_interpreter_output(interpreter, 0, &again, &error) == SKIFF_OK);
        EXPECT(again.bytes == 20 && again.dims[0] == 2);
        EXPECT(memcmp(again.data, first, 10) == 0);
        EXPECT(memcmp((const char*)again.data + 10, first, 10) == 0);
    }
    EXPECT(skiff_interpreter_resize_input(interpreter, 0, two_images, 9, &error) ==
           SKIFF_INVALID_ARGUMENT);
    EXPECT(skiff_interpreter_resize_input(interpreter, 3, two_images, 4, &error) ==
           SKIFF_INVALID_ARGUMENT);
    EXPECT(skiff_interpreter_reset_state(interpreter, &error) == SKIFF_OK);
    skiff_interpreter_cancel(interpreter);
    skiff_interpreter_destroy(interpreter);
}

static void test_labeler(void) {
    skiff_loaded_model* model = NULL;
    skiff_labeler* labeler = NULL;
    skiff_image image;
    skiff_label labels[10];
    size_t count = 0;
    skiff_error error;
    unsigned char* white = (unsigned char*)malloc(28 * 28);

    EXPECT(skiff_load_file(model_path, &model, &error) == SKIFF_OK);
    if (!model) return;
    EXPECT(skiff_labeler_create(model, NULL, &labeler, &error) == SKIFF_OK);
    if (!labeler) return;
    EXPECT(skiff_labeler_max_results(labeler) == 10);
    memset(&image, 0, sizeof image);
    image.size = sizeof image;
    image.format = SKIFF_IMAGE_GRAY;
    image.width = image.height = 28;
    image.data = white;
    image.bytes = 28 * 28;
    memset(white, 255, 28 * 28);
    EXPECT(skiff_labeler_process(labeler, &image, labels, 3, &count, &error) == SKIFF_OK);
    EXPECT(count == 3);
    EXPECT(labels[0].confidence >= labels[1].confidence && labels[0].text[0] != 0);
    image.bytes = 5;
    EXPECT(skiff_labeler_process(labeler, &image, labels, 10, &count, &error) ==
           SKIFF_INVALID_ARGUMENT);
    image.format = 99;
    EXPECT(skiff_labeler_process(labeler, &image, labels, 10, &count, &error) ==
           SKIFF_INVALID_ARGUMENT);
    skiff_labeler_destroy(labeler);
    skiff_loaded_model_destroy(model);
    free(white);
}

int main(void) {
    test_versions();
    test_errors();
    test_interpreter();
    test_labeler();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
