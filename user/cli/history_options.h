// SPDX-License-Identifier: BSD-2-Clause
// The command line of oomwitness-history as validated values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>

#include "cli/early_exit.h"
#include "store/query.h"

namespace oomwitness {

enum class HistoryFormat { kTable, kJson, kCsv };

struct HistoryCommand {
  std::string store;
  HistoryQuery query;
  HistoryFormat format = HistoryFormat::kTable;
  std::optional<std::string> explain;  // the beginning of the id to explain, instead of a list
};

std::variant<HistoryCommand, EarlyExit> parse_history(std::span<const char* const> argv);

}  // namespace oomwitness
