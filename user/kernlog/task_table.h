// SPDX-License-Identifier: BSD-2-Clause
// The table of tasks in a report (dump_tasks, mm/oom_kill.c). Its columns change between kernels
// (6.8 added three in the middle), so the head says where each is.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "assemble/observation.h"

namespace oomwitness {

class TaskTable {
 public:
  // `head`: "[  pid  ]   uid  tgid total_vm ... name"
  explicit TaskTable(std::string_view head);

  // A row without all its columns is not counted.
  void add_row(std::string_view text);

  std::uint64_t rows() const { return rows_; }
  // find() knows every row.
  bool is_whole() const { return rows_ == tasks_.size(); }
  // The first 1024.
  std::vector<LogTask>&& take_tasks() && { return std::move(tasks_); }
  const LogTask* find(std::uint32_t tid) const;

 private:
  enum class Column { kOther, kUid, kTgid, kTotalVm, kRss, kSwap, kPgtables, kAdj };

  std::vector<Column> columns_;  // between the pid and the name
  bool known_ = false;           // the head has been understood
  std::uint64_t rows_ = 0;
  std::vector<LogTask> tasks_;
};

}  // namespace oomwitness
