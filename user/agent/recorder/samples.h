// SPDX-License-Identifier: BSD-2-Clause
// What the flight recorder keeps: moments in two rings, one for quiet times and one for times of
// pressure, with the values of any number of series at each. All storage is taken at the start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace oomwitness {

enum class Pace { kSlow, kFast };

struct HostFigures {
  // Bytes; of /proc/meminfo.
  std::optional<std::uint64_t> available;
  std::optional<std::uint64_t> free;
  std::optional<std::uint64_t> anon;
  std::optional<std::uint64_t> file;  // page cache, shared memory included
  std::optional<std::uint64_t> shmem;
  std::optional<std::uint64_t> slab;
  std::optional<std::uint64_t> page_tables;
  std::optional<std::uint64_t> swap_free;
  // Microseconds of stall since boot; of /proc/pressure/memory.
  std::optional<std::uint64_t> psi_some_us;
  std::optional<std::uint64_t> psi_full_us;
};

class Samples {
 public:
  struct Size {
    std::size_t series = 0;
    std::size_t slow = 0;  // moments
    std::size_t fast = 0;
  };

  explicit Samples(Size size);

  // A new moment, which takes the place of the oldest of its pace. No series has a value there yet.
  void begin(Pace pace, std::uint64_t monotonic_ns, const HostFigures& host);
  // Of the moment begun last. Kept in units of 4 KiB, up to 16 TiB.
  void put(std::size_t series, std::uint64_t bytes);
  // The series begins anew: somebody else's.
  void clear(std::size_t series);

  // Moments of both paces, oldest first, as handles for the functions below.
  std::vector<std::size_t> in_order() const;
  std::uint64_t time_of(std::size_t moment) const { return times_[moment]; }
  const HostFigures& host_at(std::size_t moment) const { return host_[moment]; }
  std::optional<std::uint64_t> at(std::size_t series, std::size_t moment) const;

 private:
  std::size_t moments() const { return size_.slow + size_.fast; }

  Size size_;
  std::size_t slow_next_ = 0;
  std::size_t fast_next_ = 0;
  std::size_t current_ = 0;
  std::vector<std::uint64_t> times_;  // 0: not used yet
  std::vector<HostFigures> host_;
  std::vector<std::uint32_t> cells_;  // a series' moments side by side; 0: no value, else 1 + units
};

}  // namespace oomwitness
