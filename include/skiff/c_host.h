/* skiff/c_host.h: the world as an app brings it: clock, HTTP, power, network. The rules of
   skiff/c.h hold.

   On Linux libskiff reads all of this from the system, and an app needs none of it. A libskiff that
   was built with SKIFF_HOST=none has a clock only; the app brings the rest, or the client never
   fetches anything.

   Threads: the client calls these functions from threads of its own and from the app's, several at
   a time. They may block (http_send does), must not call functions of skiff/c_client.h, and must
   not let exceptions out. */
#ifndef SKIFF_C_HOST_H
#define SKIFF_C_HOST_H

#include <skiff/c_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct skiff_http_header {
    const char* name;
    const char* value;
} skiff_http_header;

/* Lives until http_send returns. */
typedef struct skiff_http_request {
    size_t size;
    const char* method; /* "GET", "POST" */
    const char* url;
    const skiff_http_header* headers;
    size_t header_count;
    const void* body;
    size_t body_bytes;
    int64_t timeout_ms; /* give up when so long no byte arrived */
    uint64_t max_bytes; /* of the answer's body; the client stops a longer one */
} skiff_http_request;

/* Where http_send puts the answer; lives until it returns. One thread at a time. */
typedef struct skiff_http_response skiff_http_response;

/* Once, before the body: status and headers of the final answer (redirects are the app's not to
   follow; the client names the hosts that it means). `bytes_on_wire`: what request and headers cost
   where the app knows it, else 0: the library estimates. */
SKIFF_API void skiff_http_response_begin(skiff_http_response* response, int32_t status,
                                         const skiff_http_header* headers, size_t header_count,
                                         uint64_t bytes_on_wire);
/* A piece of the body, as it comes; copied. 1: go on. 0: the client wants no more (it was
   cancelled, or the body is too long): drop the connection and return any error. */
SKIFF_API int32_t skiff_http_response_body(skiff_http_response* response, const void* data,
                                           size_t bytes);

/* Facts come prefilled as unknown: -1 and "". What is unknown holds no download back, but that a
   condition `wifi` needs a network that is not known to be metered. */
typedef struct skiff_power {
    size_t size;
    int32_t charging;        /* 1: on external power */
    int32_t battery_percent; /* 0 to 100 */
    int32_t idle;            /* 1: nobody uses the device now */
    char source[96];         /* for people: where these were read */
} skiff_power;

typedef struct skiff_network {
    size_t size;
    int32_t online;
    int32_t metered; /* 1: bytes cost money */
    char source[96];
} skiff_network;

/* Copied by skiff_client_create. A function that is NULL: the system's. The three of the clock are
   given together or not at all. */
typedef struct skiff_host {
    size_t size; /* sizeof(skiff_host) */
    void* user;  /* handed to every function */
    /* Called once, when the client and all that was made from it is gone, or when
     * skiff_client_create fails. */
    void (*release)(void* user);

    int64_t (*unix_ms)(void* user);              /* the wall clock: may jump */
    int64_t (*monotonic_ns)(void* user);         /* never goes back */
    int32_t (*minutes_of_local_day)(void* user); /* 0 to 1439 */

    /* Sends and waits for the whole answer. Returns SKIFF_OK for any HTTP status, else a code with
       `error` filled: SKIFF_NO_NETWORK (retry 1) when nothing could be reached,
       SKIFF_DEADLINE_EXCEEDED (retry 1), SKIFF_DATA_LOSS (retry 1) when the body broke off. Range,
       If-Range and If-None-Match are used; https needs the app's usual certificate checks. */
    int32_t (*http_send)(void* user, const skiff_http_request* request,
                         skiff_http_response* response, skiff_error* error);
    void (*power)(void* user, skiff_power* power);
    void (*network)(void* user, skiff_network* network);
} skiff_host;

#ifdef __cplusplus
}
#endif

#endif /* SKIFF_C_HOST_H */
