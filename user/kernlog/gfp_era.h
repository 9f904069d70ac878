// SPDX-License-Identifier: BSD-2-Clause
// gfp masks of any kernel from 2.6.0 on by name. The bits have moved many times, and kernels before
// 4.6 print the mask alone: which table is the right one is the version's to say, or the report's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernlog/kernel_version.h"

namespace oomwitness {

struct GfpNames {
  // "GFP_KERNEL", "__GFP_ZERO"; bits that no kernel of the range has used are one hexadecimal
  // number, as the kernel prints them. Empty for a mask of 0, or when ambiguous.
  std::vector<std::string> flags;
  bool ambiguous = false;
  std::string why;  // for provenance.missing, when ambiguous
};

// The names of a mask that invoked the OOM killer of one of these kernels: those of the kernels
// where it can have done so, if they agree on the meaning of every bit.
//
// Who may not wait for memory never comes to the OOM killer (mm/page_alloc.c
// __alloc_pages_slowpath, mm/memcontrol.c try_charge), and no kernel sets a bit that it does not
// know. Both rule tables out.
GfpNames gfp_names(std::uint32_t oom_mask, const VersionRange& range);

}  // namespace oomwitness
