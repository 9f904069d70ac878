// SPDX-License-Identifier: BSD-2-Clause
// A run as JUnit XML, in the form that Jenkins and GitLab read. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "run/run_record.h"

namespace oomwitness {

// Text for XML 1.0, in an element or a quoted attribute: markup escaped, bytes that are not UTF-8
// written by to_valid_utf8, characters that XML cannot hold replaced by U+FFFD.
std::string xml_text(std::string_view bytes);

// One suite with one case for each run; an OOM kill, a failure, a signal and a timeout are
// failures with the reports as their text; what could not be run is an error.
std::string render_junit(const std::vector<RunRecord>& runs);

}  // namespace oomwitness
