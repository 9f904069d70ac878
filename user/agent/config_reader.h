// SPDX-License-Identifier: BSD-2-Clause
// TOML as typed values. Whatever is asked for counts as known; what nobody asked for is an error,
// and so is a value of the wrong type or range. Each error has its line.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace oomwitness {

struct ConfigState;
struct ConfigNode;

// A table of the file, or one that is not there: then nothing in it is either. The values are
// absent where the key is, and where it was an error, which finish() tells.
class ConfigSection {
 public:
  ConfigSection(std::shared_ptr<ConfigState> state, const ConfigNode* node, std::string name)
      : state_(std::move(state)), node_(node), name_(std::move(name)) {}

  bool exists() const { return node_ != nullptr; }
  std::uint32_t line() const;  // 0: it is not there

  std::optional<std::string> text(std::string_view key);
  // One of the words given.
  std::optional<std::string> word(std::string_view key, const std::vector<std::string>& words);
  std::vector<std::string> texts(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  std::optional<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most);
  // "500ms", "10s", "5m", "2h", "90d".
  std::optional<std::chrono::nanoseconds> duration(std::string_view key);
  // Bytes: "512MiB", "64KiB", "1GiB", "1000B".
  std::optional<std::uint64_t> size(std::string_view key);

  ConfigSection section(std::string_view key);
  // [[key]]: an array of tables.
  std::vector<ConfigSection> sections(std::string_view key);
  // A value that is right by itself and not in its place.
  void refuse(std::string_view key, const std::string& why);

 private:
  std::shared_ptr<ConfigState> state_;
  const ConfigNode* node_;
  std::string name_;  // for messages: "store", "exporter.otlp"
};

class ConfigFile {
 public:
  // Errors: the file cannot be read, or is no TOML.
  static Result<ConfigFile> read(const std::string& path);
  static Result<ConfigFile> parse(std::string_view text, const std::string& path);

  ConfigSection top() const;
  // After everything has been asked for: the first error of the file, if any.
  Status finish() const;

 private:
  explicit ConfigFile(std::shared_ptr<ConfigState> state) : state_(std::move(state)) {}
  std::shared_ptr<ConfigState> state_;
};

}  // namespace oomwitness
