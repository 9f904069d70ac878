// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "support/text.h"

namespace oomwitness {

// The public header does not know toml++: a node is what this points to.
struct ConfigNode {
  const toml::table* table = nullptr;
};

struct ConfigState {
  std::string path;
  toml::table root;
  std::map<const toml::table*, std::unique_ptr<ConfigNode>> nodes;
  std::set<const toml::node*> asked;
  std::map<std::uint32_t, std::string> errors;  // by line

  const ConfigNode* node(const toml::table* table) {
    auto& node = nodes[table];
    if (!node) node = std::make_unique<ConfigNode>(ConfigNode{table});
    return node.get();
  }
  void refuse(std::uint32_t line, const std::string& what) { errors.emplace(line, what); }
};

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t scale;
};

constexpr std::array kTimes{Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000},
                            Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000},
                            Unit{"d", 86'400'000'000'000}};
constexpr std::array kSizes{Unit{"B", 1}, Unit{"KiB", 1U << 10U}, Unit{"MiB", 1U << 20U},
                            Unit{"GiB", 1U << 30U}, Unit{"TiB", 1ULL << 40U}};

// A whole number and a unit, without overflow.
template <std::size_t N>
std::optional<std::uint64_t> measured(std::string_view text, const std::array<Unit, N>& units) {
  std::uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  std::string_view name(rest, static_cast<std::size_t>(end - rest));
  while (name.starts_with(' ')) name.remove_prefix(1);
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [name](const Unit& one) { return one.name == name; });
  if (error != std::errc{} || unit == units.end()) return std::nullopt;
  constexpr std::uint64_t kMost = INT64_MAX;
  if (count > kMost / unit->scale) return std::nullopt;
  return count * unit->scale;
}

std::string dotted(const std::string& section, std::string_view key) {
  return section.empty() ? std::string(key) : section + "." + std::string(key);
}

std::string quoted(std::string_view text) {
  return "'" + escape_for_terminal(text) + "'";
}

const toml::node* find(ConfigState& state, const ConfigNode* node, std::string_view key) {
  if (node == nullptr) return nullptr;
  const toml::node* found = node->table->get(key);
  if (found != nullptr) state.asked.insert(found);
  return found;
}

// As deep as TOML was parsed: toml++ refuses more than 256 levels.
// NOLINTNEXTLINE(misc-no-recursion)
void name_unknown(ConfigState& state, const toml::table& table, const std::string& name) {
  for (const auto& [key, value] : table) {
    const std::string path = dotted(name, key.str());
    if (!state.asked.contains(&value)) {
      state.refuse(key.source().begin.line, "unknown key " + quoted(path));
      continue;
    }
    if (const auto* inner = value.as_table()) name_unknown(state, *inner, path);
    if (const auto* list = value.as_array()) {
      for (const auto& item : *list)
        if (const auto* inner = item.as_table()) name_unknown(state, *inner, path);
    }
  }
}

}  // namespace

std::uint32_t ConfigSection::line() const {
  return node_ != nullptr ? node_->table->source().begin.line : 0;
}

void ConfigSection::refuse(std::string_view key, const std::string& why) {
  const toml::node* found = find(*state_, node_, key);
  state_->refuse(found != nullptr ? found->source().begin.line : line(),
                 quoted(dotted(name_, key)) + ": " + why);
}

std::optional<std::string> ConfigSection::text(std::string_view key) {
  const toml::node* found = find(*state_, node_, key);
  if (found == nullptr) return std::nullopt;
  auto value = found->value_exact<std::string>();
  if (!value) refuse(key, "expected text in quotes");
  return value;
}

std::optional<std::string> ConfigSection::word(std::string_view key,
                                               const std::vector<std::string>& words) {
  auto value = text(key);
  if (!value || std::find(words.begin(), words.end(), *value) != words.end()) return value;
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "\"" : ", \"") + word + "\"";
  refuse(key, quoted(*value) + " is none of " + list);
  return std::nullopt;
}

