// SPDX-License-Identifier: BSD-2-Clause
// /proc/kallsyms, read as a stream: the whole table is never kept.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "support/result.h"

namespace oomwitness {

// Addresses of the named symbols; those not found, or hidden by kptr_restrict (address 0), are
// not in the answer. `proc`: "/proc". Errors: the file cannot be read.
Result<std::map<std::string, std::uint64_t>> find_symbols(const std::string& proc,
                                                          std::span<const std::string_view> names);

// "name+0x1a" for each address that lies in a function of the kernel proper: among the addresses
// of modules there are those of BPF programs, which the file may not list.
Result<std::map<std::uint64_t, std::string>> name_addresses(
    const std::string& proc, std::span<const std::uint64_t> addresses);

}  // namespace oomwitness
