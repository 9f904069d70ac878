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

// How common a byte is in logs of the usual daemons, in thousandths, roughly.
constexpr unsigned commonness(char c) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::array<unsigned, kLetters.size()> kOfLetter = {27, 18, 17, 26, 43, 11, 6,  8, 26,
                                                               1,  6,  21, 17, 30, 37, 13, 1, 16,
                                                               31, 31, 14, 13, 9,  3,  4,  1};
  if (c == ' ') return 109;
  if (c >= '0' && c <= '9') return 25;
  if (c >= 'a' && c <= 'z') return kOfLetter[kLetters.find(c)];
  if (c == '-' || c == ':' || c == '.') return 25;
  return 3;
}

// Parts of words that logs are full of, more than their letters tell.
constexpr std::array<std::string_view, 10> kCommonParts = {"pro", "roc", "oce", "ces", "ess",
                                                           "ory", "mor", "mem", "lim", "ult"};

// The three neighbours in an anchor that are looked for; the rest is compared only where they
// stand.
constexpr std::size_t kProbeBytes = 3;

struct Probe {
  std::size_t offset = 0;
  std::array<std::uint8_t, kProbeBytes> bytes{};
};

constexpr Probe rarest(std::string_view anchor) {
  Probe best;
  unsigned least = std::numeric_limits<unsigned>::max();
  for (std::size_t i = 0; i + kProbeBytes <= anchor.size(); ++i) {
    unsigned all = 1;
    for (std::size_t k = 0; k < kProbeBytes; ++k) all *= commonness(anchor[i + k]);
    constexpr unsigned kMuchMore = 100;
    for (const std::string_view part : kCommonParts) {
      if (anchor.substr(i, kProbeBytes) == part) all *= kMuchMore;
    }
    if (all >= least) continue;
    least = all;
    best.offset = i;
    for (std::size_t k = 0; k < kProbeBytes; ++k) {
      best.bytes[k] = static_cast<std::uint8_t>(anchor[i + k]);
    }
  }
  return best;
}

constexpr auto kProbes = [] {
  std::array<Probe, kAnchors.size()> probes;
  for (std::size_t i = 0; i < probes.size(); ++i) probes[i] = rarest(kAnchors[i]);
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
    if (static_cast<std::uint8_t>(text[at]) != probe.bytes[0] || at < from + probe.offset) continue;
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
  for (; at + kBlock + kProbeBytes <= text.size(); at += kBlock) {
    std::array<Bytes16, kProbeBytes> here;
    for (std::size_t k = 0; k < kProbeBytes; ++k) {
      std::memcpy(&here[k], text.data() + at + k, kBlock);
    }
    Bytes16 hits{};
    for (const Probe& probe : kProbes) {
      hits |= reinterpret_cast<Bytes16>((here[0] == probe.bytes[0]) & (here[1] == probe.bytes[1]) &
                                        (here[2] == probe.bytes[2]));
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

constexpr NibbleTables tables_of(std::size_t byte) {
  NibbleTables tables;
  for (std::size_t i = 0; i < kProbes.size(); ++i) {
    const std::uint8_t value = kProbes[i].bytes[byte];
    const auto bit = static_cast<std::uint8_t>(1U << (i % 8));
    for (const std::size_t lane : {std::size_t{0}, std::size_t{16}}) {
      tables.low[lane + (value & 15U)] |= bit;
      tables.high[lane + (value >> 4U)] |= bit;
    }
  }
  return tables;
}

constexpr std::array<NibbleTables, kProbeBytes> kTables = {tables_of(0), tables_of(1),
                                                           tables_of(2)};

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

using Lookups = std::array<Lookup, kProbeBytes>;

// For each byte, which anchors (by bit) have their probe there.
[[gnu::target("avx2")]] inline __m256i probes_at(const Lookups& tables, const char* bytes) {
  const __m256i first = look_up(tables[0], load(bytes));
  const __m256i second = look_up(tables[1], load(bytes + 1));
  const __m256i third = look_up(tables[2], load(bytes + 2));
  return _mm256_and_si256(_mm256_and_si256(first, second), third);
}

constexpr std::size_t kHalf = 32;
constexpr std::size_t kBlock = 2 * kHalf;

// The places among kBlock bytes where some probe stands, by bit; reads kProbeBytes - 1 beyond.
[[gnu::target("avx2")]] inline std::uint64_t places_in(const Lookups& tables, const char* bytes) {
  const __m256i left = probes_at(tables, bytes);
  const __m256i right = probes_at(tables, bytes + kHalf);
  const __m256i both = _mm256_or_si256(left, right);
  if (_mm256_testz_si256(both, both) != 0) return 0;
  const __m256i none = _mm256_setzero_si256();
  const auto no_left =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(left, none)));
  const auto no_right =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(right, none)));
  return ~(std::uint64_t{no_right} << 32U | no_left);
}

std::size_t anchor_among(std::string_view text, std::size_t from, std::size_t at,
                         std::uint64_t places) {
  for (; places != 0; places &= places - 1) {
    const auto place = at + static_cast<std::size_t>(__builtin_ctzll(places));
    if (const auto found = anchor_around(text, from, place); found != kNone) return found;
  }
  return kNone;
}

[[gnu::target("avx2")]] std::size_t find_anchor_avx2(std::string_view text, std::size_t from) {
  Lookups tables;
  for (std::size_t k = 0; k < kProbeBytes; ++k) {
    tables[k] = {load(kTables[k].low.data()), load(kTables[k].high.data())};
  }
  std::size_t at = from;
  for (; at + kBlock + kProbeBytes <= text.size(); at += kBlock) {
    const std::uint64_t places = places_in(tables, text.data() + at);
    if (places == 0) continue;
    if (const auto found = anchor_among(text, from, at, places); found != kNone) return found;
  }
  // Most of a short line is here: the same again, with zeros behind the end.
  std::array<char, 2 * kBlock + kProbeBytes> rest{};
  const std::size_t size = text.size() - std::min(at, text.size());
  if (size != 0) std::memcpy(rest.data(), text.data() + at, size);
  for (std::size_t begin = 0; begin < size; begin += kBlock) {
    const std::uint64_t places = places_in(tables, rest.data() + begin);
    if (const auto found = anchor_among(text, from, at + begin, places); found != kNone)
      return found;
  }
  return kNone;
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
