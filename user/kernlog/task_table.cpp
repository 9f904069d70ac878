// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/task_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "kernlog/scan.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxTasks = 65536;
constexpr std::size_t kTop = 32;
constexpr std::size_t kTopNames = 8;
constexpr std::size_t kMaxNames = 8192;
constexpr std::size_t kMaxCommBytes = 15;
constexpr std::int32_t kNeverKilled = -1000;  // OOM_SCORE_ADJ_MIN
constexpr std::uint64_t kMostPages = std::numeric_limits<std::int64_t>::max() / 4096;

std::uint64_t fold(std::string_view name) {
  std::array<char, 16> padded{};
  std::memcpy(padded.data(), name.data(), name.size());
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&low, padded.data(), 8);
  std::memcpy(&high, padded.data() + 8, 8);
  const std::uint64_t mixed = (low ^ (high * 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL;
  return mixed ^ (mixed >> 29U);
}

}  // namespace

void TaskTable::Sizes::add(const Sizes& other) {
  total_vm += other.total_vm;
  rss += other.rss;
  anon += other.anon;
  file += other.file;
  shmem += other.shmem;
  swap += other.swap;
  pgtables_bytes += other.pgtables_bytes;
}

void TaskTable::clear() {
  column_count_ = 0;
  columns_seen_ = 0;
  begun_ = known_ = has_points_ = too_many_names_ = false;
  rows_ = 0;
  sum_ = {};
  tasks_.clear();
  top_.clear();
  if (names_used_ != 0) std::fill(names_.begin(), names_.end(), Named{});
  names_used_ = 0;
}

void TaskTable::begin(std::string_view head, const Scale& scale) {
  constexpr std::array kNames = {
      std::pair{"uid"sv, Column::kUid},
      std::pair{"tgid"sv, Column::kTgid},
      std::pair{"total_vm"sv, Column::kTotalVm},
      std::pair{"rss"sv, Column::kRss},
      std::pair{"rss_anon"sv, Column::kAnon},
      std::pair{"rss_file"sv, Column::kFile},
      std::pair{"rss_shmem"sv, Column::kShmem},
      std::pair{"swapents"sv, Column::kSwap},
      std::pair{"pgtables_bytes"sv, Column::kPgtables},
      std::pair{"oom_score_adj"sv, Column::kAdj},
  };
  clear();
  begun_ = true;
  scale_ = scale;
  const std::size_t bracket = head.find(']');
  if (bracket == std::string_view::npos) return;
  // "[ pid ]" became "[  pid  ]" in 4.19: after the bonus for root, which no column shows, went.
  const bool wide = head.starts_with("[  pid  ]");
  Scan scan(head.substr(bracket + 1));
  for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
    const std::string_view word = scan.word();
    if (word == "name") {
      scan.skip_blanks();
      known_ = scan.done();
      has_points_ = wide && has(Column::kRss) && has(Column::kSwap) && has(Column::kPgtables) &&
                    has(Column::kAdj);
      return;
    }
    if (column_count_ == kMaxColumns) return;
    const auto* const named = std::find_if(kNames.begin(), kNames.end(),
                                           [&](const auto& one) { return one.first == word; });
    const Column column = named == kNames.end() ? Column::kOther : named->second;
    columns_[column_count_++] = column;
    columns_seen_ |= 1U << static_cast<unsigned>(column);
  }
}

// False: no kernel prints such a number there.
bool TaskTable::put(Column column, std::int64_t value, Row& row) {
  if (column == Column::kAdj) {
    row.adj = static_cast<std::int32_t>(value);
    return std::in_range<std::int32_t>(value);
  }
  // Counters of a task in the middle of its exit may be below zero.
  const std::uint64_t count = value < 0 ? 0 : static_cast<std::uint64_t>(value);
  switch (column) {
    case Column::kUid: row.uid = static_cast<std::uint32_t>(count); break;
    case Column::kTgid: row.tgid = static_cast<std::uint32_t>(count); break;
    case Column::kTotalVm: row.sizes.total_vm = count; break;
    case Column::kRss: row.sizes.rss = count; break;
    case Column::kAnon: row.sizes.anon = count; break;
    case Column::kFile: row.sizes.file = count; break;
    case Column::kShmem: row.sizes.shmem = count; break;
    case Column::kSwap: row.sizes.swap = count; break;
    case Column::kPgtables: row.sizes.pgtables_bytes = count; break;
    case Column::kAdj:
    case Column::kOther: return true;
  }
  if (column == Column::kUid || column == Column::kTgid) return std::in_range<std::uint32_t>(value);
  return count <= kMostPages;
}

