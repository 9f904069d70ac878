// SPDX-License-Identifier: BSD-2-Clause
// For binaries that nothing can be loaded into.
#include "capture/log/journal_api.h"

namespace oomwitness {

Result<JournalApi> load_journal_api() {
  return fail("load libsystemd: this oomwitness is linked statically",
              "give the journal's text: journalctl -k -o short-iso-precise | oomwitness analyze -");
}

}  // namespace oomwitness
