# SPDX-License-Identifier: BSD-2-Clause
# add_bpf_object(NAME <name> SOURCE <file.bpf.c> [INCLUDES <dir>...])
#
# Compiles SOURCE for the BPF target and makes <name>_skel, an INTERFACE target with
# <name>.skel.h. Rebuilds follow clang's own dependency file.
find_program(BPF_CLANG NAMES clang)
ow_require(BPF_CLANG clang)
find_program(BPF_STRIP NAMES llvm-strip)
ow_require(BPF_STRIP llvm)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin)
ow_require(BPFTOOL bpftool)

set(_bpf_arch_x86_64 x86)
set(_bpf_arch_aarch64 arm64)
set(BPF_ARCH "${_bpf_arch_${CMAKE_SYSTEM_PROCESSOR}}")
if(NOT BPF_ARCH)
  message(FATAL_ERROR "no BPF target known for ${CMAKE_SYSTEM_PROCESSOR}: x86_64 and aarch64 are")
endif()

function(add_bpf_object)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;SOURCE" "INCLUDES")
  set(obj ${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}.bpf.o)
  set(skel ${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}.skel.h)
  list(TRANSFORM arg_INCLUDES PREPEND -I OUTPUT_VARIABLE includes)

  add_custom_command(
    OUTPUT ${obj}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Wno-unused-parameter -Werror
            # .BTF.ext names the sources: the same wherever they were compiled.
            -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=/oomwitness/
            -D__TARGET_ARCH_${BPF_ARCH} ${includes} -isystem ${LIBBPF_INCLUDE_DIR}
            -MD -MF ${obj}.d -MT ${obj}
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${arg_SOURCE} -o ${obj}
    COMMAND ${BPF_STRIP} -g ${obj}  # drops DWARF, keeps .BTF and .BTF.ext
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${arg_SOURCE}
    DEPFILE ${obj}.d
    COMMENT "BPF  ${arg_NAME}.bpf.o"
    VERBATIM)

  # Through a temporary: a failed bpftool must not leave an empty header behind.
  add_custom_command(
    OUTPUT ${skel}
    COMMAND sh -c "\"$1\" gen skeleton \"$2\" name \"$3\" > \"$4.tmp\" && mv \"$4.tmp\" \"$4\""
            skel ${BPFTOOL} ${obj} ${arg_NAME}_bpf ${skel}
    DEPENDS ${obj}
    COMMENT "SKEL ${arg_NAME}.skel.h"
    VERBATIM)

  add_custom_target(${arg_NAME}_skel_gen DEPENDS ${skel})
  add_library(${arg_NAME}_skel INTERFACE)
  add_dependencies(${arg_NAME}_skel ${arg_NAME}_skel_gen)
  target_include_directories(${arg_NAME}_skel SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
