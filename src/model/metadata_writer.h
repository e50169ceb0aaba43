// TFLITE_METADATA for an image classifier, from the builder's MetadataSpec.
#pragma once

#include <vector>

#include "model/builder.h"
#include "model/zip.h"

namespace skiff::model {

// The flatbuffer. Normalization is of input 0; labels and threshold of output 0; the rest is
// described by nothing.
std::vector<std::uint8_t> write_image_metadata(const MetadataSpec& spec, std::size_t inputs,
                                               std::size_t outputs);

// The files it names, for the zip behind the model.
std::vector<ZipFile> label_files(const MetadataSpec& spec);

}  // namespace skiff::model