std::vector<std::string> ConfigSection::texts(std::string_view key) {
  const toml::node* found = find(*state_, node_, key);
  std::vector<std::string> values;
  if (found == nullptr) return values;
  const toml::array* list = found->as_array();
  if (list == nullptr) {
    refuse(key, "expected a list of texts: [\"...\"]");
    return values;
  }
  for (const toml::node& item : *list) {
    const auto value = item.value_exact<std::string>();
    if (value)
      values.push_back(*value);
    else
      refuse(key, "expected texts in quotes");
  }
  return values;
}

std::optional<bool> ConfigSection::flag(std::string_view key) {
  const toml::node* found = find(*state_, node_, key);
  if (found == nullptr) return std::nullopt;
  const auto value = found->value_exact<bool>();
  if (!value) refuse(key, "expected true or false");
  return value;
}

std::optional<std::int64_t> ConfigSection::number(std::string_view key, std::int64_t least,
                                                  std::int64_t most) {
  const toml::node* found = find(*state_, node_, key);
  if (found == nullptr) return std::nullopt;
  const auto value = found->value_exact<std::int64_t>();
  if (value && *value >= least && *value <= most) return value;
  refuse(key, "expected a number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> ConfigSection::duration(std::string_view key) {
  const auto value = text(key);
  if (!value) return std::nullopt;
  const auto ns = measured(*value, kTimes);
  if (ns) return std::chrono::nanoseconds(static_cast<std::int64_t>(*ns));
  refuse(key, quoted(*value) + " is not a duration: a whole number with ms, s, m, h or d");
  return std::nullopt;
}

std::optional<std::uint64_t> ConfigSection::size(std::string_view key) {
  const auto value = text(key);
  if (!value) return std::nullopt;
  const auto bytes = measured(*value, kSizes);
  if (!bytes)
    refuse(key, quoted(*value) + " is not a size: a whole number with B, KiB, MiB, GiB or TiB");
  return bytes;
}

ConfigSection ConfigSection::section(std::string_view key) {
  const toml::node* found = find(*state_, node_, key);
  const toml::table* table = found != nullptr ? found->as_table() : nullptr;
  if (found != nullptr && table == nullptr)
    refuse(key, "expected a table: [" + std::string(key) + "]");
  return {state_, table != nullptr ? state_->node(table) : nullptr, dotted(name_, key)};
}

std::vector<ConfigSection> ConfigSection::sections(std::string_view key) {
  const toml::node* found = find(*state_, node_, key);
  std::vector<ConfigSection> all;
  if (found == nullptr) return all;
  const toml::array* list = found->as_array();
  if (list == nullptr || !list->is_homogeneous<toml::table>()) {
    refuse(key, "expected tables: [[" + std::string(key) + "]]");
    return all;
  }
  for (const toml::node& item : *list)
    all.emplace_back(state_, state_->node(item.as_table()), dotted(name_, key));
  return all;
}

Result<ConfigFile> ConfigFile::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int error = errno;
    return fail(error, "open " + path);
  }
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad() || (!text && file.peek() != std::ifstream::traits_type::eof()))
    return fail(EIO, "read " + path);
  return parse(text.str(), path);
}

Result<ConfigFile> ConfigFile::parse(std::string_view text, const std::string& path) {
  toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return fail(path + ":" + std::to_string(error.source().begin.line) + ": " +
                    escape_for_terminal(error.description()),
                "this is TOML (toml.io): key = value below [section]");
  }
  auto state = std::make_shared<ConfigState>();
  state->path = path;
  state->root = std::move(parsed).table();
  return ConfigFile(std::move(state));
}

ConfigSection ConfigFile::top() const {
  return {state_, state_->node(&state_->root), ""};
}

Status ConfigFile::finish() const {
  name_unknown(*state_, state_->root, "");
  if (state_->errors.empty()) return {};
  const auto& [line, what] = *state_->errors.begin();
  return fail(state_->path + ":" + std::to_string(line) + ": " + what,
              "oomwitness-agent.toml(5) lists every key");
}

}  // namespace oomwitness
