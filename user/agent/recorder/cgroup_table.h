// SPDX-License-Identifier: BSD-2-Clause
// The cgroups whose memory the recorder follows: a fixed number of rows, each with its usage file
// open. A row whose cgroup has gone keeps its place until another one needs it: the kill that is
// told of next may have been its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/recorder/folder.h"
#include "agent/recorder/samples.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

class CgroupTable {
 public:
  struct Row {
    std::uint64_t hash = 0;        // of the path; 0: the row was never used
    std::array<char, 384> path{};  // from the hierarchy's root, "/a/b"
    OwnedFd usage;                 // closed: the cgroup has gone
    std::optional<std::uint64_t> limit_bytes;
    bool leaf = true;
    bool near_limit = false;  // in the last sample: nine tenths of it or more
    std::uint64_t seen = 0;   // the last walk that met it
  };

  // `folder`: the hierarchy's root as mounted; `v1`: its files have the names of cgroup v1; `top`:
  // the cgroup that the mount shows as its root, "/" mostly.
  static Result<CgroupTable> open(const char* folder, bool v1, std::string_view top,
                                  std::size_t rows);

  // Walks the hierarchy. `cleared` gets the row of each cgroup that takes another's place.
  void walk(FunctionRef<void(std::size_t row)> cleared);
  // Puts the usage of every row into the current moment, at the series of the same number.
  void sample(Samples& samples);

  const std::vector<Row>& rows() const { return rows_; }
  std::optional<std::size_t> find(std::string_view path) const;
  // Whether one came near its limit with the last sample. Page cache may hold it there for days:
  // only the coming counts.
  bool came_near_limit() const { return came_near_limit_; }
  // Cgroups that the last walk met and that had no row: too many, or a path too long.
  std::uint64_t left_out() const { return left_out_; }
  bool v1() const { return v1_; }
  int folder() const { return folder_.get(); }
  // A row's path from folder(), "." for that folder itself.
  std::string_view below_folder(std::size_t row) const;

 private:
  struct Place;

  CgroupTable(OwnedFd folder, bool v1, std::string_view top, std::size_t rows);
  void descend(int folder_fd, const Place& place, FunctionRef<void(std::size_t)> cleared);
  void meet(int folder_fd, const Place& place, FunctionRef<void(std::size_t)> cleared);
  std::optional<std::size_t> free_row() const;

  OwnedFd folder_;
  bool v1_;
  std::string_view usage_name_;
  std::array<char, 384> top_{};
  std::vector<Row> rows_;
  std::uint64_t walk_ = 0;
  std::uint64_t left_out_ = 0;
  bool came_near_limit_ = false;
  SmallBuffer buffer_{};
};

}  // namespace oomwitness
