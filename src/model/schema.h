// The generated types of the .tflite format (namespace tflite) and of its metadata
// (tflite::metadata), for reading in place and for writing with the Create functions.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "model/metadata_generated.h"
#include "model/tflite_generated.h"
#pragma GCC diagnostic pop
