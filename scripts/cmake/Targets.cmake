# SPDX-License-Identifier: BSD-2-Clause
include(GoogleTest OPTIONAL)

add_library(ow_flags INTERFACE)
target_compile_options(ow_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-align -Wcast-qual -Wformat=2
  -Wno-missing-field-initializers  # designated initialisers name what differs from the default
  # GCC 12 sees overlaps in std::string's operator+ (PR105651) and, in std::variant and std::optional,
  # members that are never read unless they are there (PR80635).
  # Its null-dereference analysis, too, blames libstdc++'s own code once that is optimised.
  $<$<NOT:$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>>:-Wnull-dereference>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<BOOL:${OOMWITNESS_WERROR}>:-Werror>)
if(OOMWITNESS_SANITIZE)
  set(_sanitize -fsanitize=${OOMWITNESS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(ow_flags INTERFACE ${_sanitize})
  target_link_options(ow_flags INTERFACE ${_sanitize})
endif()

if(OOMWITNESS_FUZZ) # libFuzzer is guided by the coverage of the code under test, not of its target
  target_compile_options(ow_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(ow_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# ow_library(NAME <target> SOURCES <file>... [PUBLIC <lib>...] [PRIVATE <lib>...])
# A layer. The arrows between layers are the PUBLIC and PRIVATE libraries and nothing else.
function(ow_library)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;PUBLIC;PRIVATE")
  add_library(${arg_NAME} STATIC ${arg_SOURCES})
  target_include_directories(${arg_NAME} PUBLIC ${PROJECT_SOURCE_DIR}/user)
  target_link_libraries(${arg_NAME} PUBLIC deps::expected ${arg_PUBLIC} PRIVATE ow_flags ${arg_PRIVATE})
endfunction()

# ow_test(NAME <target> LABEL <label> SOURCES <file>... [LIBS <lib>...] [DEFINES <X=Y>...])
function(ow_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;LABEL" "SOURCES;LIBS;DEFINES")
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE ow_flags ${arg_LIBS} GTest::gmock_main)
  target_compile_definitions(${arg_NAME} PRIVATE ${arg_DEFINES})
  gtest_discover_tests(${arg_NAME} TEST_PREFIX ${arg_LABEL}. PROPERTIES LABELS ${arg_LABEL})
endfunction()
