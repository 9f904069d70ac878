// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

#include "support/result.h"

namespace oomwitness {

// The first line of a file of at most 64 KiB, blanks around it taken off: a token, a password or an
// address that must stand neither in the configuration nor in an argument. An error when it is
// empty or has bytes other than printable ASCII.
Result<std::string> read_secret(const std::string& path);

// All of such a file: a certificate or a key.
Result<std::string> read_pem(const std::string& path);

}  // namespace oomwitness
