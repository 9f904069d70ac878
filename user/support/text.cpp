// SPDX-License-Identifier: BSD-2-Clause
#include "support/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>

#include <fmt/compile.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace oomwitness {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool in_ranges(char32_t c, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](Range r) { return c >= r.first && c <= r.last; });
}

// Characters that move the cursor, reorder or hide text, or show nothing (Unicode 15 categories Cc,
// Cf, Zl, Zp, Co and the blank fillers).
constexpr std::array<Range, 26> kUnprintable{{
    {0x00, 0x1f},       {0x7f, 0x9f},        {0xad, 0xad},       {0x34f, 0x34f},
    {0x600, 0x605},     {0x61c, 0x61c},      {0x6dd, 0x6dd},     {0x70f, 0x70f},
    {0x8e2, 0x8e2},     {0x115f, 0x1160},    {0x17b4, 0x17b5},   {0x180b, 0x180f},
    {0x200b, 0x200f},   {0x2028, 0x202e},    {0x2060, 0x206f},   {0x2800, 0x2800},
    {0x3164, 0x3164},   {0xe000, 0xf8ff},    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
}};

// The East Asian Wide and Fullwidth blocks, and emoji.
constexpr std::array<Range, 10> kWide{{
    {0x1100, 0x115f},
    {0x2e80, 0xa4cf},
    {0xac00, 0xd7a3},
    {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},
    {0xff00, 0xff60},
    {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f},
    {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd},
}};

constexpr std::array<Range, 5> kCombining{{
    {0x300, 0x36f},
    {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff},
    {0x20d0, 0x20ff},
    {0xfe20, 0xfe2f},
}};

bool is_printable(char32_t c) {
  return !in_ranges(c, kUnprintable) && (c & 0xfffe) != 0xfffe && !(c >= 0xfdd0 && c <= 0xfdef);
}

struct Decoded {
  char32_t code = 0;
  std::size_t size = 0;  // 0: the byte at hand is not the start of a valid sequence
};

std::uint8_t byte_at(std::string_view s, std::size_t i) {
  return static_cast<std::uint8_t>(s[i]);
}

// One character by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
Decoded decode_utf8(std::string_view s) {
  const std::uint8_t lead = byte_at(s, 0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() < size) return {};
  char32_t code = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(s, i) & 0xc0) != 0x80) return {};
    code = (code << 6) | (byte_at(s, i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest.at(size) || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, size};
}

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes)
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(c));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The byte meant by "\xNN" at the start of `s`, when to_valid_utf8 could have written it.
std::optional<char> escaped_byte(std::string_view s) {
  if (s.size() < 4 || s[0] != '\\' || s[1] != 'x') return std::nullopt;
  const int high = hex_digit(s[2]);
  const int low = hex_digit(s[3]);
  if (high < 0 || low < 0) return std::nullopt;
  const int value = high * 16 + low;
  if (value < 0x80 && value != '\\') return std::nullopt;
  return static_cast<char>(static_cast<std::uint8_t>(value));
}

// '0' in the shape stands for any digit.
bool has_shape(std::string_view text, std::string_view shape) {
  const auto fits = [](char c, char s) { return s == '0' ? c >= '0' && c <= '9' : c == s; };
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(), fits);
}

// "" or ".5" to ".123456789" as nanoseconds.
std::optional<std::int64_t> fraction_ns(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] != '.' || text.size() < 2 || text.size() > 10) return std::nullopt;
  std::string digits(text.substr(1));
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  digits.resize(9, '0');
  std::int64_t ns = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), ns);
  return ns;
}

struct Unit {
  std::uint64_t size;
  std::string_view name;
};

}  // namespace

std::string escape_for_terminal(std::string_view bytes, Charset charset) {
  const auto as_it_is = [](char c) { return c >= ' ' && c <= '~' && c != '\\'; };
  if (std::all_of(bytes.begin(), bytes.end(), as_it_is)) return std::string(bytes);
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded c = decode_utf8(bytes);
    const std::size_t size = std::max<std::size_t>(c.size, 1);
    const std::string_view raw = bytes.substr(0, size);
    bytes.remove_prefix(size);
    switch (raw[0]) {
      case '\\': out += "\\\\"; continue;
      case '\n': out += "\\n"; continue;
      case '\t': out += "\\t"; continue;
      case '\r': out += "\\r"; continue;
      case '\x1b': out += "\\e"; continue;
      default: break;
    }
    const bool keep = c.size == 1 || (c.size > 1 && charset == Charset::kUtf8);
    if (keep && is_printable(c.code))
      out += raw;
    else
      append_hex(out, raw);
  }
  return out;
}

std::string quoted_unless_plain(std::string escaped) {
  const bool plain = !escaped.empty() && std::all_of(escaped.begin(), escaped.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0 || std::strchr("_-./:@+%#~=*[]\\", c) != nullptr;
  });
  if (plain) return escaped;
  for (auto at = escaped.find('"'); at != std::string::npos; at = escaped.find('"', at + 4))
    escaped.replace(at, 1, "\\x22");
  return '"' + escaped + '"';
}

std::string name_in_sentence(std::string_view bytes, Charset charset) {
  return quoted_unless_plain(escape_for_terminal(bytes, charset));
}

std::string safe_sentence(std::string_view sentence) {
  std::string out;
  out.reserve(sentence.size());
  for (const char& c : sentence) {
    const bool printable = c >= ' ' && c <= '~';
    if (printable)
      out += c;
    else
      append_hex(out, std::string_view(&c, 1));
  }
  return out;
}

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) {
    const Decoded c = decode_utf8(utf8);
    utf8.remove_prefix(std::max<std::size_t>(c.size, 1));
    if (c.size > 1 && in_ranges(c.code, kCombining)) continue;
    width += c.size > 1 && in_ranges(c.code, kWide) ? 2U : 1U;
  }
  return width;
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded c = decode_utf8(bytes);
    const std::size_t size = std::max<std::size_t>(c.size, 1);
    if (c.size == 0 || escaped_byte(bytes))
      append_hex(out, bytes.substr(0, 1));
    else
      out += bytes.substr(0, size);
    bytes.remove_prefix(size);
  }
  return out;
}

