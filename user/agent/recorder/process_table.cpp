// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder/process_table.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "agent/recorder/figures.h"

namespace oomwitness {
namespace {

std::optional<std::uint32_t> pid_of(std::string_view name) {
  std::uint32_t pid = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, failure] = std::from_chars(name.data(), end, pid);
  if (failure != std::errc{} || rest != end) return std::nullopt;
  return pid;
}

// "PID/file", without allocation.
class ProcPath {
 public:
  ProcPath(std::uint32_t pid, std::string_view file) {
    constexpr std::size_t kDigits = 10;
    char* const end = std::to_chars(text_.data(), text_.data() + kDigits, pid).ptr;
    *end = '/';
    std::memcpy(end + 1, file.data(), std::min<std::size_t>(file.size(), 16));
  }
  const char* get() const { return text_.data(); }

 private:
  std::array<char, 32> text_{};
};

}  // namespace

Result<ProcessTable> ProcessTable::open(const char* proc, std::uint64_t page_bytes,
                                        std::size_t rows) {
  OwnedFd fd(::open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return fail(errno, std::string("open ") + proc);
  return ProcessTable(std::move(fd), page_bytes, rows);
}

ProcessTable::ProcessTable(OwnedFd proc, std::uint64_t page_bytes, std::size_t rows)
    : proc_(std::move(proc)), page_bytes_(page_bytes), rows_(rows) {
  largest_.reserve(rows + 1);
}

void ProcessTable::weigh(const char* name) {
  const auto pid = pid_of(name);
  if (!pid) return;
  const auto text = read_below(proc_.get(), ProcPath(*pid, "statm").get(), buffer_);
  const auto bytes = text ? resident_of_statm(*text, page_bytes_) : std::nullopt;
  if (!bytes || *bytes == 0) return;  // a kernel thread
  const auto more = [](const Size& a, const Size& b) { return a.bytes > b.bytes; };
  if (largest_.size() == rows_.size()) {
    if (*bytes <= largest_.front().bytes) return;
    std::pop_heap(largest_.begin(), largest_.end(), more);
    largest_.pop_back();
  }
  largest_.push_back({*pid, *bytes});
  std::push_heap(largest_.begin(), largest_.end(), more);
}

void ProcessTable::scan(FunctionRef<void(std::size_t row)> cleared) {
  ++scan_;
  largest_.clear();
  for_each_entry(proc_.get(), [this](const char* name, bool folder) {
    if (folder) weigh(name);
  });
  // Those that have a row first, so that none of them loses it to a new one.
  for (const Size& size : largest_)
    if (const auto row = find(size.pid); row && rows_[*row].statm.get() >= 0)
      rows_[*row].seen = scan_;
  for (const Size& size : largest_) adopt(size.pid, cleared);
}

void ProcessTable::adopt(std::uint32_t pid, FunctionRef<void(std::size_t)> cleared) {
  const auto known = find(pid);
  if (known && rows_[*known].statm.get() >= 0) return;
  const auto place = free_row();
  if (!place) return;
  Row fresh;
  fresh.pid = pid;
  fresh.seen = scan_;
  fresh.statm = open_below(proc_.get(), ProcPath(pid, "statm").get(), O_RDONLY);
  if (fresh.statm.get() < 0) return;
  if (const auto comm = read_below(proc_.get(), ProcPath(pid, "comm").get(), buffer_)) {
    const std::string_view name = comm->substr(0, comm->rfind('\n'));
    std::memcpy(fresh.comm.data(), name.data(), std::min(name.size(), fresh.comm.size() - 1));
  }
  rows_[*place] = std::move(fresh);
  cleared(*place);
}

std::optional<std::size_t> ProcessTable::free_row() const {
  std::optional<std::size_t> oldest;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].pid == 0) return i;
    if (rows_[i].seen == scan_) continue;
    if (!oldest || rows_[i].seen < rows_[*oldest].seen) oldest = i;
  }
  return oldest;
}

std::optional<std::size_t> ProcessTable::find(std::uint32_t pid) const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (rows_[i].pid == pid && (!found || rows_[i].seen > rows_[*found].seen)) found = i;
  return found;
}

void ProcessTable::sample(Samples& samples, std::size_t first) {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    if (row.statm.get() < 0) continue;
    const auto text = read_again(row.statm.get(), buffer_);
    const auto bytes = text ? resident_of_statm(*text, page_bytes_) : std::nullopt;
    if (bytes)
      samples.put(first + i, *bytes);
    else
      row.statm = OwnedFd();  // ESRCH: it has been reaped
  }
}

}  // namespace oomwitness
