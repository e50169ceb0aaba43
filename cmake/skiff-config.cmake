# skiff::skiff, the library; skiff_embed_model(target file.tflite).
include(${CMAKE_CURRENT_LIST_DIR}/skiff-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SkiffEmbedModel.cmake)
