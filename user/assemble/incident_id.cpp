// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/incident_id.h"

namespace oomwitness {

namespace {

// FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).
class Fnv1a {
 public:
  explicit Fnv1a(std::uint8_t salt) { byte(salt); }
  void byte(std::uint8_t value) {
    hash_ ^= value;
    hash_ *= 0x100000001b3ULL;
  }
  void number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
  }
  void text(std::string_view value) {
    for (const char c : value) byte(static_cast<std::uint8_t>(c));
    number(value.size());
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

void append_base32(std::string& out, std::uint64_t value, int characters) {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  for (int i = characters - 1; i >= 0; --i) out += kAlphabet[(value >> (5 * i)) & 31];
}

}  // namespace

std::string incident_id(std::int64_t time_unix_ns, std::string_view boot_id,
                        std::uint64_t monotonic_ns, std::uint32_t victim_pid,
                        std::uint32_t victim_tid) {
  const auto hash = [&](std::uint8_t salt) {
    Fnv1a fnv(salt);
    fnv.text(boot_id);
    fnv.number(monotonic_ns);
    fnv.number(victim_pid);
    fnv.number(victim_tid);
    return fnv.value();
  };
  constexpr std::uint64_t kFortyBits = (1ULL << 40) - 1;
  constexpr std::uint64_t kFortyEightBits = (1ULL << 48) - 1;
  const std::int64_t ms = time_unix_ns > 0 ? time_unix_ns / 1'000'000 : 0;
  const auto folded = [&](std::uint8_t salt) {
    const std::uint64_t bits = hash(salt);
    return (bits ^ (bits >> 40)) & kFortyBits;
  };
  std::string id;
  id.reserve(26);
  append_base32(id, static_cast<std::uint64_t>(ms) & kFortyEightBits, 10);
  append_base32(id, folded(1), 8);
  append_base32(id, folded(2), 8);
  return id;
}

}  // namespace oomwitness
