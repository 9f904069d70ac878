// SPDX-License-Identifier: BSD-2-Clause
// When a case is to be written: the one place that weighs the waits.
#pragma once

#include <cstdint>
#include <optional>

#include "assemble/assembler.h"
#include "assemble/case_file.h"

namespace oomwitness {

// The `now` at which the case is to be written (again); in the past: at once. Absent: nothing to
// write and nothing to wait for.
std::optional<std::uint64_t> due(const CaseFile& file, const AssemblerConfig& config);

// Whether the case, once written, needs no more waiting.
bool is_over(const CaseFile& file);

// When a written case with a lingering victim is given up.
std::uint64_t gives_up_at(const CaseFile& file, const AssemblerConfig& config);

bool sees_decisions(const AssemblerConfig& config);

}  // namespace oomwitness
