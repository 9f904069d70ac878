// SPDX-License-Identifier: BSD-2-Clause
// Bytes and numbers as text for people and for JSON. Pure.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace oomwitness {

enum class Charset { kAscii, kUtf8 };

// Hostile bytes for a terminal: one line, nothing a terminal acts on, every byte recoverable.
// Printable ASCII and, with kUtf8, printable characters stay; a backslash becomes two; tab,
// newline, carriage return and ESC become \t \n \r \e; every other byte (controls, C1, invalid
// UTF-8, bidirectional and zero-width controls, private use) becomes \xNN.
std::string escape_for_terminal(std::string_view bytes, Charset charset = Charset::kUtf8);

// The same for a name inside a sentence: in quotes when it holds more than names do, so that no
// process can write its own end of the sentence.
std::string name_in_sentence(std::string_view bytes, Charset charset = Charset::kUtf8);
// Escaped text as such a name: quoted where needed.
std::string quoted_unless_plain(std::string escaped);

// A sentence whose names have been escaped when it was made, read back from a record: printable
// ASCII stays, backslashes too; any other byte becomes \xNN.
std::string safe_sentence(std::string_view sentence);

// Columns a terminal uses for escaped text: wide East Asian characters take 2, combining marks 0.
std::size_t display_width(std::string_view utf8);

// Bytes as valid UTF-8 that gives the bytes back: a byte that is not part of valid UTF-8 becomes
// the four characters \xNN (lower case, always 80..ff), and a backslash that already stands before
// x5c or x80..xff becomes \x5c. Everything else, systemd's \x2d included, stays as it is.
std::string to_valid_utf8(std::string_view bytes);
std::string from_valid_utf8(std::string_view text);
// Those bytes as a JSON string in ASCII, quotes included; other characters are written \uNNNN.
void append_json_string(std::string& out, std::string_view bytes);

// "9,216 B" below 10 KiB, then three digits: "101 MiB", "1.46 GiB", "129 GiB".
std::string human_size(std::uint64_t bytes);

// A size as people and cgroup files write it: "1048576", "512M", "1.5G", "300MiB", "2GB"; K, M, G
// and T are powers of 1024 whatever stands behind them. Nothing for anything else, for 0 and for
// more than 2^62.
std::optional<std::uint64_t> parse_size(std::string_view text);

// "850 ns", "312 us", "3.42 ms", "2.03 s", "1 min 12 s", "2 h 5 min", "3 d 4 h".
std::string human_duration(std::uint64_t ns);

// "1,234,567"
std::string thousands(std::uint64_t magnitude, bool negative);
template <std::integral T>
std::string thousands(T n) {
  if constexpr (std::signed_integral<T>)
    // Negating in unsigned arithmetic is defined for the smallest value too.
    return thousands(n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n),
                     n < 0);
  else
    return thousands(static_cast<std::uint64_t>(n), false);
}

// RFC 3339 in UTC with `digits` (0..9) of the second, cut, not rounded:
// "2026-11-23T01:23:45.123456789Z".
std::string rfc3339_utc(std::int64_t unix_ns, int digits = 9);
// The same back, any number of digits up to 9. Only "Z": we never write another offset.
Result<std::int64_t> parse_rfc3339_utc(std::string_view text);

// Overwrites with '*', in place and in length, what looks like a secret in a command line: values
// of options and variables named like passwords, tokens, API and private keys; passwords in URLs,
// HTTP authorisation headers; JWTs and the key shapes of common services. Returns how many
// arguments it changed. Ordinary arguments (paths, --max-tokens=5, --password-file=F) stay.
std::size_t redact_argv(std::vector<std::string>& argv);
// The same on /proc/PID/cmdline's form; the last argument may be cut.
std::size_t redact_argv_bytes(std::span<char> nul_separated);

}  // namespace oomwitness
