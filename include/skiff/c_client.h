/* skiff/c_client.h: models that are delivered. The rules of skiff/c.h hold.

   Threads: skiff_client, skiff_model, skiff_download, skiff_model_file: any thread, several at a
   time. skiff_interpreter, skiff_labeler, skiff_trace: one thread at a time. Nothing here waits for
   network or disk unless its description says so.

   Callbacks run on skiff_client_options.execute, else on a thread of the client, outside every
   lock; they may call any function of this header, but must not destroy the last handle of a
   client. Each comes with `user` and `release`: release(user), when it is not NULL, is called once,
   when the callback will not be called any more (also when the function that took it fails). */
#ifndef SKIFF_C_CLIENT_H
#define SKIFF_C_CLIENT_H

#include <skiff/c_host.h>
#include <skiff/c_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct skiff_client skiff_client;
typedef struct skiff_model skiff_model;
typedef struct skiff_download skiff_download;
typedef struct skiff_model_file skiff_model_file;
typedef struct skiff_trace skiff_trace;

/* -- values -- */

/* Never changes, so it needs no size. */
typedef struct skiff_model_version {
    char model[64];
    char sha256[65]; /* of the main file, hex */
    uint32_t number; /* 0: the bundled model */
} skiff_model_version;

/* A model that the app brings: a file, memory that stays as it is for as long as the client lives,
   or an AutoML Vision Edge manifest.json, whose model and labels lie beside it. */
typedef struct skiff_local_model {
    size_t size;
    const char* path; /* NULL: data */
    const void* data;
    size_t bytes;
    int32_t is_manifest; /* 1: path is a manifest.json */
} skiff_local_model;

/* When the files of models may be fetched. All zero: always. (To ask whether there is anything new
   is not held back: under 1 KB when there is not.) */
typedef struct skiff_download_conditions {
    size_t size;
    int32_t wifi; /* online, and the network is not metered */
    int32_t charging, idle;
    int32_t min_battery_percent;
    const char *between_from, *between_to; /* "02:00", "05:00": device time; both or neither */
    uint64_t metered_bytes_per_month;      /* what a metered network may carry in all, TLS included:
                                              a limit when it is above 0 or has_metered_limit is 1;
                                              no limit: nothing with `wifi`, else anything */
    int64_t deadline_s;                    /* then SKIFF_CONDITIONS_UNMET; 0: waits on */
    int32_t has_metered_limit;             /* 1: metered_bytes_per_month is the limit, and 0 means
                                              nothing on a metered network */
} skiff_download_conditions;

/* Firebase's three. Each falls back to what the device has when it is offline. */
typedef enum skiff_download_type {
    SKIFF_LOCAL_MODEL_UPDATE_IN_BACKGROUND = 0,
    SKIFF_LOCAL_MODEL = 1,
    SKIFF_LATEST_MODEL = 2
} skiff_download_type;

typedef enum skiff_progress_state {
    SKIFF_PROGRESS_WAITING = 0,
    SKIFF_PROGRESS_DOWNLOADING = 1,
    SKIFF_PROGRESS_VERIFYING = 2,
    SKIFF_PROGRESS_TRYING = 3,
    SKIFF_PROGRESS_ACTIVE = 4, /* done */
    SKIFF_PROGRESS_FAILED = 5
} skiff_progress_state;

typedef struct skiff_progress {
    size_t size;
    int32_t state; /* skiff_progress_state */
    uint64_t bytes, total_bytes;
    double bytes_per_s;
    char why[512]; /* "waits for wifi: this network is metered" */
} skiff_progress;

typedef enum skiff_source {
    SKIFF_SOURCE_NONE = 0,
    SKIFF_SOURCE_BUNDLED = 1,
    SKIFF_SOURCE_ACTIVE = 2,
    SKIFF_SOURCE_PREVIOUS = 3
} skiff_source;

typedef struct skiff_model_status {
    size_t size;
    int32_t has_running, has_waiting; /* 0: the version beside it is empty */
    skiff_model_version running, waiting;
    int32_t source; /* skiff_source of what runs */
    char why[512];  /* the line that support staff asks for */
} skiff_model_status;

/* Why this device runs what it runs. */
typedef struct skiff_assignment {
    size_t size;
    char experiment[64], variant[64]; /* "": none */
    skiff_model_version version;
    char reason[512];
} skiff_assignment;

/* -- client -- */

