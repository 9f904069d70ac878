// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

#include "support/result.h"

namespace oomwitness {

// All of it, or an error (EPIPE: the reader has gone).
Status write_all(int fd, std::string_view text);

// "error: ...\nhint: ...\n" on stderr.
void print_error(const Error& error);

// Colours are for terminals whose user has not set NO_COLOR (no-color.org).
bool wants_color(int fd);
// The user's locale can show UTF-8 (LC_ALL, LC_CTYPE, LANG in that order, as setlocale(3)).
bool wants_utf8();

}  // namespace oomwitness