bool TaskTable::parse_row(std::string_view text, Row& row) const {
  Scan scan(text);
  if (!scan.skip("[")) return false;
  scan.skip_blanks();
  const auto tid = scan.number<std::uint32_t>();
  if (!tid || !scan.skip("]")) return false;
  row.tid = *tid;
  for (std::size_t i = 0; i < column_count_; ++i) {
    if (!scan.rest().starts_with(' ')) return false;
    scan.skip_blanks();
    const auto value = scan.number<std::int64_t>();
    if (!value || !put(columns_[i], *value, row)) return false;
  }
  if (!scan.skip(" ")) return false;
  const std::string_view name = scan.rest();  // may begin with blanks of its own
  row.comm_size = static_cast<std::uint8_t>(std::min(name.size(), kMaxCommBytes));
  std::memcpy(row.comm.data(), name.data(), row.comm_size);
  return true;
}

bool TaskTable::is_whole_row(std::string_view text) const {
  Row row;
  return known_ ? parse_row(text, row) : true;
}

bool TaskTable::add_row(std::string_view text) {
  if (!known_) {
    // Without a head: a pid, a uid, a tgid and more numbers, then a name.
    std::size_t numbers = 0;
    Scan scan(text.substr(std::min(text.find(']') + 1, text.size())));
    for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
      if (!whole_number<std::int64_t>(scan.word())) break;
      ++numbers;
    }
    constexpr std::size_t kFewest = 6;
    if (numbers < kFewest) return false;
    ++rows_;
    return true;
  }
  Row row;
  if (!parse_row(text, row)) return false;
  ++rows_;
  if (tasks_.size() < kMaxTasks) {
    tasks_.push_back({.tid = row.tid,
                      .tgid = has(Column::kTgid) ? row.tgid : row.tid,
                      .total_vm = row.sizes.total_vm});
  }
  sum_.add(row.sizes);
  row.rank = has_points_ && scale_.total_pages
                 ? points(row, scale_)
                 : static_cast<std::int64_t>(row.sizes.rss + row.sizes.swap);
  keep_if_large(row);
  add_name(row);
  return true;
}

// oom_badness, mm/oom_kill.c
std::int64_t TaskTable::points(const Row& row, const Scale& scale) const {
  if (row.adj == kNeverKilled) return std::numeric_limits<std::int64_t>::min();
  const std::uint64_t page = scale.page_size_bytes.value_or(4096);
  auto sum =
      static_cast<std::int64_t>(row.sizes.rss + row.sizes.swap + row.sizes.pgtables_bytes / page);
  if (row.adj != 0) {
    const std::uint64_t total = std::min(scale.total_pages.value_or(0), kMostPages);
    sum += row.adj * static_cast<std::int64_t>(total / 1000);
  }
  return sum;
}

void TaskTable::keep_if_large(const Row& row) {
  const auto larger = [](const Row& a, const Row& b) { return a.rank > b.rank; };
  if (top_.size() < kTop) {
    top_.push_back(row);
    std::push_heap(top_.begin(), top_.end(), larger);
  } else if (row.rank > top_.front().rank) {
    std::pop_heap(top_.begin(), top_.end(), larger);
    top_.back() = row;
    std::push_heap(top_.begin(), top_.end(), larger);
  }
}

void TaskTable::add_name(const Row& row) {
  if (too_many_names_) return;
  if (names_.empty()) names_.resize(256);
  const std::size_t mask = names_.size() - 1;
  std::size_t at = fold(row.name()) & mask;
  while (names_[at].count != 0 && names_[at].name() != row.name()) at = (at + 1) & mask;
  Named& named = names_[at];
  if (named.count == 0) {
    if (names_used_ == kMaxNames) {
      too_many_names_ = true;
      return;
    }
    named.comm = row.comm;
    named.comm_size = row.comm_size;
    ++names_used_;
  }
  ++named.count;
  named.sizes.add(row.sizes);
  if (names_used_ * 2 > names_.size()) grow_names();
}

void TaskTable::grow_names() {
  std::vector<Named> old(names_.size() * 2);
  old.swap(names_);
  const std::size_t mask = names_.size() - 1;
  for (const Named& named : old) {
    if (named.count == 0) continue;
    std::size_t at = fold(named.name()) & mask;
    while (names_[at].count != 0) at = (at + 1) & mask;
    names_[at] = named;
  }
}

