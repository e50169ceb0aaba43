/* skiff/c_runtime.h: the part of skiff/c.h that runs models: versions, errors, tensors, models in
   memory, interpreter, image labelling. The rules of skiff/c.h hold. */
#ifndef SKIFF_C_RUNTIME_H
#define SKIFF_C_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#define SKIFF_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* -- versions
 * ----------------------------------------------------------------------------------------------------
 */

#define SKIFF_ABI_VERSION 2

/* The SKIFF_ABI_VERSION of the library that is loaded. A program may check that it is at least its
 * own. */
SKIFF_API uint32_t skiff_abi_version(void);
/* "0.1.0". Static. */
SKIFF_API const char* skiff_version(void);

/* -- errors
 * ------------------------------------------------------------------------------------------------------
 */

/* The canonical codes with the numbers Firebase uses, Firebase ML's own, then Skiff's. */
typedef enum skiff_code {
    SKIFF_OK = 0,
    SKIFF_CANCELLED = 1,
    SKIFF_UNKNOWN = 2,
    SKIFF_INVALID_ARGUMENT = 3,
    SKIFF_DEADLINE_EXCEEDED = 4,
    SKIFF_NOT_FOUND = 5,
    SKIFF_ALREADY_EXISTS = 6,
    SKIFF_PERMISSION_DENIED = 7,
    SKIFF_RESOURCE_EXHAUSTED = 8,
    SKIFF_FAILED_PRECONDITION = 9,
    SKIFF_ABORTED = 10,
    SKIFF_OUT_OF_RANGE = 11,
    SKIFF_UNIMPLEMENTED = 12,
    SKIFF_INTERNAL = 13,
    SKIFF_UNAVAILABLE = 14,
    SKIFF_DATA_LOSS = 15,
    SKIFF_UNAUTHENTICATED = 16,
    SKIFF_NO_NETWORK = 17,
    SKIFF_NOT_ENOUGH_SPACE = 101,
    SKIFF_HASH_MISMATCH = 102,
    SKIFF_BAD_SIGNATURE = 103,
    SKIFF_INCOMPATIBLE = 104,
    SKIFF_REVOKED = 105,
    SKIFF_CONDITIONS_UNMET = 106
} skiff_code;

/* What happened and what to do about it, in one line (cut to fit). Lives with the caller; needs no
 * initialization. */
typedef struct skiff_error {
    int32_t code;
    int32_t retry; /* 1: the same call may succeed later */
    char message[504];
} skiff_error;

/* -- tensors
 * -----------------------------------------------------------------------------------------------------
 */

/* Numbers of the .tflite format. */
typedef enum skiff_dtype {
    SKIFF_FLOAT32 = 0,
    SKIFF_FLOAT16 = 1,
    SKIFF_INT32 = 2,
    SKIFF_UINT8 = 3,
    SKIFF_INT64 = 4,
    SKIFF_STRING = 5,
    SKIFF_BOOL = 6,
    SKIFF_INT16 = 7,
    SKIFF_COMPLEX64 = 8,
    SKIFF_INT8 = 9,
    SKIFF_FLOAT64 = 10,
    SKIFF_COMPLEX128 = 11,
    SKIFF_UINT64 = 12,
    SKIFF_UINT32 = 15,
    SKIFF_UINT16 = 16,
    SKIFF_INT4 = 17,
    SKIFF_BFLOAT16 = 18
} skiff_dtype;

#define SKIFF_MAX_RANK 8

/* A view of an input or output. real = scale * (stored - zero_point) when scale is not 0. */
typedef struct skiff_tensor {
    const char* name; /* lives as long as the interpreter */
    int32_t dtype;    /* skiff_dtype */
    int32_t rank;
    int32_t dims[SKIFF_MAX_RANK]; /* outermost first; beyond rank: 0 */
    float scale;
    int32_t zero_point;
    void* data;   /* elements in row-major order, little-endian, no gaps */
    size_t bytes; /* of data */
} skiff_tensor;

/* -- a model in memory
 * ------------------------------------------------------------------------------------------- */

/* A model that was read and checked. Any number of interpreters share it. Any thread. */
typedef struct skiff_loaded_model skiff_loaded_model;

/* Maps a .tflite file; weights are not copied. The file must not be changed in place while it is
   loaded. Errors: not_found; invalid_argument (not a model, or damaged: the message says where). */
SKIFF_API int32_t skiff_load_file(const char* path, skiff_loaded_model** model, skiff_error* error);
/* Reads `bytes` in place: they stay the caller's, unchanged, until the model and all made from it
 * are destroyed. */
SKIFF_API int32_t skiff_load_memory(const void* data, size_t bytes, skiff_loaded_model** model,
                                    skiff_error* error);
/* The model that an AutoML Vision Edge manifest.json names, beside it, with its labels. Errors: as
 * skiff_load_file. */
SKIFF_API int32_t skiff_load_manifest(const char* path, skiff_loaded_model** model,
                                      skiff_error* error);
SKIFF_API void skiff_loaded_model_destroy(skiff_loaded_model* model);

/* -- interpreter
 * -------------------------------------------------------------------------------------------------
 */

typedef struct skiff_interpreter_options {
    size_t size;           /* sizeof(skiff_interpreter_options) */
    int32_t threads;       /* 0: one */
    int32_t allow_fp16;    /* 1: float models may be computed in half precision; integers are always
                              exact */
    const char* signature; /* NULL: the model's own inputs and outputs in the file's order */
} skiff_interpreter_options;

typedef struct skiff_interpreter skiff_interpreter;

