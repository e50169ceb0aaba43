/* skiff/c.h: the C interface, and the binary interface of libskiff.

   Rules that hold for every function:
   - Handles are opaque. What a function creates, the caller destroys with the function named beside
   it; destroying NULL does nothing. A handle keeps alive what it was made from, so any order of
   destruction is fine.
   - A function that can fail returns a skiff_code (0 = ok) and, when `error` is not NULL, fills it.
   Out parameters are written only on success. Nothing throws, nothing prints, no environment
   variable is read.
   - Structs that the caller fills, and those that a function fills for the caller, begin with
   `size`, the caller's sizeof: later versions append members, and a program built against an older
   header goes on working. A member that is 0 or NULL means its default. The few structs without
   `size` never change.
   - Strings are UTF-8 and end with 0. Strings that the caller gives are copied. Strings and memory
   that a function returns belong to the handle and live as the function says.
   - Threads: distinct handles are independent. One handle is used by one thread at a time, unless
   its description says otherwise. */
#ifndef SKIFF_C_H
#define SKIFF_C_H

#include <skiff/c_client.h>  /* models that are delivered: client, model, download, trace */
#include <skiff/c_host.h>    /* clock, HTTP, power and network that an app brings */
#include <skiff/c_runtime.h> /* errors, tensors, models in memory, interpreter, image labelling */

#endif /* SKIFF_C_H */
