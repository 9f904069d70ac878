// SPDX-License-Identifier: BSD-2-Clause
// The table of tasks in a report (dump_tasks, mm/oom_kill.c). Its columns change between kernels
// (6.8 added three in the middle), so the head says where each is. A table may have a hundred
// thousand rows: only the largest and the sums are kept, without an allocation for a row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

class TaskTable {
 public:
  // What is known of the kernel when the table begins.
  struct Scale {
    Opt<std::uint64_t> page_size_bytes;
    Opt<std::uint64_t> total_pages;  // what adjustments are scaled by
  };

  // A new table. `head`: "[  pid  ]   uid  tgid total_vm ... name"; empty: the head is missing, and
  // rows are only counted.
  void begin(std::string_view head, const Scale& scale);
  void clear();
  bool begun() const { return begun_; }

  // "[    132]     0   132      759 ... hog". A row without all its columns is not counted.
  bool add_row(std::string_view text);

  // The row has all the columns of the head.
  bool is_whole_row(std::string_view text) const;

  std::uint64_t rows() const { return rows_; }
  // find() knows every row.
  bool is_whole() const { return known_ && rows_ == tasks_.size(); }
  // The thread group of the listed task with this thread id.
  Opt<std::uint32_t> find(std::uint32_t tid) const;

  // The page size, where a row and a kill line of the same task tell it: kB against pages.
  Opt<std::uint64_t> page_size_of(std::uint32_t tid, std::uint64_t total_vm_bytes) const;

  // listed, top, listed_memory and by_name. Sizes need the page size.
  void settle(const Scale& scale, Candidates& out) const;

 private:
  enum class Column {
    kOther,
    kUid,
    kTgid,
    kTotalVm,
    kRss,
    kAnon,
    kFile,
    kShmem,
    kSwap,
    kPgtables,
    kAdj
  };

  // Pages, but for pgtables_bytes.
  struct Sizes {
    std::uint64_t total_vm = 0;
    std::uint64_t rss = 0;
    std::uint64_t anon = 0;
    std::uint64_t file = 0;
    std::uint64_t shmem = 0;
    std::uint64_t swap = 0;
    std::uint64_t pgtables_bytes = 0;
    void add(const Sizes& other);
  };

  struct Row {
    std::uint32_t tid = 0;
    std::uint32_t tgid = 0;
    std::uint32_t uid = 0;
    std::int32_t adj = 0;
    Sizes sizes;
    std::array<char, 16> comm{};
    std::uint8_t comm_size = 0;
    std::int64_t rank = 0;
    std::string_view name() const { return {comm.data(), comm_size}; }
  };

  struct ListedTask {
    std::uint32_t tid = 0;
    std::uint32_t tgid = 0;
    std::uint64_t total_vm = 0;
  };

  struct Named {
    std::array<char, 16> comm{};
    std::uint8_t comm_size = 0;
    std::uint64_t count = 0;
    Sizes sizes;
    std::string_view name() const { return {comm.data(), comm_size}; }
  };

  static bool put(Column column, std::int64_t value, Row& row);
  bool parse_row(std::string_view text, Row& row) const;
  std::int64_t points(const Row& row, const Scale& scale) const;
  void keep_if_large(const Row& row);
  void add_name(const Row& row);
  void grow_names();
  bool has(Column column) const {
    return (columns_seen_ >> static_cast<unsigned>(column) & 1U) != 0;
  }
  Memory memory_of(const Sizes& sizes, std::uint64_t page_size) const;
  Candidate candidate_of(const Row& row, const Scale& scale) const;

  static constexpr std::size_t kMaxColumns = 24;
  std::array<Column, kMaxColumns> columns_{};  // between the pid and the name
  std::size_t column_count_ = 0;
  std::uint32_t columns_seen_ = 0;
  bool begun_ = false;
  bool known_ = false;       // the head has been understood
  bool has_points_ = false;  // oom_badness is the sum of the columns, 4.17 and later
  Scale scale_;
  std::uint64_t rows_ = 0;
  Sizes sum_;
  std::vector<ListedTask> tasks_;  // the first 65536
  std::vector<Row> top_;           // a heap, the smallest first
  std::vector<Named> names_;       // open addressing, a power of two
  std::size_t names_used_ = 0;
  bool too_many_names_ = false;
};

}  // namespace oomwitness
