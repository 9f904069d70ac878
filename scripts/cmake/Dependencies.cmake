# SPDX-License-Identifier: BSD-2-Clause
# System packages only; a missing one is named by the Debian package that has it.

function(ow_require var package)
  if(NOT ${var})
    message(FATAL_ERROR "${package} is missing: install it with 'apt-get install ${package}'")
  endif()
endfunction()

find_path(LIBBPF_INCLUDE_DIR bpf/libbpf.h)
ow_require(LIBBPF_INCLUDE_DIR libbpf-dev)
find_library(LIBBPF_LIB NAMES libbpf.a)
ow_require(LIBBPF_LIB libbpf-dev)
find_library(LIBELF_LIB NAMES libelf.a)
ow_require(LIBELF_LIB libelf-dev)
find_library(LIBZ_LIB NAMES libz.a)
ow_require(LIBZ_LIB zlib1g-dev)

find_library(LIBLZMA_LIB NAMES liblzma.a)
ow_require(LIBLZMA_LIB liblzma-dev)
find_library(LIBZSTD_LIB NAMES libzstd.a)
ow_require(LIBZSTD_LIB libzstd-dev)

# Linked statically: an ad-hoc trace must start fast.
add_library(bpf::static INTERFACE IMPORTED)
target_include_directories(bpf::static SYSTEM INTERFACE ${LIBBPF_INCLUDE_DIR})
target_link_libraries(bpf::static INTERFACE ${LIBBPF_LIB} ${LIBELF_LIB} ${LIBZ_LIB})

function(ow_header_library target header package)
  string(MAKE_C_IDENTIFIER "${header}_DIR" var)
  find_path(${var} ${header})
  ow_require(${var} ${package})
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} SYSTEM INTERFACE ${${var}})
endfunction()

ow_header_library(deps::expected tl/expected.hpp libexpected-dev)
ow_header_library(deps::cli11 CLI/CLI.hpp libcli11-dev)
ow_header_library(deps::json nlohmann/json.hpp nlohmann-json3-dev)
# ow_c_library(TARGET HEADER LIBRARY PACKAGE)
function(ow_c_library target header library package)
  string(MAKE_C_IDENTIFIER "${header}_DIR" var)
  find_path(${var} ${header})
  ow_require(${var} ${package})
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} SYSTEM INTERFACE ${${var}})
  target_link_libraries(${target} INTERFACE ${library})
endfunction()
# The decompressors, statically too: libsystemd, which has no static library, is loaded when needed.
ow_c_library(deps::zlib zlib.h ${LIBZ_LIB} zlib1g-dev)
ow_c_library(deps::lzma lzma.h ${LIBLZMA_LIB} liblzma-dev)
ow_c_library(deps::zstd zstd.h ${LIBZSTD_LIB} libzstd-dev)
# The store's programs take what the system has, so that its updates reach them; a static build has
# all inside.
set(_sqlite_names libsqlite3.so)
if(OOMWITNESS_STATIC)
  set(_sqlite_names libsqlite3.a)
endif()
find_library(LIBSQLITE3_LIB NAMES ${_sqlite_names})
ow_require(LIBSQLITE3_LIB libsqlite3-dev)
ow_c_library(deps::sqlite sqlite3.h ${LIBSQLITE3_LIB} libsqlite3-dev)
if(OOMWITNESS_STATIC)
  target_link_libraries(deps::sqlite INTERFACE m)
endif()
# Header-only: Debian has no static libfmt, and a shared one costs start-up time.
ow_header_library(deps::fmt fmt/format.h libfmt-dev)
target_compile_definitions(deps::fmt INTERFACE FMT_HEADER_ONLY)

# The agent's exporters take what the system has, so that its updates reach them. Only protobuf's
# small half is linked in: what it has to relocate at the start would cost more.
function(ow_system_library target header library package)
  string(MAKE_C_IDENTIFIER "${library}_LIB" var)
  find_library(${var} NAMES ${library})
  ow_require(${var} ${package})
  ow_c_library(${target} ${header} ${${var}} ${package})
endfunction()
if(NOT OOMWITNESS_STATIC)
  ow_system_library(deps::systemd systemd/sd-journal.h systemd libsystemd-dev)
  ow_system_library(deps::curl curl/curl.h curl libcurl4-openssl-dev)
  ow_system_library(deps::microhttpd microhttpd.h microhttpd libmicrohttpd-dev)
  ow_system_library(deps::prometheus prometheus/metric_family.h prometheus-cpp-core prometheus-cpp-dev)
  ow_system_library(deps::protobuf google/protobuf/message_lite.h libprotobuf-lite.a libprotobuf-dev)
  find_program(PROTOC NAMES protoc)
  ow_require(PROTOC protobuf-compiler)
endif()

find_package(Threads REQUIRED)
