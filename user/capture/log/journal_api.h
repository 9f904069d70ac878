// SPDX-License-Identifier: BSD-2-Clause
// The functions of libsystemd.so.0 that are used, as sd-journal(3) and its pages declare them. Its
// headers are not needed to build, nor the library to start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "support/result.h"

namespace oomwitness {

struct sd_journal;  // NOLINT(readability-identifier-naming): the library's own name

// sd_id128_t, of sd-id128.h.
struct JournalId {
  alignas(std::uint64_t) std::array<std::uint8_t, 16> bytes{};
};

constexpr int kJournalLocalOnly = 1;  // SD_JOURNAL_LOCAL_ONLY
constexpr int kJournalSystem = 4;     // SD_JOURNAL_SYSTEM

struct JournalApi {
  int (*open)(sd_journal**, int flags) = nullptr;
  int (*open_directory)(sd_journal**, const char* path, int flags) = nullptr;
  int (*open_files)(sd_journal**, const char** paths, int flags) = nullptr;
  void (*close)(sd_journal*) = nullptr;
  int (*add_match)(sd_journal*, const void*, std::size_t) = nullptr;
  int (*add_disjunction)(sd_journal*) = nullptr;
  int (*add_conjunction)(sd_journal*) = nullptr;
  void (*flush_matches)(sd_journal*) = nullptr;
  int (*seek_head)(sd_journal*) = nullptr;
  int (*seek_realtime_usec)(sd_journal*, std::uint64_t) = nullptr;
  int (*next)(sd_journal*) = nullptr;
  int (*get_data)(sd_journal*, const char* field, const void**, std::size_t*) = nullptr;
  int (*get_realtime_usec)(sd_journal*, std::uint64_t*) = nullptr;
  int (*get_monotonic_usec)(sd_journal*, std::uint64_t*, JournalId* boot) = nullptr;
  int (*query_unique)(sd_journal*, const char* field) = nullptr;
  int (*enumerate_unique)(sd_journal*, const void**, std::size_t*) = nullptr;
  int (*get_fd)(sd_journal*) = nullptr;
  int (*process)(sd_journal*) = nullptr;
};

// ENOENT: the library is not there, or misses one of them.
Result<JournalApi> load_journal_api();

}  // namespace oomwitness
