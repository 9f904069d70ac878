// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/journal_api.h"

#include <dlfcn.h>

#include <string>

namespace oomwitness {
namespace {

constexpr const char* kWithoutIt =
    "install libsystemd0, or give its text: journalctl -k -o short-iso-precise | oomwitness "
    "analyze -";

template <typename Function>
bool find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<JournalApi> load_journal_api() {
  // Never closed: the library keeps state of its own in threads.
  void* library = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps one a thread
    return fail("load libsystemd: " + std::string(why != nullptr ? why : "not found"), kWithoutIt);
  }
  JournalApi api;
  const bool whole = find(library, "sd_journal_open", api.open) &&
                     find(library, "sd_journal_open_directory", api.open_directory) &&
                     find(library, "sd_journal_open_files", api.open_files) &&
                     find(library, "sd_journal_close", api.close) &&
                     find(library, "sd_journal_add_match", api.add_match) &&
                     find(library, "sd_journal_add_disjunction", api.add_disjunction) &&
                     find(library, "sd_journal_add_conjunction", api.add_conjunction) &&
                     find(library, "sd_journal_flush_matches", api.flush_matches) &&
                     find(library, "sd_journal_seek_head", api.seek_head) &&
                     find(library, "sd_journal_seek_realtime_usec", api.seek_realtime_usec) &&
                     find(library, "sd_journal_next", api.next) &&
                     find(library, "sd_journal_get_data", api.get_data) &&
                     find(library, "sd_journal_get_realtime_usec", api.get_realtime_usec) &&
                     find(library, "sd_journal_get_monotonic_usec", api.get_monotonic_usec) &&
                     find(library, "sd_journal_query_unique", api.query_unique) &&
                     find(library, "sd_journal_enumerate_unique", api.enumerate_unique) &&
                     find(library, "sd_journal_get_fd", api.get_fd) &&
                     find(library, "sd_journal_process", api.process);
  if (!whole) return fail("load libsystemd: it is older than systemd 205", kWithoutIt);
  return api;
}

}  // namespace oomwitness
