// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

namespace oomwitness {

// Whether an option, variable or header of that name carries a secret: "--db-password", "API_KEY",
// "javax.net.ssl.keyStorePassword"; not "--password-file", "--max-token", "PWD", "--key".
bool is_secret_name(std::string_view name);

}  // namespace oomwitness
