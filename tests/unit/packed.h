// SPDX-License-Identifier: BSD-2-Clause
// Text compressed as the tools do it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oomwitness {

std::string gzip(std::string_view text);
// `dictionary_bytes` 0: the default of xz -6.
std::string unxz(std::string_view packed);
std::string xz(std::string_view text, std::uint32_t dictionary_bytes = 0);
// `window_log` 0: the library's choice.
std::string zstd(std::string_view text, int window_log = 0);

}  // namespace oomwitness
