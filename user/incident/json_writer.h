// SPDX-License-Identifier: BSD-2-Clause
// The writing half of json.cpp: straight into text, since half of what a kill cost the tracer was
// the tree of a JSON library. What a string's bytes become is still the library's.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "incident/json_fields.h"
#include "support/text.h"

namespace oomwitness::json_codec {

constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles{{
    {Role::kChosen, "chosen"},
    {Role::kGroup, "group"},
    {Role::kSharedMm, "shared-mm"},
    {Role::kAlreadyExiting, "already-exiting"},
    {Role::kChild, "child"},
}};

constexpr std::array<std::pair<Confidence, std::string_view>, 3> kConfidences{{
    {Confidence::kLow, "low"},
    {Confidence::kMedium, "medium"},
    {Confidence::kHigh, "high"},
}};

constexpr std::array<std::pair<Growth, std::string_view>, 3> kGrowths{{
    {Growth::kLeak, "leak"},
    {Growth::kBurst, "burst"},
    {Growth::kPlateau, "plateau"},
}};

constexpr const char* kSampleTime = "monotonic_ns";

// Empty: it has none.
template <typename T, std::size_t N>
std::string_view name_of(T value, const std::array<std::pair<T, std::string_view>, N>& names) {
  const auto* const found =
      std::find_if(names.begin(), names.end(), [value](const auto& n) { return n.first == value; });
  return found == names.end() ? std::string_view{} : found->second;
}
inline std::string_view name_of(Role role) {
  return name_of(role, kRoles);
}
inline std::string_view name_of(Confidence confidence) {
  return name_of(confidence, kConfidences);
}

inline std::string_view name_of(Growth shape) {
  return name_of(shape, kGrowths);
}

template <typename T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;
template <typename T>
concept Named = std::is_enum_v<T>;

// Whether an object has anything to write.
class Presence {
 public:
  template <typename T>
  void operator()(const char*, const T& value) {
    any_ = any_ || is_there(value);
  }
  template <typename T>
  void always(const char*, const T&) {
    any_ = true;
  }
  void nonzero(const char*, std::uint64_t value) { any_ = any_ || value != 0; }
  void hex(const char*, std::uint64_t) { any_ = true; }
  void time(const char*, std::int64_t unix_ns) { any_ = any_ || unix_ns != 0; }
  void time(const char*, const Opt<std::int64_t>& unix_ns) { any_ = any_ || unix_ns.has_value(); }

  static bool is_there(Integer auto) { return true; }
  static bool is_there(bool value) { return value; }
  static bool is_there(const std::string& value) { return !value.empty(); }
  static bool is_there(Named auto value) { return !name_of(value).empty(); }
  // A value that is there is written even when it is false or empty; an argv without arguments is
  // a fact, unlike an empty list elsewhere.
  static bool is_there(const Opt<bool>& value) { return value.has_value(); }
  static bool is_there(const Opt<std::string>& value) { return value.has_value(); }
  static bool is_there(const Opt<std::vector<std::string>>& value) { return value.has_value(); }
  template <typename T>
  static bool is_there(const Opt<T>& value) {
    return value && is_there(*value);
  }
  template <typename T>
  static bool is_there(const std::vector<T>& values) {
    return !values.empty();
  }
  template <typename T>
  static bool is_there(const std::map<std::string, T>& values) {
    return !values.empty();
  }
  template <typename T>
  requires std::is_class_v<T>
  static bool is_there(const T& object) {
    Presence presence;
    fields(presence, object);
    return presence.any_;
  }

 private:
  bool any_ = false;
};

// One object: from its '{' to the end of its last field. close() ends it.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }

  template <typename T>
  void operator()(const char* key, const T& value) {
    if (Presence::is_there(value)) always(key, value);
  }
  template <typename T>
  void always(const char* key, const T& value) {
    name(key);
    put(value);
  }
  void nonzero(const char* key, std::uint64_t value) {
    if (value != 0) always(key, value);
  }
  void hex(const char* key, std::uint64_t value) {
    name(key);
    put_hex(value);
  }
  void time(const char* key, std::int64_t unix_ns) {
    if (unix_ns != 0) always(key, rfc3339_utc(unix_ns));
  }
  void time(const char* key, const Opt<std::int64_t>& unix_ns) {
    if (unix_ns) always(key, rfc3339_utc(*unix_ns));
  }

 private:
  void separate() {
    if (out_.back() != '{' && out_.back() != '[') out_ += ',';
  }
  void name(std::string_view key) {
    out_ += out_.back() == '{' ? "\"" : ",\"";
    out_ += key;
    out_ += "\":";
  }
  void put_hex(std::uint64_t value) {
    fmt::format_to(std::back_inserter(out_), "\"{:#x}\"", value);
  }

  void put(Integer auto value) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    out_.append(digits.begin(), end);
  }
  void put(bool value) { out_ += value ? "true" : "false"; }
  void put(const std::string& value) { append_json_string(out_, value); }
  void put(Named auto value) { append_json_string(out_, name_of(value)); }
  // Its values stand beside its time: a sample is one flat row.
  void put(const HistorySample& sample) {
    out_ += '{';
    name(kSampleTime);
    put(sample.monotonic_ns);
    for (const auto& [key, value] : sample.values) {
      separate();
      put(key);
      out_ += ':';
      put(value);
    }
    out_ += '}';
  }
  void put(const KernelFrame& frame) {
    if (frame.symbol.empty())
      put_hex(frame.address);
    else
      put(frame.symbol);
  }
  template <typename T>
  void put(const Opt<T>& value) {
    if (value)
      put(*value);
    else
      out_ += "null";
  }
  template <typename T>
  void put(const std::vector<T>& values) {
    out_ += '[';
    for (const T& value : values) {
      separate();
      put(value);
    }
    out_ += ']';
  }
  template <typename T>
  void put(const std::map<std::string, T>& values) {
    out_ += '{';
    for (const auto& [key, value] : values) {
      separate();
      put(key);
      out_ += ':';
      put(value);
    }
    out_ += '}';
  }
  template <typename T>
  requires std::is_class_v<T>
  void put(const T& object) {
    Writer writer(out_);
    fields(writer, object);
    writer.close();
  }

  std::string& out_;
};

}  // namespace oomwitness::json_codec