std::string from_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::optional<char> byte = escaped_byte(text);
    out += byte.value_or(text[0]);
    text.remove_prefix(byte ? 4 : 1);
  }
  return out;
}

void append_json_string(std::string& out, std::string_view bytes) {
  static constexpr auto kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = ' '; c <= '~'; ++c) plain.at(c) = c != '"' && c != '\\';
    return plain;
  }();
  const bool plain = std::all_of(bytes.begin(), bytes.end(),
                                 [](char c) { return kPlain[static_cast<std::uint8_t>(c)]; });
  if (!plain) {
    out += nlohmann::json(to_valid_utf8(bytes)).dump(-1, ' ', true);
    return;
  }
  out += '"';
  out += bytes;
  out += '"';
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::uint64_t kKib = 1024;
  if (bytes < 10 * kKib) return thousands(bytes) + " B";
  constexpr std::array<Unit, 6> kUnits{{{kKib, "KiB"},
                                        {kKib << 10, "MiB"},
                                        {kKib << 20, "GiB"},
                                        {kKib << 30, "TiB"},
                                        {kKib << 40, "PiB"},
                                        {kKib << 50, "EiB"}}};
  std::size_t i = 0;
  // 1023.6 KiB would be written "1024 KiB": go up where the rounded figure reaches the next unit.
  while (i + 1 < kUnits.size() &&
         static_cast<double>(bytes) >= 1023.5 * static_cast<double>(kUnits.at(i).size))
    ++i;
  const double value = static_cast<double>(bytes) / static_cast<double>(kUnits.at(i).size);
  const int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::string figure = fmt::format(FMT_COMPILE("{:.{}f}"), value, decimals);
  if (decimals > 0) {
    figure.erase(figure.find_last_not_of('0') + 1);
    if (figure.back() == '.') figure.pop_back();
  }
  figure += ' ';
  figure += kUnits.at(i).name;
  return figure;
}

std::string human_duration(std::uint64_t ns) {
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return fmt::format("{} us", ns / 1'000);
  const auto value = static_cast<double>(ns);
  if (value < 9.995e6) return fmt::format("{:.2f} ms", value / 1e6);
  if (value < 99.95e6) return fmt::format("{:.1f} ms", value / 1e6);
  if (value < 999.5e6) return fmt::format("{:.0f} ms", value / 1e6);
  if (value < 9.995e9) return fmt::format("{:.2f} s", value / 1e9);
  if (value < 59.95e9) return fmt::format("{:.1f} s", value / 1e9);
  const std::uint64_t seconds = (ns + 500'000'000) / 1'000'000'000;
  if (seconds < 3'600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{} h {} min", seconds / 3'600, seconds / 60 % 60);
  return fmt::format("{} d {} h", seconds / 86'400, seconds / 3'600 % 24);
}

std::string thousands(std::uint64_t magnitude, bool negative) {
  std::string out = std::to_string(magnitude);
  for (std::size_t i = out.size(); i > 3; i -= 3) out.insert(i - 3, 1, ',');
  return negative ? "-" + out : out;
}

std::string rfc3339_utc(std::int64_t unix_ns, int digits) {
  using namespace std::chrono;
  // In whole days first: the day before the smallest time has no nanoseconds to count from.
  constexpr std::int64_t kDay = 86'400'000'000'000;
  const std::int64_t rest = unix_ns % kDay;
  const days day{unix_ns / kDay - (rest < 0 ? 1 : 0)};
  const year_month_day date{sys_days{day}};
  const hh_mm_ss time{nanoseconds{rest < 0 ? rest + kDay : rest}};
  std::string out = fmt::format(
      FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}"), int{date.year()}, unsigned{date.month()},
      unsigned{date.day()}, time.hours().count(), time.minutes().count(), time.seconds().count());
  if (digits > 0) {
    const std::string fraction = fmt::format(FMT_COMPILE("{:09}"), time.subseconds().count());
    out += '.' + fraction.substr(0, static_cast<std::size_t>(std::min(digits, 9)));
  }
  return out + 'Z';
}

Result<std::int64_t> parse_rfc3339_utc(std::string_view text) {
  using namespace std::chrono;
  const auto bad = [text] {
    return fail("'" + std::string(text.substr(0, 64)) +
                "' is not a time like 2026-11-23T01:23:45Z");
  };
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (!has_shape(text.substr(0, kShape.size()), kShape) || text.back() != 'Z') return bad();
  const auto number = [text](std::size_t at, std::size_t size) {
    int n = 0;
    std::from_chars(text.data() + at, text.data() + at + size, n);
    return n;
  };
  const auto ns = fraction_ns(text.substr(kShape.size(), text.size() - kShape.size() - 1));
  const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))},
                            day{static_cast<unsigned>(number(8, 2))}};
  const hh_mm_ss time{hours{number(11, 2)} + minutes{number(14, 2)} + seconds{number(17, 2)}};
  // What 64 bits of nanoseconds hold whole: 1678 to 2261.
  const bool in_range = date.ok() && date.year() >= year{1678} && date.year() <= year{2261};
  if (!ns || !in_range || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59)
    return bad();
  const auto when = sys_days{date} + time.to_duration() + nanoseconds{*ns};
  return duration_cast<nanoseconds>(when.time_since_epoch()).count();
}

}  // namespace oomwitness
