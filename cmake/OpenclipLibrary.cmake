# The libraries that users link - libopenclip.so and libopenclip.a - and what `cmake --install` puts
# beside them: headers, the CMake package openclip, openclip.pc and the default model.
include("${PROJECT_SOURCE_DIR}/cmake/LinkNames.cmake")
include(CMakePackageConfigHelpers)

openclip_link_closure(openclip_api ARCHIVES archives NAMES system_libraries)
set(objects "")
foreach(archive ${archives})
  list(APPEND objects $<TARGET_OBJECTS:${archive}>)
endforeach()

# Only the API's own objects are named; of the rest the linker takes what they use.
add_library(openclip_shared SHARED $<TARGET_OBJECTS:openclip_api>)
target_link_libraries(openclip_shared PRIVATE openclip_tasks)
target_link_options(openclip_shared PRIVATE
  -Wl,--gc-sections -Wl,--as-needed -Wl,--no-undefined -Wl,--exclude-libs,ALL
  "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/openclip.map")
set_target_properties(openclip_shared PROPERTIES
  OUTPUT_NAME openclip EXPORT_NAME openclip VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/openclip.map"
  LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")

add_library(openclip_static STATIC ${objects})
target_link_libraries(openclip_static INTERFACE ${system_libraries})
set_target_properties(openclip_static PROPERTIES
  OUTPUT_NAME openclip EXPORT_NAME static LINKER_LANGUAGE CXX
  ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")

foreach(library openclip_shared openclip_static)
  target_compile_features(${library} INTERFACE cxx_std_20)
  target_include_directories(${library} INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
endforeach()
add_library(openclip::openclip ALIAS openclip_shared)
add_library(openclip::static ALIAS openclip_static)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/openclip")
install(TARGETS openclip_shared openclip_static EXPORT openclip
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT openclip NAMESPACE openclip:: FILE openclipTargets.cmake
        DESTINATION "${package_folder}")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/openclipConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/openclipConfig.cmake" INSTALL_DESTINATION "${package_folder}"
  PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/openclipConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/openclipConfig.cmake"
              "${PROJECT_BINARY_DIR}/openclipConfigVersion.cmake"
        DESTINATION "${package_folder}")

# pkg-config: Libs.private is for --static.
list(TRANSFORM system_libraries PREPEND "-l" OUTPUT_VARIABLE private_flags)
list(JOIN private_flags " " OPENCLIP_PRIVATE_LIBS)
# Relative to the file itself, so that the installed tree can be moved.
file(RELATIVE_PATH OPENCLIP_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" OPENCLIP_PC_PREFIX "${OPENCLIP_PC_PREFIX}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/openclip.pc.in" "${PROJECT_BINARY_DIR}/openclip.pc"
               @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/openclip.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/openclip"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/models/default"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/openclip/models"
        PATTERN "evaluation.json" EXCLUDE PATTERN "training_log.csv" EXCLUDE)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/THIRD_PARTY.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")