typedef struct skiff_client_options {
    size_t size;
    /* https://host/p/demo, http:// (all is signed), file:///media/usb; the rest are mirrors. */
    const char* const* urls;
    size_t url_count;
    const char* root_path; /* the pinned root.json as a file, or as bytes */
    const void* root;
    size_t root_bytes;
    const char* data_dir;       /* one store, any number of processes */
    const char* report_url;     /* NULL: that of the first url's server */
    const char* report_token;   /* NULL: nothing is ever reported */
    int64_t check_every_s;      /* 0: daily; below 0: only when asked */
    uint64_t store_quota_bytes; /* 0: 256 MiB */
    const char* attributes; /* a JSON object, {"app_version": "3.2.0"}: for targeting; or NULL */
    const skiff_host* host; /* NULL: this system */
    /* Runs task(argument), exactly once, on a thread of the app's choice; NULL: a thread of the
       client. Not called after the client is gone. */
    void (*execute)(void* user, void (*task)(void* argument), void* argument);
    void (*on_exposure)(void* user, const skiff_assignment* assignment); /* once per experiment and
                                                                            process */
    void* user;
    void (*release)(void* user);
} skiff_client_options;

/* Offline, milliseconds. Errors: invalid_argument. A store that cannot be used (full disk,
   read-only, damaged, of a newer libskiff) is no error here: bundled models go on, a model's status
   says why, and updates give the reason. */
SKIFF_API int32_t skiff_client_create(const skiff_client_options* options, skiff_client** client,
                                      skiff_error* error);
SKIFF_API void skiff_client_destroy(skiff_client* client);
/* A JSON object that replaces the attributes. Errors: invalid_argument. */
SKIFF_API int32_t skiff_client_set_attributes(skiff_client* client, const char* json,
                                              skiff_error* error);
/* For rules that follow the user rather than the device; never leaves it. NULL or "": none. */
SKIFF_API void skiff_client_set_user_id(skiff_client* client, const char* user_id);
/* Checks, fetches what the models' conditions allow, reports; waits at most so long. Errors:
   conditions_unmet (only they kept something back), no_network, deadline_exceeded. */
SKIFF_API int32_t skiff_client_sync(skiff_client* client, int64_t at_most_ms, skiff_error* error);

/* -- remote model manager: the same store and rules, by name -- */

SKIFF_API int32_t skiff_client_is_model_downloaded(skiff_client* client, const char* name);
/* `conditions` NULL: none. */
SKIFF_API int32_t skiff_client_download(skiff_client* client, const char* name, int32_t type,
                                        const skiff_download_conditions* conditions,
                                        skiff_download** download, skiff_error* error);
/* Fine if it is not there. */
SKIFF_API int32_t skiff_client_delete_downloaded_model(skiff_client* client, const char* name,
                                                       skiff_error* error);
/* Writes at most `capacity` versions; returns how many there are. */
SKIFF_API size_t skiff_client_downloaded_models(skiff_client* client, skiff_model_version* versions,
                                                size_t capacity);

/* -- model -- */

typedef struct skiff_model_options {
    size_t size;
    const skiff_local_model* bundled;            /* given: the model works offline for ever */
    int32_t type;                                /* skiff_download_type */
    const skiff_download_conditions* conditions; /* NULL: wifi */
    int32_t threads;                             /* 0: one */
    int32_t allow_fp16;                          /* 1: for float models */
    const char* signature;                       /* of the interpreter; NULL: the main subgraph */
    const char* io_signature; /* versions with another one never run; NULL: the bundled model's */
    void (*on_change)(void* user, const skiff_model_status* now, const skiff_model_status* before);
    void* user;
    void (*release)(void* user);
} skiff_model_options;

/* The same name gives the same model, with the options of the first call. `options` may be NULL.
   Errors: invalid_argument; what is wrong with the bundled model. */
SKIFF_API int32_t skiff_client_model(skiff_client* client, const char* name,
                                     const skiff_model_options* options, skiff_model** model,
                                     skiff_error* error);
SKIFF_API void skiff_model_destroy(skiff_model* model);

/* The best version that works now, lent out: skiff_interpreter_destroy gives it back. Borrow one
   per inference: while nothing changes it costs a pointer. Where the best is no .tflite file, the
   one before it, or the bundled one, is lent. Errors: not_found (nothing is there yet);
   unimplemented (what is there is for another runtime: use skiff_model_open_file). */
SKIFF_API int32_t skiff_model_interpreter(skiff_model* model, skiff_interpreter** interpreter,
                                          skiff_error* error);
