// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/users.h"

#include <fcntl.h>

#include "enrich/bounded_read.h"
#include "enrich/number.h"
#include "enrich/text_scan.h"

namespace oomwitness {

Opt<std::string> find_user(std::string_view passwd, std::uint32_t uid) {
  while (!passwd.empty()) {
    std::string_view line = next_piece(passwd, '\n');
    const std::string_view name = next_piece(line, ':');
    next_piece(line, ':');  // the password's place
    // '+' and '-' lines are NIS inclusions, not users.
    if (name.empty() || name.front() == '#' || name.front() == '+' || name.front() == '-') continue;
    if (parse_number<std::uint32_t>(next_piece(line, ':')) == uid) return std::string(name);
  }
  return std::nullopt;
}

Result<std::string> user_name(const Roots& roots, std::uint32_t uid) {
  const std::string path = roots.under_root("etc/passwd");
  // Large shared hosts have thousands of users; a link there is common (ostree systems).
  TRY(const auto bytes, read_at_most(AT_FDCWD, path, kMaxStateFileBytes));
  if (auto name = find_user(bytes.content, uid)) return std::move(*name);
  return fail("uid " + std::to_string(uid) + " is not in " + path);
}

}  // namespace oomwitness
