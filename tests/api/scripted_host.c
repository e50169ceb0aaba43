#include "scripted_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static int64_t nanoseconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
static int64_t unix_ms(void* user) {
    return nanoseconds_of(CLOCK_REALTIME) / 1000000 + ((script*)user)->clock_ahead_ms;
}
static int64_t monotonic_ns(void* user) {
    return nanoseconds_of(CLOCK_MONOTONIC) + ((script*)user)->clock_ahead_ms * 1000000;
}
static int32_t minutes_of_local_day(void* user) {
    return (int32_t)(unix_ms(user) / 60000 % (24 * 60));
}

static const char* header_of(const skiff_http_request* request, const char* name) {
    size_t i;
    for (i = 0; i < request->header_count; ++i)
        if (strcasecmp(request->headers[i].name, name) == 0) return request->headers[i].value;
    return "";
}

static int32_t take_report(script* s, const skiff_http_request* request,
                           skiff_http_response* response) {
    if (request->body_bytes >= sizeof s->report) return SKIFF_RESOURCE_EXHAUSTED;
    memcpy(s->report, request->body, request->body_bytes);
    s->report[request->body_bytes] = 0;
    snprintf(s->authorization, sizeof s->authorization, "%s", header_of(request, "authorization"));
    ++s->reports;
    skiff_http_response_begin(response, 200, NULL, 0, 0);
    skiff_http_response_body(response, "{}", 2);
    return SKIFF_OK;
}

/* The file's rest from `from` on, in pieces. */
static int32_t send_file(FILE* file, long from, skiff_http_response* response) {
    char piece[4096], range[64];
    skiff_http_header headers[1] = {{"Content-Range", range}};
    size_t got;
    long size;
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    snprintf(range, sizeof range, "bytes %ld-%ld/%ld", from, size - 1, size);
    fseek(file, from, SEEK_SET);
    skiff_http_response_begin(response, from ? 206 : 200, headers, from ? 1 : 0, 0);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        if (!skiff_http_response_body(response, piece, got)) return SKIFF_CANCELLED;
    return SKIFF_OK;
}

static int32_t http_send(void* user, const skiff_http_request* request,
                         skiff_http_response* response, skiff_error* error) {
    script* s = (script*)user;
    char path[1024];
    long from = 0;
    FILE* file;
    int32_t code;
    ++s->requests;
    if (!s->online) {
        snprintf(error->message, sizeof error->message, "the script is offline");
        error->retry = 1;
        return SKIFF_NO_NETWORK;
    }
    if (strcmp(request->method, "POST") == 0) return take_report(s, request, response);
    if (strncmp(request->url, SCRIPT_PREFIX, strlen(SCRIPT_PREFIX)) != 0) return SKIFF_UNAVAILABLE;
    snprintf(path, sizeof path, "%s/%s", s->folder, request->url + strlen(SCRIPT_PREFIX));
    file = fopen(path, "rb");
    if (!file) {
        skiff_http_response_begin(response, 404, NULL, 0, 0);
        return SKIFF_OK;
    }
    if (strncmp(header_of(request, "range"), "bytes=", 6) == 0)
        from = strtol(header_of(request, "range") + 6, NULL, 10);
    code = send_file(file, from, response);
    fclose(file);
    return code;
}

static void power(void* user, skiff_power* out) {
    const script* s = (const script*)user;
    out->charging = s->charging;
    out->battery_percent = s->battery_percent;
    snprintf(out->source, sizeof out->source, "the script");
}

static void network(void* user, skiff_network* out) {
    const script* s = (const script*)user;
    out->online = s->online;
    out->metered = s->metered;
    snprintf(out->source, sizeof out->source, "the script");
}

static void release(void* user) {
    ++((script*)user)->released;
}

void script_begin(script* s, const char* folder) {
    memset(s, 0, sizeof *s);
    snprintf(s->folder, sizeof s->folder, "%s", folder);
    s->online = 1;
    s->charging = 1;
    s->battery_percent = 100;
}

skiff_host script_host(script* s) {
    skiff_host host;
    memset(&host, 0, sizeof host);
    host.size = sizeof host;
    host.user = s;
    host.release = release;
    host.unix_ms = unix_ms;
    host.monotonic_ns = monotonic_ns;
    host.minutes_of_local_day = minutes_of_local_day;
    host.http_send = http_send;
    host.power = power;
    host.network = network;
    return host;
}