/* 1: a newer version is active, drop this one when your state allows. Any interpreter; 0 for those
   that were not borrowed. */
SKIFF_API int32_t skiff_interpreter_stale(const skiff_interpreter* interpreter);
/* All zero for those that were not borrowed. */
SKIFF_API void skiff_interpreter_version(const skiff_interpreter* interpreter,
                                         skiff_model_version* version);
/* Of the newest invocation, for skiff_model_record_outcome; 0: none. */
SKIFF_API uint64_t skiff_interpreter_inference_id(const skiff_interpreter* interpreter);

/* An image labeler that follows the model: each image is labelled by the best version of that
   moment. Of `options`, threads is not used. Texts of labels live until the next call of process.
   When a version comes that is no image classifier, the labeler goes on with the one it has. */
SKIFF_API int32_t skiff_model_labeler_create(skiff_model* model,
                                             const skiff_labeler_options* options,
                                             skiff_labeler** labeler, skiff_error* error);
/* Which version labelled the newest image, and its inference's id; empty and 0 for a labeler of a
   loaded model. */
SKIFF_API void skiff_labeler_version(const skiff_labeler* labeler, skiff_model_version* version);
SKIFF_API uint64_t skiff_labeler_inference_id(const skiff_labeler* labeler);

/* The best version that works now as files, whatever their format, for another runtime. They stay
   on disk until the handle is destroyed. */
SKIFF_API int32_t skiff_model_open_file(skiff_model* model, skiff_model_file** file,
                                        skiff_error* error);
SKIFF_API void skiff_model_file_destroy(skiff_model_file* file);
SKIFF_API const char* skiff_model_file_path(const skiff_model_file* file); /* as long as `file` */
SKIFF_API void skiff_model_file_version(const skiff_model_file* file, skiff_model_version* version);
/* Where a file that was published with the version lies ("labels.txt"); NULL: there is none. Lives
   as long as `file`. */
SKIFF_API const char* skiff_model_file_path_of(const skiff_model_file* file, const char* name);

/* Counts one inference made elsewhere, of the version that open_file gave last, from now to its
   end. Destroyed without an end: counted as aborted. A second end does nothing. */
SKIFF_API skiff_trace* skiff_model_trace(skiff_model* model);
SKIFF_API void skiff_trace_success(skiff_trace* trace);
SKIFF_API void skiff_trace_failure(skiff_trace* trace, int32_t code); /* SKIFF_CANCELLED counts as
                                                                         cancelled */
SKIFF_API uint64_t skiff_trace_inference_id(const skiff_trace* trace);
SKIFF_API void skiff_trace_destroy(skiff_trace* trace);

/* `conditions` NULL: those of the options that this handle was made with. */
SKIFF_API int32_t skiff_model_update(skiff_model* model,
                                     const skiff_download_conditions* conditions,
                                     skiff_download** download, skiff_error* error);
/* `size` of the struct is set by the caller in these. */
SKIFF_API void skiff_model_get_status(skiff_model* model, skiff_model_status* status);
SKIFF_API void skiff_model_get_assignment(skiff_model* model, skiff_assignment* assignment);
/* Labelled accuracy: was that inference right? */
SKIFF_API void skiff_model_record_outcome(skiff_model* model, uint64_t inference_id,
                                          int32_t correct);
/* A goal of experiments: "tap", "correction". */
SKIFF_API void skiff_model_record(skiff_model* model, const char* metric, double value);
SKIFF_API void skiff_model_record_confidence(skiff_model* model, float confidence);

/* -- download: destroying the handle does not cancel it -- */

SKIFF_API void skiff_download_destroy(skiff_download* download);
SKIFF_API void skiff_download_get_progress(skiff_download* download, skiff_progress* progress);
SKIFF_API void skiff_download_on_progress(skiff_download* download,
                                          void (*callback)(void* user,
                                                           const skiff_progress* progress),
                                          void* user, void (*release)(void* user));
/* Waits at most so long. Ok: the newest version that the rules give this device is active, or
   nothing was to do. Errors: deadline_exceeded (it goes on); what ended it. */
SKIFF_API int32_t skiff_download_wait(skiff_download* download, int64_t at_most_ms,
                                      skiff_error* error);
SKIFF_API int32_t skiff_download_done(skiff_download* download);
SKIFF_API void skiff_download_cancel(skiff_download* download);

#ifdef __cplusplus
}
#endif

#endif /* SKIFF_C_CLIENT_H */
