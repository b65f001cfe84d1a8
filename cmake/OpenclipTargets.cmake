# One library and one test binary for each folder of src/. A folder links only the lower ranks that
# it names, so an upward use fails at link too (tests/check_layers.py checks the includes).

# openclip_folder(NAME LINKS lib... [EXCLUDE regex]): library openclip_NAME from *.cc of the current
# folder and below, and test binary NAME_test from *_test.cc.
function(openclip_folder name)
  cmake_parse_arguments(ARG "" "EXCLUDE" "LINKS;TEST_LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${ARG_EXCLUDE}")
  endif()
  add_library(openclip_${name} STATIC ${sources})
  target_include_directories(openclip_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src"
                                                     "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(openclip_${name} PUBLIC ${ARG_LINKS} PRIVATE openclip_flags)
  if(OPENCLIP_BUILD_TESTS AND tests)
    openclip_test(${name}_test SOURCES ${tests} LINKS openclip_${name} ${ARG_TEST_LINKS})
  endif()
endfunction()

# openclip_test(NAME SOURCES ... LINKS ...): a GoogleTest binary; ctest runs it once per instruction
# set that OPENCLIP_TEST_ISAS lists (best: what the processor has,
# dot products included) when the folder sets OPENCLIP_ISA_TESTS, else once.
function(openclip_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gtest_main GTest::gmock openclip_flags)
  target_compile_definitions(${name} PRIVATE OPENCLIP_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             OPENCLIP_BINARY_DIR="${PROJECT_BINARY_DIR}")
  if(OPENCLIP_ISA_TESTS)
    foreach(isa ${OPENCLIP_TEST_ISAS})
      add_test(NAME ${name}.${isa} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
      set(forced "${isa}")
      if(isa STREQUAL "best")
        set(forced "")
      endif()
      set_tests_properties(${name}.${isa} PROPERTIES ENVIRONMENT "OPENCLIP_FORCE_ISA=${forced}"
                                                     LABELS unit SKIP_RETURN_CODE 77)
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS unit)
  endif()
endfunction()
