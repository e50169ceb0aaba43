# skiff_embed_model(TARGET FILE.tflite [NAME name]): links a model into a program. Its bytes are read in place, from
# the program's own pages; nothing is copied, and the program needs no file beside it.
#
# C++:  #include <skiff_embedded/digits.h>      skiff::embedded::digits() is a skiff::LocalModel
# C:    #include <skiff_embedded/digits.h>      skiff_embedded_digits, skiff_embedded_digits_bytes()
#
# NAME is the file's name without its ending, where not given; what C does not allow in a name becomes "_". Needs gcc or
# clang (.incbin), and C or C++ among the project's languages.
function(skiff_embed_model target file)
    cmake_parse_arguments(PARSE_ARGV 2 ARG "" "NAME" "")
    get_filename_component(path ${file} ABSOLUTE)
    if(NOT EXISTS ${path})
        message(FATAL_ERROR "skiff_embed_model: there is no ${path}")
    endif()
    if(NOT ARG_NAME)
        get_filename_component(ARG_NAME ${file} NAME_WLE)
    endif()
    string(MAKE_C_IDENTIFIER ${ARG_NAME} name)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/skiff_embedded_${target})
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(C IN_LIST languages)
        set(source ${folder}/${name}.c)
    else()
        set(source ${folder}/${name}.cc)
    endif()
    file(CONFIGURE OUTPUT ${folder}/skiff_embedded/${name}.h @ONLY CONTENT [=[
/* Made by skiff_embed_model. */
#ifndef SKIFF_EMBEDDED_@name@_H
#define SKIFF_EMBEDDED_@name@_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
/* Aligned to 64 bytes; lives as long as the program. */
extern const unsigned char skiff_embedded_@name@[], skiff_embedded_@name@_end[];
static inline size_t skiff_embedded_@name@_bytes(void) {
    return (size_t)(skiff_embedded_@name@_end - skiff_embedded_@name@);
}
#ifdef __cplusplus
}

#include <skiff/runtime.h>

namespace skiff::embedded {
inline LocalModel @name@() {
    return LocalModel::memory({skiff_embedded_@name@, skiff_embedded_@name@_bytes()});
}
}  // namespace skiff::embedded
#endif

#endif
]=])
    file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [=[
/* Made by skiff_embed_model from @path@. */
#include "skiff_embedded/@name@.h"

__asm__(
    ".pushsection .rodata.skiff_embedded_@name@,\"a\",%progbits\n"
    ".balign 64\n"
    ".global skiff_embedded_@name@\n.hidden skiff_embedded_@name@\n"
    ".type skiff_embedded_@name@, %object\n"
    "skiff_embedded_@name@:\n"
    ".incbin \"@path@\"\n"
    ".size skiff_embedded_@name@, . - skiff_embedded_@name@\n"
    ".global skiff_embedded_@name@_end\n.hidden skiff_embedded_@name@_end\n"
    "skiff_embedded_@name@_end:\n"
    ".byte 0\n"
    ".popsection\n");
]=])
    # The compiler does not tell of what .incbin reads.
    set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${path})
    target_sources(${target} PRIVATE ${source})
    target_include_directories(${target} PRIVATE ${folder})
    target_link_libraries(${target} PRIVATE skiff::skiff)
endfunction()
