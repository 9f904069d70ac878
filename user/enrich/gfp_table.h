// SPDX-License-Identifier: BSD-2-Clause
// gfp flags have moved between kernels (and differ with its configuration), so their names come
// from the running kernel: the print format of a trace event that shows them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "enrich/roots.h"
#include "support/result.h"

namespace oomwitness {

struct GfpName {
  std::uint32_t mask = 0;
  std::string name;
};

class GfpTable {
 public:
  explicit GfpTable(std::vector<GfpName> names) : names_(std::move(names)) {}

  // As the kernel's %pGg (lib/vsprintf.c format_flags): each name whose bits are all set, in the
  // table's order (composites like GFP_KERNEL come first), takes its bits; what remains is one
  // hexadecimal number. Empty for 0.
  std::vector<std::string> decode(std::uint32_t mask) const;

  const std::vector<GfpName>& names() const noexcept { return names_; }

 private:
  std::vector<GfpName> names_;
};

// The names in the text of events/kmem/mm_page_alloc/format. Pure. One expression that cannot be
// evaluated rejects the table: a table with holes would give wrong names to other flags.
Result<GfpTable> parse_gfp_format(std::string_view format);

// From tracefs under `root`, at its own mount point or debugfs's.
Result<GfpTable> read_gfp_table(const Roots& roots);

}  // namespace oomwitness
