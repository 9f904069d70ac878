// SPDX-License-Identifier: BSD-2-Clause
// The largest processes: a fixed number of rows, each with its /proc/PID/statm open. The open file
// is of that process and of no later one with the same pid.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/recorder/folder.h"
#include "agent/recorder/samples.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

class ProcessTable {
 public:
  struct Row {
    std::uint32_t pid = 0;        // 0: the row was never used
    std::array<char, 64> comm{};  // as the kernel has it; a workqueue's is longer than 15
    OwnedFd statm;                // closed: it has gone
    std::uint64_t seen = 0;       // the last scan that had it among the largest
  };

  // `proc`: a procfs. `page_bytes`: of the pages that statm counts.
  static Result<ProcessTable> open(const char* proc, std::uint64_t page_bytes, std::size_t rows);

  // Looks at every process of the host: for quiet times. `cleared` gets the row of each process
  // that takes another's place.
  void scan(FunctionRef<void(std::size_t row)> cleared);
  // Puts what is resident of every row into the current moment, at the series first + row.
  void sample(Samples& samples, std::size_t first);

  const std::vector<Row>& rows() const { return rows_; }
  // The row of the process that has, or had last, this pid.
  std::optional<std::size_t> find(std::uint32_t pid) const;

 private:
  struct Size {
    std::uint32_t pid = 0;
    std::uint64_t bytes = 0;
  };

  ProcessTable(OwnedFd proc, std::uint64_t page_bytes, std::size_t rows);
  void weigh(const char* name);
  void adopt(std::uint32_t pid, FunctionRef<void(std::size_t)> cleared);
  std::optional<std::size_t> free_row() const;

  OwnedFd proc_;
  std::uint64_t page_bytes_;
  std::vector<Row> rows_;
  std::vector<Size> largest_;  // a heap, the smallest on top
  std::uint64_t scan_ = 0;
  SmallBuffer buffer_{};
};

}  // namespace oomwitness
