/* The classic TfLite* interface over nothing: one float input of 4 values, one float output that
 * holds them doubled.
 *
 * FAKE_TFLITE says how to misbehave: "crash" (at invoke), "crash-load", "abort", "exit", "hang",
 * "grow", "fail", "slow". "wrong" adds 1 to the second value. */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static float input_values[4], output_values[4];
static int input_tensor, output_tensor;
static void (*report)(void*, const char*, va_list);
static void* report_data;

static int mode_is(const char* mode) {
    const char* set = getenv("FAKE_TFLITE");
    return set != NULL && strcmp(set, mode) == 0;
}

static void say(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (report != NULL) report(report_data, format, arguments);
    va_end(arguments);
}

const char* TfLiteVersion(void) {
    return "0.0-fake";
}
void* TfLiteModelCreate(const void* data, size_t size) {
    (void)data;
    (void)size;
    if (mode_is("crash-load")) raise(SIGSEGV);
    return &input_tensor;
}
void TfLiteModelDelete(void* model) {
    (void)model;
}
void* TfLiteInterpreterOptionsCreate(void) {
    return &input_tensor;
}
void TfLiteInterpreterOptionsDelete(void* options) {
    (void)options;
}
void TfLiteInterpreterOptionsSetNumThreads(void* options, int32_t threads) {
    (void)options;
    (void)threads;
}
void TfLiteInterpreterOptionsSetErrorReporter(void* options,
                                              void (*reporter)(void*, const char*, va_list),
                                              void* data) {
    (void)options;
    report = reporter;
    report_data = data;
}
void* TfLiteInterpreterCreate(const void* model, const void* options) {
    (void)model;
    (void)options;
    return &input_tensor;
}
void TfLiteInterpreterDelete(void* interpreter) {
    (void)interpreter;
}
int32_t TfLiteInterpreterGetInputTensorCount(const void* interpreter) {
    (void)interpreter;
    return 1;
}
int32_t TfLiteInterpreterGetOutputTensorCount(const void* interpreter) {
    (void)interpreter;
    return 1;
}
void* TfLiteInterpreterGetInputTensor(const void* interpreter, int32_t index) {
    (void)interpreter;
    (void)index;
    return &input_tensor;
}
const void* TfLiteInterpreterGetOutputTensor(const void* interpreter, int32_t index) {
    (void)interpreter;
    (void)index;
    return &output_tensor;
}
int TfLiteInterpreterResizeInputTensor(void* interpreter, int32_t index, const int* dims,
                                       int32_t count) {
    (void)interpreter;
    (void)index;
    return count == 1 && dims[0] == 4 ? 0 : 1;
}
int TfLiteInterpreterAllocateTensors(void* interpreter) {
    (void)interpreter;
    return 0;
}
int TfLiteInterpreterInvoke(void* interpreter) {
    (void)interpreter;
    if (mode_is("crash")) raise(SIGSEGV);
    if (mode_is("abort")) abort();
    if (mode_is("exit")) _exit(7);
    if (mode_is("hang")) pause();
    if (mode_is("slow")) usleep(20000);
    if (mode_is("fail")) {
        say("node number %d failed\nand said more", 3);
        return 1;
    }
    while (mode_is("grow")) {
        static char* volatile block;  // clang leaves out what nobody can see
        block = malloc(16 << 20);
        if (block == NULL) abort();
        memset(block, 1, 16 << 20);
    }
    for (int i = 0; i < 4; ++i) output_values[i] = 2 * input_values[i];
    if (mode_is("wrong")) output_values[1] += 1;
    return 0;
}
int TfLiteInterpreterResetVariableTensors(void* interpreter) {
    (void)interpreter;
    return 0;
}
int32_t TfLiteTensorNumDims(const void* tensor) {
    (void)tensor;
    return 1;
}
int32_t TfLiteTensorDim(const void* tensor, int32_t index) {
    (void)tensor;
    (void)index;
    return 4;
}
size_t TfLiteTensorByteSize(const void* tensor) {
    (void)tensor;
    return sizeof input_values;
}
void* TfLiteTensorData(const void* tensor) {
    return tensor == &input_tensor ? (void*)input_values : (void*)output_values;
}