/* `options` may be NULL. Errors: unimplemented, with the list of the model's operators that this
 * library does not have. */
SKIFF_API int32_t skiff_interpreter_create(skiff_loaded_model* model,
                                           const skiff_interpreter_options* options,
                                           skiff_interpreter** interpreter, skiff_error* error);
SKIFF_API void skiff_interpreter_destroy(skiff_interpreter* interpreter);

SKIFF_API size_t skiff_interpreter_input_count(const skiff_interpreter* interpreter);
SKIFF_API size_t skiff_interpreter_output_count(const skiff_interpreter* interpreter);
/* Index of the input or output of this name (the signature's name when one was chosen), or -1. */
SKIFF_API int32_t skiff_interpreter_input_index(const skiff_interpreter* interpreter,
                                                const char* name);
SKIFF_API int32_t skiff_interpreter_output_index(const skiff_interpreter* interpreter,
                                                 const char* name);

/* Where to write input `index`. Plans and allocates memory for the shapes of now if that was not
   done yet. The view is valid until the next resize or destruction. invoke() leaves inputs as they
   are. */
SKIFF_API int32_t skiff_interpreter_input(skiff_interpreter* interpreter, size_t index,
                                          skiff_tensor* tensor, skiff_error* error);
/* Where output `index` is after an invocation; before one, its data is undefined. Valid until the
   next invocation, resize or destruction. */
SKIFF_API int32_t skiff_interpreter_output(skiff_interpreter* interpreter, size_t index,
                                           skiff_tensor* tensor, skiff_error* error);

/* Gives an input another shape; contents of all inputs are lost. Errors: invalid_argument. Whether
   the model can be computed for these shapes is told by the next call that needs memory; resizing
   back makes it usable again. */
SKIFF_API int32_t skiff_interpreter_resize_input(skiff_interpreter* interpreter, size_t index,
                                                 const int32_t* dims, int32_t rank,
                                                 skiff_error* error);

/* Computes the outputs from the inputs. Allocates nothing once memory is planned, unless an
   output's shape depends on values. Errors: cancelled. */
SKIFF_API int32_t skiff_interpreter_invoke(skiff_interpreter* interpreter, skiff_error* error);
/* The model's memory between invocations (variable tensors) back to its start. */
SKIFF_API int32_t skiff_interpreter_reset_state(skiff_interpreter* interpreter, skiff_error* error);
/* From any thread: the invocation in progress, if there is one, ends soon with SKIFF_CANCELLED. */
SKIFF_API void skiff_interpreter_cancel(skiff_interpreter* interpreter);

/* -- image labelling
 * --------------------------------------------------------------------------------------------- */

typedef enum skiff_image_format {
    SKIFF_IMAGE_ENCODED =
        0, /* a whole JPEG, PNG, BMP or WebP file: width, height, stride are ignored */
    SKIFF_IMAGE_RGB = 1,  /* 3 bytes a pixel */
    SKIFF_IMAGE_RGBA = 2, /* 4 bytes a pixel; alpha is ignored */
    SKIFF_IMAGE_GRAY = 3, /* 1 byte a pixel */
    SKIFF_IMAGE_NV12 = 4, /* luma plane, then interleaved U and V of half size */
    SKIFF_IMAGE_NV21 = 5, /* luma plane, then interleaved V and U: Android's camera */
    SKIFF_IMAGE_YUYV = 6  /* two pixels in four bytes */
} skiff_image_format;

typedef struct skiff_image {
    size_t size; /* sizeof(skiff_image) */
    const void* data;
    size_t bytes;
    int32_t format; /* skiff_image_format */
    int32_t width, height;
    int32_t stride;   /* bytes from row to row of the first plane; 0: rows without gaps */
    int32_t rotation; /* 0, 90, 180 or 270: degrees clockwise that make the image upright */
} skiff_image;

typedef struct skiff_labeler_options {
    size_t size;                /* sizeof(skiff_labeler_options) */
    float confidence_threshold; /* below 0: the model metadata's, else 0 */
    int32_t max_result_count;   /* 0 or less: 10 */
    int32_t threads;            /* 0: one */
    const char* labels;         /* text, one label a line; NULL: the metadata's */
    /* For a float model whose metadata does not say: value = (pixel - mean) / std. Used when
     * normalize is 1. */
    int32_t normalize;
    float mean, std;
} skiff_labeler_options;

typedef struct skiff_label {
    int32_t index;
    float confidence;
    const char* text;         /* "" when the model has no labels; lives as long as the labeler */
    const char* display_name; /* the metadata's localized name, else text */
} skiff_label;

typedef struct skiff_labeler skiff_labeler;

/* `options` may be NULL: ten labels, the metadata's threshold else 0. Errors: invalid_argument when
   the model is no image classifier, with what is missing. */
SKIFF_API int32_t skiff_labeler_create(skiff_loaded_model* model,
                                       const skiff_labeler_options* options,
                                       skiff_labeler** labeler, skiff_error* error);
SKIFF_API void skiff_labeler_destroy(skiff_labeler* labeler);
/* The most labels that process can give: the options' count or the model's number of classes,
 * whichever is less. */
SKIFF_API size_t skiff_labeler_max_results(const skiff_labeler* labeler);
/* Writes at most `capacity` labels, best first, and their number to *count. */
SKIFF_API int32_t skiff_labeler_process(skiff_labeler* labeler, const skiff_image* image,
                                        skiff_label* labels, size_t capacity, size_t* count,
                                        skiff_error* error);

#ifdef __cplusplus
}
#endif

#endif /* SKIFF_C_RUNTIME_H */
