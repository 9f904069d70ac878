// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "enrich/roots.h"
#include "incident/incident.h"
#include "support/result.h"

namespace oomwitness {

// The name of `uid` in the text of a passwd(5) file; the first line that has it wins.
Opt<std::string> find_user(std::string_view passwd, std::uint32_t uid);

// From etc/passwd itself, not getpwuid(3): NSS may ask sssd or LDAP over the network, and blocks
// for as long as those want, on a host that has just run out of memory. Users that only such a
// directory knows stay numbers.
Result<std::string> user_name(const Roots& roots, std::uint32_t uid);

}  // namespace oomwitness
