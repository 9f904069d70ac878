// SPDX-License-Identifier: BSD-2-Clause
// The reading half of json.cpp: from the tree of a JSON library into a model, by its table of keys
// (fields(io, model) as in json_fields.h).
#pragma once

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "incident/json_writer.h"
#include "support/text.h"

namespace oomwitness::json_codec {

using Json = nlohmann::ordered_json;

// Reads one object; the first failure is kept, with the path to it, and ends the reading.
class Reader {
 public:
  Reader(const Json& in, std::string path, Opt<std::string>& error)
      : in_(in), path_(std::move(path)), error_(error) {}

  template <typename T>
  void operator()(const char* key, T& value) {
    // A number that cannot be absent in the model must not become a zero that nobody measured.
    if (Integer<T> && !in_.contains(key)) return missing(key);
    always(key, value);
  }
  template <typename T>
  void always(const char* key, T& value) {
    if (error_) return;
    if (const auto found = in_.find(key); found != in_.end()) decode(*found, at(key), value);
  }
  void nonzero(const char* key, std::uint64_t& value) { always(key, value); }
  void hex(const char* key, std::uint64_t& value) {
    Opt<std::string> text;
    (*this)(key, text);
    if (!text) return missing(key);
    if (const Opt<std::uint64_t> number = parse_hex(*text))
      value = *number;
    else
      expected(at(key), "a hexadecimal number like 0xcc0", "'" + text->substr(0, 32) + "'");
  }
  void time(const char* key, Opt<std::int64_t>& unix_ns) {
    Opt<std::string> text;
    (*this)(key, text);
    if (!text) return;
    if (const Result<std::int64_t> when = parse_rfc3339_utc(*text))
      unix_ns = *when;
    else
      expected(at(key), "a time in UTC", when.error().context());
  }
  void time(const char* key, std::int64_t& unix_ns) {
    Opt<std::int64_t> when;
    time(key, when);
    unix_ns = when.value_or(0);
  }

 private:
  std::string at(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }

  void missing(const char* key) {
    if (!error_) error_ = at(key) + ": missing";
  }

  void expected(const std::string& path, std::string_view what, std::string_view found) {
    if (!error_) error_ = fmt::format("{}: expected {}, found {}", path, what, found);
  }

  static Opt<std::uint64_t> parse_hex(std::string_view text) {
    if (!text.starts_with("0x")) return std::nullopt;
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data() + 2, end, value, 16);
    if (failure != std::errc{} || stop != end) return std::nullopt;
    return value;
  }

  template <Integer T>
  void decode(const Json& in, const std::string& path, T& value) {
    const auto keep = [&](auto number) {
      if (std::in_range<T>(number))
        value = static_cast<T>(number);
      else
        expected(
            path,
            fmt::format("{}..{}", std::numeric_limits<T>::min(), std::numeric_limits<T>::max()),
            fmt::format("{}", number));
    };
    if (const auto* number = in.get_ptr<const Json::number_unsigned_t*>())
      keep(*number);
    else if (const auto* negative = in.get_ptr<const Json::number_integer_t*>())
      keep(*negative);
    else
      expected(path, "an integer", in.type_name());
  }
  void decode(const Json& in, const std::string& path, bool& value) {
    if (in.is_boolean())
      value = in.get<bool>();
    else
      expected(path, "true or false", in.type_name());
  }
  void decode(const Json& in, const std::string& path, std::string& value) {
    if (const auto* text = in.get_ptr<const std::string*>())
      value = from_valid_utf8(*text);
    else
      expected(path, "a string", in.type_name());
  }
  void decode(const Json& in, const std::string& path, Role& role) {
    std::string name;
    decode(in, path, name);
    const auto* const found = std::find_if(kRoles.begin(), kRoles.end(),
                                           [&name](const auto& r) { return r.second == name; });
    if (found != kRoles.end())
      role = found->first;
    else
      expected(path, "a victim's role", "'" + name.substr(0, 32) + "'");
  }
  void decode(const Json& in, const std::string& path, Confidence& confidence) {
    std::string name;
    decode(in, path, name);
    const auto* const found = std::find_if(kConfidences.begin(), kConfidences.end(),
                                           [&name](const auto& c) { return c.second == name; });
    if (found != kConfidences.end())
      confidence = found->first;
    else
      expected(path, "low, medium or high", "'" + name.substr(0, 32) + "'");
  }
  void decode(const Json& in, const std::string& path, Growth& shape) {
    std::string name;
    decode(in, path, name);
    const auto* const found = std::find_if(kGrowths.begin(), kGrowths.end(),
                                           [&name](const auto& g) { return g.second == name; });
    if (found != kGrowths.end())
      shape = found->first;
    else
      expected(path, "leak, burst or plateau", "'" + name.substr(0, 32) + "'");
  }
  void decode(const Json& in, const std::string& path, HistorySample& sample) {
    if (!in.is_object()) return expected(path, "an object", in.type_name());
    if (!in.contains(kSampleTime)) return expected(path, kSampleTime, "none");
    decode(in, path, sample.values);
    const auto time = sample.values.extract(kSampleTime);
    if (!time.empty()) sample.monotonic_ns = time.mapped();
  }
  // An enumeration with a `bool from_name(std::string_view, E&)` of its own.
  void decode(const Json& in, const std::string& path, Named auto& value) {
    std::string name;
    decode(in, path, name);
    if (!from_name(name, value))
      expected(path, "a name of the schema", "'" + name.substr(0, 32) + "'");
  }
  void decode(const Json& in, const std::string& path, KernelFrame& frame) {
    decode(in, path, frame.symbol);
    if (const Opt<std::uint64_t> address = parse_hex(frame.symbol)) frame = {*address, {}};
  }
  template <typename T>
  void decode(const Json& in, const std::string& path, Opt<T>& value) {
    decode(in, path, value.emplace());
  }
  template <typename T>
  void decode(const Json& in, const std::string& path, std::vector<T>& values) {
    if (!in.is_array()) return expected(path, "an array", in.type_name());
    for (const Json& element : in) {
      if (error_) return;
      const std::string place = fmt::format("{}[{}]", path, values.size());
      decode(element, place, values.emplace_back());
    }
  }
  template <typename T>
  void decode(const Json& in, const std::string& path, std::map<std::string, T>& values) {
    if (!in.is_object()) return expected(path, "an object", in.type_name());
    for (const auto& [key, value] : in.items()) {
      if (error_) return;
      decode(value, fmt::format("{}.{}", path, key), values[from_valid_utf8(key)]);
    }
  }
  template <typename T>
  requires std::is_class_v<T>
  void decode(const Json& in, const std::string& path, T& object) {
    if (!in.is_object()) return expected(path, "an object", in.type_name());
    Reader reader(in, path, error_);
    fields(reader, object);
  }

  const Json& in_;
  std::string path_;
  Opt<std::string>& error_;
};

}  // namespace oomwitness::json_codec
