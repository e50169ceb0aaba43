// skiff/skiff.h: the C++ interface, inline over skiff/c.h.
//
// Nothing throws. Nothing waits for network or disk unless it is called wait, sync or download.
// Threads: LoadedModel, Client, Model, Download: any. Interpreter, ImageLabeler, Trace: one at a
// time, any number per model. Callbacks run on ClientOptions::executor, else on a thread of the
// client, outside every lock, and may call back. No environment variable is read.
#pragma once

#include <skiff/base.h>
#include <skiff/client.h>
#include <skiff/delivery.h>
#include <skiff/host.h>
#include <skiff/runtime.h>
#include <skiff/tasks.h>
