# SPDX-License-Identifier: BSD-2-Clause
# Cross build for arm64 with Debian's g++-aarch64-linux-gnu and the sysroot of scripts/sysroot.sh.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

# CMake reads this file again for each of its compiler checks: ask only once.
if(NOT DEFINED ENV{OOMWITNESS_ARM64_SYSROOT})
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../sysroot.sh arm64
    OUTPUT_VARIABLE _sysroot OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{OOMWITNESS_ARM64_SYSROOT} ${_sysroot})
endif()

# Not CMAKE_SYSROOT: that would take the C library away from the compiler.
set(CMAKE_FIND_ROOT_PATH $ENV{OOMWITNESS_ARM64_SYSROOT})
# What a shared library needs in its turn.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,$ENV{OOMWITNESS_ARM64_SYSROOT}/usr/lib/aarch64-linux-gnu:$ENV{OOMWITNESS_ARM64_SYSROOT}/lib/aarch64-linux-gnu")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# The tests do not run here: leave asking them for their names to the moment they would.
set(CMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE PRE_TEST)
