// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oomwitness {

// A ULID: 26 characters of Crockford's base 32, the first ten the time in ms. Where a ULID has
// random bits this has a hash of what tells one kill from another, so that a recording replayed
// elsewhere gives the same ids.
std::string incident_id(std::int64_t time_unix_ns, std::string_view boot_id,
                        std::uint64_t monotonic_ns, std::uint32_t victim_pid,
                        std::uint32_t victim_tid);

}  // namespace oomwitness
