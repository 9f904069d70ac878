// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/task_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "kernlog/scan.h"

namespace oomwitness {

namespace {

constexpr std::size_t kMaxTasks = 1024;

template <typename To>
Opt<To> as(std::int64_t value) {
  return std::in_range<To>(value) ? Opt<To>(static_cast<To>(value)) : std::nullopt;
}

}  // namespace

TaskTable::TaskTable(std::string_view head) {
  using namespace std::string_view_literals;
  constexpr std::array kNames = {
      std::pair{"uid"sv, Column::kUid},           std::pair{"tgid"sv, Column::kTgid},
      std::pair{"total_vm"sv, Column::kTotalVm},  std::pair{"rss"sv, Column::kRss},
      std::pair{"swapents"sv, Column::kSwap},     std::pair{"pgtables_bytes"sv, Column::kPgtables},
      std::pair{"oom_score_adj"sv, Column::kAdj},
  };
  const std::size_t bracket = head.find(']');
  if (bracket == std::string_view::npos) return;
  Scan scan(head.substr(bracket + 1));
  for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
    const std::string_view word = scan.word();
    if (word == "name") {
      scan.skip_blanks();
      known_ = scan.done();
      return;
    }
    const auto* const named = std::find_if(kNames.begin(), kNames.end(),
                                           [&](const auto& one) { return one.first == word; });
    columns_.push_back(named == kNames.end() ? Column::kOther : named->second);
  }
}

void TaskTable::add_row(std::string_view text) {
  if (!known_) return;
  Scan scan(text);
  if (!scan.skip("[")) return;
  scan.skip_blanks();
  const auto tid = scan.number<std::uint32_t>();
  if (!tid || !scan.skip("]")) return;
  LogTask task;
  task.tid = *tid;
  for (const Column column : columns_) {
    scan.skip_blanks();
    const auto value = scan.number<std::int64_t>();
    if (!value) return;
    switch (column) {
      case Column::kOther: break;
      case Column::kUid: task.uid = as<std::uint32_t>(*value); break;
      case Column::kTgid: task.pid = as<std::uint32_t>(*value); break;
      case Column::kTotalVm: task.total_vm_pages = as<std::uint64_t>(*value); break;
      case Column::kRss: task.rss_pages = as<std::uint64_t>(*value); break;
      case Column::kSwap: task.swap_pages = as<std::uint64_t>(*value); break;
      case Column::kPgtables: task.pgtables_bytes = as<std::uint64_t>(*value); break;
      case Column::kAdj: task.oom_score_adj = as<std::int32_t>(*value); break;
    }
  }
  if (!scan.skip(" ")) return;
  task.comm = scan.rest();  // may begin with blanks of its own
  ++rows_;
  if (tasks_.size() < kMaxTasks) tasks_.push_back(std::move(task));
}

const LogTask* TaskTable::find(std::uint32_t tid) const {
  const auto at = std::find_if(tasks_.begin(), tasks_.end(),
                               [&](const LogTask& task) { return task.tid == tid; });
  return at == tasks_.end() ? nullptr : &*at;
}

}  // namespace oomwitness
