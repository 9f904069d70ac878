// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/decoders.h"

namespace oomwitness {

Status Packed::fill() {
  if (!empty() || ended) return {};
  TRY(const std::size_t got, from->read(bytes));
  begin = 0;
  end = got;
  ended = got == 0;
  return {};
}

Result<std::size_t> Packed::given(std::size_t count) const {
  if (count == 0 && failure) return tl::make_unexpected(*failure);
  return count;
}

Error cut_short(const std::string& name) {
  return {{},
          "decompress " + name + ": it is cut short",
          "its compression was interrupted; what came before is shown"};
}

Error damaged(const std::string& name, const char* why) {
  return {{}, "decompress " + name + ": it is damaged (" + why + ")", "what came before is shown"};
}

}  // namespace oomwitness
