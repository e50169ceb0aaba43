# libskiff, and what `cmake --install` puts where: headers, library, command, CMake package,
# pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The C ABI's objects, with what they need of the other rooms. Only skiff_* leaves the library:
# hidden visibility alone would still export the templates of the standard library that our code
# instantiates.
add_library(skiff_shared SHARED $<TARGET_OBJECTS:skiff_api>)
add_library(skiff::skiff ALIAS skiff_shared)
set(exports ${CMAKE_CURRENT_LIST_DIR}/libskiff.map)
set_target_properties(skiff_shared PROPERTIES
    OUTPUT_NAME skiff EXPORT_NAME skiff LINKER_LANGUAGE CXX LINK_DEPENDS ${exports}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}  # the ABI may change until 1.0
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_include_directories(skiff_shared INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(skiff_shared INTERFACE cxx_std_20)
target_link_libraries(skiff_shared PRIVATE skiff_api)
target_link_options(skiff_shared PRIVATE LINKER:--version-script=${exports})
if(NOT SKIFF_SANITIZE)  # sanitizers leave symbols for the program to bring
    target_link_options(skiff_shared PRIVATE LINKER:--no-undefined)
endif()

install(TARGETS skiff_shared EXPORT skiff_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/skiff DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
if(TARGET skiff_command)
    install(TARGETS skiff_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/skiff)
install(EXPORT skiff_targets NAMESPACE skiff:: FILE skiff-targets.cmake DESTINATION ${package_dir})
install(FILES ${CMAKE_CURRENT_LIST_DIR}/skiff-config.cmake ${CMAKE_CURRENT_LIST_DIR}/SkiffEmbedModel.cmake
    DESTINATION ${package_dir})
include(SkiffEmbedModel)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/skiff-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/skiff-config-version.cmake DESTINATION ${package_dir})

# From the folder of the .pc file up to the prefix, so that an installed tree may be moved.
file(RELATIVE_PATH pc_up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/skiff.pc.in ${CMAKE_BINARY_DIR}/skiff.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/skiff.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
