// SPDX-License-Identifier: BSD-2-Clause
// The gate: bytes of the wire (bpf/event.h) become values here and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "assemble/observation.h"
#include "support/result.h"

namespace oomwitness {

// One record. Errors: EBADMSG (truncated, or lengths that contradict each other), EPROTO
// (another wire version, an unknown kind). Never reads past `record`.
Result<Observation> decode(std::span<const std::byte> record, std::uint64_t page_size);

// The argv bytes inside an argv record, to be redacted in place before anything keeps them; empty
// for every other record.
std::span<char> argv_bytes(std::span<std::byte> record);

}  // namespace oomwitness
