// The .tflite format's object API (namespace tflite_objects: ModelT, OperatorT, ...): a whole model
// as plain structs, to unpack, edit and pack. Slow to compile; to read a model, schema.h is enough.
// The tables are the same bytes: a tflite::Operator* is a tflite_objects::Operator*.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "model/tflite_objects_generated.h"
#pragma GCC diagnostic pop
