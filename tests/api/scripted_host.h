/* A world for client_c_test.c, in C: HTTP answered from a folder, power and network as set, a clock
   that can be moved. */
#ifndef SKIFF_TESTS_SCRIPTED_HOST_H
#define SKIFF_TESTS_SCRIPTED_HOST_H

#include <skiff/c.h>

#define SCRIPT_PREFIX "http://models.example/p/demo/"

typedef struct script {
    char folder[256]; /* what SCRIPT_PREFIX shows */
    int online, metered, charging, battery_percent;
    int64_t clock_ahead_ms;
    int requests;           /* of all kinds */
    int reports;            /* taken */
    char report[1 << 16];   /* the newest one */
    char authorization[64]; /* of it */
    int released;
} script;

/* Begins online, not metered, charging, battery full. */
void script_begin(script* s, const char* folder);
skiff_host script_host(script* s);

#endif
