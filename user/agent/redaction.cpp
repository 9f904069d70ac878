// SPDX-License-Identifier: BSD-2-Clause
#include "agent/redaction.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace oomwitness {
namespace {

char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view without_dashes(std::string_view name) {
  while (name.starts_with('-')) name.remove_prefix(1);
  return name;
}

bool is_named(std::string_view name, const std::vector<std::string>& names) {
  name = without_dashes(name);
  const std::string_view property = name.starts_with('D') ? name.substr(1) : name;  // java -Dname
  return std::any_of(names.begin(), names.end(), [&](const std::string& wanted) {
    const std::string_view bare = without_dashes(wanted);
    return same(name, bare) || same(property, bare);
  });
}

void mask(std::string& text, std::size_t from = 0) {
  std::fill(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), '*');
}

void redact(std::vector<std::string>& argv, const RedactConfig& rules) {
  bool value_follows = false;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    std::string& argument = argv[i];
    if (rules.all && i > 0) {
      mask(argument);
      continue;
    }
    if (std::exchange(value_follows, false)) {
      mask(argument);
      continue;
    }
    const std::size_t equals = argument.find('=');
    if (!is_named(std::string_view(argument).substr(0, equals), rules.names)) continue;
    if (equals != std::string::npos)
      mask(argument, equals + 1);
    else
      value_follows = argument.starts_with('-');
  }
}

}  // namespace

void redact(Incident& incident, const RedactConfig& rules) {
  if (rules.names.empty() && !rules.all) return;
  for (Victim& victim : incident.victims)
    if (victim.cmdline) redact(*victim.cmdline, rules);
}

}  // namespace oomwitness
