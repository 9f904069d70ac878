// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder/cgroup_table.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "agent/recorder/figures.h"

namespace oomwitness {
namespace {

constexpr int kDeepest = 32;  // more can only be made to trouble us

// FNV-1a: one compare tells most paths apart.
std::uint64_t hash_of(std::string_view path) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : path) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  return hash == 0 ? 1 : hash;
}

// A number, or nothing for "max" and for what stands for it in v1.
std::optional<std::uint64_t> limit_in(std::optional<std::string_view> text) {
  constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62U;
  const auto limit = text ? first_number(*text) : std::nullopt;
  return limit && *limit < kUnlimited ? limit : std::nullopt;
}

}  // namespace

// Where a walk is: a path that grows and shrinks in one buffer.
struct CgroupTable::Place {
  std::array<char, 384>& path;
  std::size_t size = 0;
  int depth = 0;

  std::string_view view() const { return {path.data(), size}; }
  // Absent: it does not fit.
  std::optional<Place> below(const char* name) const {
    const std::size_t length = std::strlen(name);
    const std::size_t base = view() == "/" ? 0 : size;
    if (base + 1 + length >= path.size()) return std::nullopt;
    path[base] = '/';
    std::memcpy(path.data() + base + 1, name, length + 1);
    return Place{path, base + 1 + length, depth + 1};
  }
};

Result<CgroupTable> CgroupTable::open(const char* folder, bool v1, std::string_view top,
                                      std::size_t rows) {
  OwnedFd fd(::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return fail(errno, std::string("open ") + folder);
  return CgroupTable(std::move(fd), v1, top, rows);
}

CgroupTable::CgroupTable(OwnedFd folder, bool v1, std::string_view top, std::size_t rows)
    : folder_(std::move(folder)),
      v1_(v1),
      usage_name_(v1 ? "memory.usage_in_bytes" : "memory.current"),
      rows_(rows) {
  const std::size_t size = std::min(top.size(), top_.size() - 1);
  std::memcpy(top_.data(), top.data(), size);
}

void CgroupTable::walk(FunctionRef<void(std::size_t row)> cleared) {
  ++walk_;
  left_out_ = 0;
  std::array<char, 384> path = top_;
  const Place top{path, std::strlen(path.data()), 0};
  if (top.view() != "/") meet(folder_.get(), top, cleared);
  descend(folder_.get(), top, cleared);
  for (Row& row : rows_)
    if (row.hash != 0 && row.seen != walk_) row.usage = OwnedFd();
}

void CgroupTable::descend(int folder_fd, const Place& place,
                          FunctionRef<void(std::size_t)> cleared) {
  bool leaf = true;
  for_each_entry(folder_fd, [&](const char* name, bool folder) {
    if (!folder) return;
    leaf = false;
    const std::size_t size = place.size;
    if (const auto below = place.depth < kDeepest ? place.below(name) : std::nullopt) {
      const OwnedFd fd = open_below(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (fd.get() >= 0) {
        meet(fd.get(), *below, cleared);
        descend(fd.get(), *below, cleared);
      }
    } else {
      ++left_out_;
    }
    place.path[size] = '\0';
  });
  if (const auto row = find(place.view())) rows_[*row].leaf = leaf;
}

void CgroupTable::meet(int folder_fd, const Place& place, FunctionRef<void(std::size_t)> cleared) {
  auto found = find(place.view());
  if (!found) {
    // Without the memory controller it has no such file, and no row.
    OwnedFd usage = open_below(folder_fd, usage_name_.data(), O_RDONLY);
    if (usage.get() < 0) return;
    found = free_row();
    if (!found) {
      ++left_out_;
      return;
    }
    Row& row = rows_[*found];
    row = Row{};
    row.hash = hash_of(place.view());
    std::memcpy(row.path.data(), place.path.data(), place.size + 1);
    row.usage = std::move(usage);
    cleared(*found);
  }
  Row& row = rows_[*found];
  // Removed and made again under the same name: the open file is of the one before.
  if (row.usage.get() < 0) row.usage = open_below(folder_fd, usage_name_.data(), O_RDONLY);
  row.seen = walk_;
  row.limit_bytes =
      limit_in(read_below(folder_fd, v1_ ? "memory.limit_in_bytes" : "memory.max", buffer_));
}

std::optional<std::size_t> CgroupTable::find(std::string_view path) const {
  const std::uint64_t hash = hash_of(path);
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (rows_[i].hash == hash && path == rows_[i].path.data()) return i;
  return std::nullopt;
}

std::string_view CgroupTable::below_folder(std::size_t row) const {
  std::string_view path = rows_[row].path.data();
  const std::string_view top = top_.data();
  path.remove_prefix(top == "/" ? 0 : std::min(top.size(), path.size()));
  if (path.starts_with('/')) path.remove_prefix(1);
  return path.empty() ? "." : path;
}

// One that was never used, else the one that has been gone longest.
std::optional<std::size_t> CgroupTable::free_row() const {
  std::optional<std::size_t> oldest;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].hash == 0) return i;
    const bool gone = rows_[i].usage.get() < 0 && rows_[i].seen != walk_;
    if (gone && (!oldest || rows_[i].seen < rows_[*oldest].seen)) oldest = i;
  }
  return oldest;
}

void CgroupTable::sample(Samples& samples) {
  came_near_limit_ = false;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    if (row.usage.get() < 0) continue;
    const auto text = read_again(row.usage.get(), buffer_);
    const auto usage = text ? first_number(*text) : std::nullopt;
    if (!usage) {
      row.usage = OwnedFd();  // ENODEV: it has been removed
      continue;
    }
    samples.put(i, *usage);
    const bool near = row.limit_bytes && *usage / 9 >= *row.limit_bytes / 10;
    came_near_limit_ = came_near_limit_ || (near && !row.near_limit);
    row.near_limit = near;
  }
}

}  // namespace oomwitness
