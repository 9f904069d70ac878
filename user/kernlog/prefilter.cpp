// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/prefilter.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernlog/anchors.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace oomwitness {
namespace {

// How common a byte is in logs, roughly: letters by English, digits and blanks most of all.
constexpr unsigned commonness(char c) {
  constexpr std::string_view kByRank = "zjqxkvwbygpfmcuhdlrnsioate";
  if (c == ' ' || (c >= '0' && c <= '9')) return 40;
  if (c >= 'a' && c <= 'z') return 4 + static_cast<unsigned>(kByRank.find(c));
  if (c == '-' || c == ':' || c == '.') return 12;
  return 3;
}

// The two neighbours in an anchor that are looked for; the rest is compared only where they stand.
struct Probe {
  std::size_t offset = 0;
  std::uint8_t first = 0;
  std::uint8_t second = 0;
};

constexpr Probe rarest_pair(std::string_view anchor) {
  Probe best;
  unsigned least = std::numeric_limits<unsigned>::max();
  for (std::size_t i = 0; i + 1 < anchor.size(); ++i) {
    const unsigned both = commonness(anchor[i]) * commonness(anchor[i + 1]);
    if (both >= least) continue;
    least = both;
    best = {i, static_cast<std::uint8_t>(anchor[i]), static_cast<std::uint8_t>(anchor[i + 1])};
  }
  return best;
}

constexpr auto kProbes = [] {
  std::array<Probe, kAnchors.size()> probes;
  for (std::size_t i = 0; i < probes.size(); ++i) probes[i] = rarest_pair(kAnchors[i]);
  return probes;
}();

constexpr std::size_t kLongest =
    std::max_element(kAnchors.begin(), kAnchors.end(),
                     [](auto a, auto b) { return a.size() < b.size(); }) -> size();

constexpr std::size_t kNone = std::string_view::npos;

// An anchor whose probe stands at `at`, if it does not begin before `from`.
std::size_t anchor_around(std::string_view text, std::size_t from, std::size_t at) {
  for (std::size_t i = 0; i < kAnchors.size(); ++i) {
    const Probe& probe = kProbes[i];
    if (static_cast<std::uint8_t>(text[at]) != probe.first || at < from + probe.offset) continue;
    const std::size_t begin = at - probe.offset;
    if (text.substr(begin).starts_with(kAnchors[i])) return begin;
  }
  return kNone;
}

std::size_t find_by_byte(std::string_view text, std::size_t from, std::size_t at) {
  for (; at < text.size(); ++at) {
    if (const std::size_t found = anchor_around(text, from, at); found != kNone) return found;
  }
  return kNone;
}

// SSE2 on amd64, NEON on arm64: the compiler's own 16-byte vectors.
using Bytes16 = std::uint8_t __attribute__((vector_size(16)));
using Halves16 = std::uint64_t __attribute__((vector_size(16)));

}  // namespace

std::size_t find_anchor_portable(std::string_view text, std::size_t from) {
  constexpr std::size_t kBlock = sizeof(Bytes16);
  std::size_t at = from;
  for (; at + kBlock < text.size(); at += kBlock) {
    Bytes16 here;
    Bytes16 next;
    std::memcpy(&here, text.data() + at, kBlock);
    std::memcpy(&next, text.data() + at + 1, kBlock);
    Bytes16 hits{};
    for (const Probe& probe : kProbes) {
      hits |= reinterpret_cast<Bytes16>((here == probe.first) & (next == probe.second));
    }
    const auto halves = reinterpret_cast<Halves16>(hits);
    if ((halves[0] | halves[1]) == 0) continue;
    for (std::size_t place = at; place < at + kBlock; ++place) {
      if (const auto found = anchor_around(text, from, place); found != kNone) return found;
    }
  }
  return find_by_byte(text, from, at);
}

#if defined(__x86_64__)
namespace {

// For each nibble, which anchors (by bit) a byte with that nibble may be the probe of: a byte can
// be it where both of its nibbles agree. One shuffle looks up 32 nibbles.
struct NibbleTables {
  alignas(32) std::array<std::uint8_t, 32> low{};
  alignas(32) std::array<std::uint8_t, 32> high{};
};

constexpr NibbleTables tables_of(std::uint8_t Probe::*byte) {
  NibbleTables tables;
  for (std::size_t i = 0; i < kProbes.size(); ++i) {
    const std::uint8_t value = kProbes[i].*byte;
    const auto bit = static_cast<std::uint8_t>(1U << (i % 8));
    for (const std::size_t lane : {std::size_t{0}, std::size_t{16}}) {
      tables.low[lane + (value & 15U)] |= bit;
      tables.high[lane + (value >> 4U)] |= bit;
    }
  }
  return tables;
}

constexpr NibbleTables kFirst = tables_of(&Probe::first);
constexpr NibbleTables kSecond = tables_of(&Probe::second);

[[gnu::target("avx2")]] inline __m256i load(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

struct Lookup {
  __m256i low;
  __m256i high;
};

// A byte of 128 and more is looked up as 0 by its low nibble: no anchor holds one.
[[gnu::target("avx2")]] inline __m256i look_up(const Lookup& table, __m256i bytes) {
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  return _mm256_and_si256(_mm256_shuffle_epi8(table.low, bytes),
                          _mm256_shuffle_epi8(table.high, high));
}

// For each byte, which anchors (by bit) have their probe there.
[[gnu::target("avx2")]] inline __m256i probes_at(const Lookup& first, const Lookup& second,
                                                 const char* bytes) {
  return _mm256_and_si256(look_up(first, load(bytes)), look_up(second, load(bytes + 1)));
}

[[gnu::target("avx2")]] std::size_t find_anchor_avx2(std::string_view text, std::size_t from) {
  constexpr std::size_t kHalf = 32;
  constexpr std::size_t kBlock = 2 * kHalf;
  const Lookup first{load(kFirst.low.data()), load(kFirst.high.data())};
  const Lookup second{load(kSecond.low.data()), load(kSecond.high.data())};
  std::size_t at = from;
  for (; at + kBlock < text.size(); at += kBlock) {
    const __m256i left = probes_at(first, second, text.data() + at);
    const __m256i right = probes_at(first, second, text.data() + at + kHalf);
    const __m256i both = _mm256_or_si256(left, right);
    if (_mm256_testz_si256(both, both) != 0) continue;
    const __m256i none = _mm256_setzero_si256();
    const auto no_left =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(left, none)));
    const auto no_right =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(right, none)));
    auto places = ~(std::uint64_t{no_right} << 32U | no_left);
    for (; places != 0; places &= places - 1) {
      const auto place = at + static_cast<std::size_t>(__builtin_ctzll(places));
      if (const auto found = anchor_around(text, from, place); found != kNone) return found;
    }
  }
  return find_by_byte(text, from, at);
}

}  // namespace

std::size_t find_anchor(std::string_view text, std::size_t from) {
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  return has_avx2 ? find_anchor_avx2(text, from) : find_anchor_portable(text, from);
}
#else
std::size_t find_anchor(std::string_view text, std::size_t from) {
  return find_anchor_portable(text, from);
}
#endif

std::size_t longest_anchor() {
  return kLongest;
}

}  // namespace oomwitness