Opt<std::uint32_t> TaskTable::find(std::uint32_t tid) const {
  const auto at = std::find_if(tasks_.begin(), tasks_.end(),
                               [&](const ListedTask& task) { return task.tid == tid; });
  return at == tasks_.end() ? std::nullopt : Opt<std::uint32_t>(at->tgid);
}

Opt<std::uint64_t> TaskTable::page_size_of(std::uint32_t tid, std::uint64_t total_vm_bytes) const {
  constexpr std::uint64_t kSmallest = 4096;
  constexpr std::uint64_t kLargest = 262144;
  if (!has(Column::kTotalVm)) return std::nullopt;
  const auto at = std::find_if(tasks_.begin(), tasks_.end(),
                               [&](const ListedTask& task) { return task.tid == tid; });
  if (at == tasks_.end() || at->total_vm == 0) return std::nullopt;
  const std::uint64_t size = total_vm_bytes / at->total_vm;
  const bool fits = size * at->total_vm == total_vm_bytes && size >= kSmallest &&
                    size <= kLargest && (size & (size - 1)) == 0;
  return fits ? Opt<std::uint64_t>(size) : std::nullopt;
}

Memory TaskTable::memory_of(const Sizes& sizes, std::uint64_t page_size) const {
  Memory memory;
  const auto put = [&](Column column, std::uint64_t pages, Opt<std::uint64_t>& into) {
    if (has(column) && pages <= std::numeric_limits<std::uint64_t>::max() / page_size) {
      into = pages * page_size;
    }
  };
  put(Column::kTotalVm, sizes.total_vm, memory.total_vm_bytes);
  put(Column::kAnon, sizes.anon, memory.anon_rss_bytes);
  put(Column::kFile, sizes.file, memory.file_rss_bytes);
  put(Column::kShmem, sizes.shmem, memory.shmem_rss_bytes);
  if (!has(Column::kAnon)) put(Column::kRss, sizes.rss, memory.rss_bytes);
  put(Column::kSwap, sizes.swap, memory.swap_bytes);
  if (has(Column::kPgtables)) memory.pgtables_bytes = sizes.pgtables_bytes;
  return memory;
}

Candidate TaskTable::candidate_of(const Row& row, const Scale& scale) const {
  Candidate out;
  out.pid = has(Column::kTgid) ? row.tgid : row.tid;
  out.comm = row.name();
  if (has(Column::kUid)) out.uid = row.uid;
  if (has(Column::kAdj)) out.oom_score_adj = row.adj;
  if (scale.page_size_bytes) {
    out.memory = memory_of(row.sizes, *scale.page_size_bytes);
    const bool scaled = row.adj == 0 || scale.total_pages;
    if (has_points_ && scaled && row.adj != kNeverKilled) out.points = points(row, scale);
  }
  return out;
}

void TaskTable::settle(const Scale& scale, Candidates& out) const {
  if (rows_ != 0 || begun_) out.listed = rows_;
  if (!known_ || rows_ == 0) return;
  std::vector<Row> top = top_;
  const bool ranked_by_points = has_points_ && scale.total_pages && scale.page_size_bytes;
  const auto rank = [&](const Row& row) {
    return ranked_by_points ? points(row, scale)
                            : static_cast<std::int64_t>(row.sizes.rss + row.sizes.swap);
  };
  for (Row& row : top) row.rank = rank(row);
  std::stable_sort(top.begin(), top.end(), [](const Row& a, const Row& b) {
    return std::tie(b.rank, a.tid) < std::tie(a.rank, b.tid);
  });
  for (const Row& row : top) out.top.push_back(candidate_of(row, scale));
  if (!scale.page_size_bytes) return;
  out.listed_memory = memory_of(sum_, *scale.page_size_bytes);
  if (too_many_names_) return;
  std::vector<const Named*> names;
  for (const Named& named : names_) {
    if (named.count != 0) names.push_back(&named);
  }
  const auto more = [](const Named* a, const Named* b) {
    const std::uint64_t mine = a->sizes.rss + a->sizes.swap;
    const std::uint64_t other = b->sizes.rss + b->sizes.swap;
    return mine != other ? mine > other : a->name() < b->name();
  };
  const std::size_t kept = std::min(names.size(), kTopNames);
  std::partial_sort(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(kept), names.end(),
                    more);
  for (std::size_t i = 0; i < kept; ++i) {
    out.by_name.push_back({.comm = std::string(names[i]->name()),
                           .count = names[i]->count,
                           .memory = memory_of(names[i]->sizes, *scale.page_size_bytes)});
  }
}

}  // namespace oomwitness
