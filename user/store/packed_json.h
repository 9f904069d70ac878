// SPDX-License-Identifier: BSD-2-Clause
// An incident's JSON as the store keeps it: compressed (zstd), because a page that is not written
// is the cheapest, and names of fields are most of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "support/result.h"

struct ZSTD_CCtx_s;

namespace oomwitness {

// Keeps zstd's working memory, whose making costs as much as an incident's packing.
class JsonPacker {
 public:
  JsonPacker();
  std::string pack(std::string_view json) const;

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

// Errors: it is damaged, or larger than any incident.
Result<std::string> unpack_json(std::string_view packed);

}  // namespace oomwitness
