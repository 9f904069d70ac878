// SPDX-License-Identifier: BSD-2-Clause
// A case as an Incident: the kernel's word first, what came late only where that is silent.
#pragma once

#include <cstddef>
#include <string>

#include "assemble/assembler.h"
#include "assemble/case_file.h"
#include "incident/incident.h"

namespace oomwitness {

// Everything but revision and provenance.lost_events.
Incident build_incident(const CaseFile& file, const AssemblerConfig& config);

// ---- its parts, each in a file of its own

// What the kernel side saw of the victim.
Victim victim_from_kernel(const CaseFile& file, const CaseVictim& known,
                          const AssemblerConfig& config);
// Fills victims[index] from /proc and the log; true in `*_gave` when they gave anything.
struct LateSources {
  bool proc_gave = false;
  bool log_gave = false;
};
LateSources fill_victim_late(Incident& incident, std::size_t index, const CaseFile& file);

// Fills scope, invoker and the size of the task table from the log's reports; true: they gave some.
bool fill_from_log(Incident& incident, const CaseFile& file);

// provenance.missing: what should be there, is not, and why.
void tell_missing(Incident& incident, const CaseFile& file, const AssemblerConfig& config);

// "victims[3]."
std::string victim_prefix(std::size_t index);

inline constexpr const char* kAllocatingTaskMessage = "Out of memory (oom_kill_allocating_task)";

}  // namespace oomwitness
