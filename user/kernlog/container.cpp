// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/container.h"

#include <algorithm>
#include <array>

#include "kernlog/prefilter.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kNsPerUs = 1000;
constexpr std::uint64_t kMostUs = 9'000'000'000'000'000;

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3fU));
  } else {
    out += static_cast<char>(0xe0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3fU));
    out += static_cast<char>(0x80U | (code & 0x3fU));
  }
}

// The string whose opening quote has been read; its end behind the closing one. npos: it has none.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

void unescape(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (const char code = text[++i]; code) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'u': {
        Scan scan(text.substr(i + 1, 4));
        const auto value = scan.number<unsigned>(16);
        if (value && scan.done()) {
          append_utf8(out, *value);
          i += 4;
        }
        break;
      }
      default: out += code;
    }
  }
}

// "[91, 32, ...]": the bytes of a message that is no valid UTF-8; how far it goes
std::size_t take_bytes(std::string_view text, std::string& out) {
  out.clear();
  Scan scan(text);
  scan.skip("[");
  for (scan.skip_blanks(); !scan.skip("]"); scan.skip_blanks()) {
    const auto byte = scan.number<unsigned>();
    if (!byte || *byte > 255) break;
    out += static_cast<char>(*byte);
    scan.skip_blanks();
    scan.skip(",");
  }
  return text.size() - scan.rest().size();
}

std::optional<WallStamp> from_us(std::string_view value) {
  const auto us = whole_number<std::uint64_t>(value);
  if (!us || *us > kMostUs) return std::nullopt;
  return WallStamp{.civil_ns = static_cast<std::int64_t>(*us) * kNsPerUs, .has_zone = true};
}

}  // namespace

void Wrapped::clear() {
  text.clear();
  host.clear();
  program.clear();
  boot.clear();
  wall.reset();
  uptime_ns = 0;
  has_text = kernel = user_space = record = false;
}

void Wrapped::field(std::string_view name, std::string_view value) {
  constexpr std::array kHosts = {"_HOSTNAME"sv, "hostname"sv, "host"sv};
  constexpr std::array kTimes = {"time"sv, "timestamp"sv, "@timestamp"sv, "ts"sv};
  if (is_one_of(name, kHosts)) {
    if (host.empty()) host = value;
  } else if (name == "_BOOT_ID") {
    boot = value;
  } else if (name == "_TRANSPORT") {
    kernel = value == "kernel";
    record = kernel;
    user_space = user_space || !kernel;
  } else if (name == "SYSLOG_IDENTIFIER") {
    user_space = user_space || value != "kernel";
    program = value;
  } else if (name == "SYSLOG_FACILITY") {
    user_space = user_space || value != "0";
  } else if (name == "__REALTIME_TIMESTAMP") {
    if (const auto stamp = from_us(value)) wall = stamp;
  } else if (name == "_SOURCE_MONOTONIC_TIMESTAMP" ||
             (name == "__MONOTONIC_TIMESTAMP" && uptime_ns == 0)) {
    const auto us = whole_number<std::uint64_t>(value);
    if (us && *us < kMostUs) uptime_ns = *us * 1000;
  } else if (is_one_of(name, kTimes) && !wall) {
    Scan scan(value);
    WallStamp stamp;
    if (take_iso8601(scan, stamp)) wall = stamp;
  }
}

namespace {

// The string that begins at `at`, as a key or as the value of `key`. Where it ends; npos: nowhere.
std::size_t take_string(std::string_view line, std::size_t at, bool is_text, std::string_view& key,
                        Wrapped& out) {
  const std::size_t end = end_of_string(line, at + 1);
  if (end == std::string_view::npos) return end;
  const std::string_view string = line.substr(at + 1, end - at - 2);
  const std::size_t next = line.find_first_not_of(" \t", end);
  if (next != std::string_view::npos && line[next] == ':') {
    key = string;
    return next + 1;
  }
  if (is_text) {
    unescape(string, out.text);
    out.has_text = true;
  } else {
    out.field(key, string);
  }
  key = {};
  return end;
}

}  // namespace

bool parse_json_line(std::string_view line, Wrapped& out) {
  constexpr std::array kTexts = {"MESSAGE"sv,     "message"sv, "log"sv, "msg"sv,
                                 "textPayload"sv, "text"sv,    "line"sv};
  out.clear();
  std::size_t at = 0;
  std::string_view key;
  // Nested objects are looked into: collectors put the message at various depths.
  while ((at = line.find_first_of("\"[,{}0123456789", at)) != std::string_view::npos) {
    const char first = line[at];
    const bool is_text = !out.has_text && is_one_of(key, kTexts);
    if (first == '"') {
      at = take_string(line, at, is_text, key, out);
      if (at == std::string_view::npos) break;
      continue;
    }
    if (first == '[' && is_text) {
      at += take_bytes(line.substr(at), out.text);
      out.has_text = true;
    } else if (is_digit(first)) {
      const std::size_t end = line.find_first_not_of("0123456789.+-eE", at);
      out.field(key, line.substr(at, end - at));
      at = end == std::string_view::npos ? line.size() : end;
    } else {
      ++at;
    }
    if (first != '[' && first != '{') key = {};
  }
  while (out.text.ends_with('\n') || out.text.ends_with('\r')) out.text.pop_back();
  return out.has_text;
}

// "__CURSOR=s=...", "Mon 2024-01-01 00:00:00.123456 CET [s=...;i=...;b=...]"
bool JournalFields::begins_entry(std::string_view text) {
  if (text.starts_with("__CURSOR=")) return true;
  return text.ends_with(']') && text.find(" [s=") != std::string_view::npos &&
         text.find(";i=") != std::string_view::npos;
}

bool JournalFields::finish() {
  const bool has = in_entry_ && open_.has_text;
  if (has) std::swap(open_, done_);
  open_.clear();
  in_entry_ = in_message_ = wanted_ = false;
  return has;
}

JournalFields::Seen JournalFields::line(std::string_view text) {
  if (begins_entry(text)) {
    const bool has = finish();
    in_entry_ = true;
    Scan scan(text);
    WallStamp wall;
    scan.word();
    scan.skip_blanks();
    if (take_iso8601(scan, wall)) open_.wall = wall;
    return has ? Seen::kEntry : Seen::kTaken;
  }
  if (!in_entry_) return Seen::kOther;
  wanted_ = wanted_ || find_anchor(text, 0) != std::string_view::npos;
  const std::string_view field = trimmed_left(text);
  if (field.empty()) return finish() ? Seen::kEntry : Seen::kTaken;
  const std::size_t equals = field.find('=');
  const bool named = equals != std::string_view::npos &&
                     field.substr(0, equals).find_first_not_of(
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == std::string_view::npos;
  if (!named) {
    // A further line of the message, which journalctl indents.
    if (in_message_) open_.text.append("\n").append(field);
    return Seen::kTaken;
  }
  in_message_ = field.starts_with("MESSAGE=");
  if (in_message_) {
    open_.text = field.substr(equals + 1);
    open_.has_text = true;
  } else {
    open_.field(field.substr(0, equals), field.substr(equals + 1));
  }
  return Seen::kTaken;
}

bool JournalFields::flush() {
  return finish();
}

}  // namespace oomwitness
