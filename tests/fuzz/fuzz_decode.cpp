// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a record of the wire: an observation or an error, never a byte read past the end;
// and the argv bytes are inside the record they are of.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "bpf/event.h"
#include "capture/decode.h"

namespace oomwitness {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void check_argv(std::vector<std::byte> record) {
  const std::span<char> argv = argv_bytes(record);
  if (argv.empty()) return;
  const auto bytes = std::as_writable_bytes(argv);
  check(bytes.data() >= record.data() &&
        bytes.data() + bytes.size() <= record.data() + record.size());
  std::memset(argv.data(), '*', argv.size());
  const auto seen = decode(record, 4096);
  if (!seen) return;
  const auto& delivered = std::get<Delivered>(*seen);
  if (delivered.argv) check(*delivered.argv == std::string(argv.size(), '*'));
}

void fuzz_record(const std::vector<std::byte>& record) {
  const auto seen = decode(record, 4096);
  if (seen) check(!seen->valueless_by_exception());
  check_argv(record);
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(input, size));
  std::vector<std::byte> record(bytes.begin(), bytes.end());
  oomwitness::fuzz_record(record);
  // With a header that fits, so that what is behind it is reached.
  if (size < sizeof(ow_header)) return 0;
  const std::uint16_t version = OW_WIRE_VERSION;
  const auto whole = static_cast<std::uint32_t>(size);
  std::memcpy(&record[offsetof(ow_header, version)], &version, sizeof(version));
  std::memcpy(&record[offsetof(ow_header, size)], &whole, sizeof(whole));
  oomwitness::fuzz_record(record);
  return 0;
}
