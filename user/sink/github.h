// SPDX-License-Identifier: BSD-2-Clause
// A run for GitHub Actions: workflow commands and the job summary. Pure.
#pragma once

#include <string>

#include "run/run_record.h"

namespace oomwitness {

// "::error title=OOM kill::..." lines, none for a success; a warning where an OOM kill is allowed.
std::string render_github_annotations(const RunRecord& record);

// GitHub-flavoured Markdown to be appended to the file that GITHUB_STEP_SUMMARY names.
std::string render_github_summary(const RunRecord& record);

}  // namespace oomwitness
