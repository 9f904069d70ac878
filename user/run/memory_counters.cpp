// SPDX-License-Identifier: BSD-2-Clause
#include "run/memory_counters.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "enrich/memory_files.h"
#include "enrich/number.h"
#include "enrich/text_scan.h"

namespace oomwitness {
namespace {

// A page counter without a limit: PAGE_COUNTER_MAX of a 64-bit kernel, in bytes of any page size,
// is less than a page of 64 KiB below 2^63 (include/linux/page_counter.h).
constexpr std::uint64_t kUnlimited = (std::uint64_t{1} << 63U) - 65536;

OwnedFd open_at(const OwnedFd& dir, const char* name) {
  return OwnedFd(::openat(dir.get(), name, O_RDONLY | O_CLOEXEC));
}

// kernfs makes a file's text anew for a read at 0.
std::string read_anew(int fd) {
  std::array<char, 4096> text{};
  const ssize_t got = fd < 0 ? -1 : ::pread(fd, text.data(), text.size(), 0);
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

std::optional<std::uint64_t> less(std::optional<std::uint64_t> from,
                                  std::optional<std::uint64_t> part) {
  if (!from || !part) return std::nullopt;
  // Two reads, two moments.
  return *from > *part ? *from - *part : 0;
}

std::optional<std::uint64_t> number_in(int fd) {
  return parse_number<std::uint64_t>(trim(read_anew(fd)));
}

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

std::vector<std::string> folders_in(const OwnedFd& parent) {
  // In kernfs a folder has a link for each folder in it, as in the old file systems: two are none.
  struct stat facts {};
  if (::fstat(parent.get(), &facts) != 0 || facts.st_nlink == 2) return {};
  // fdopendir() takes the descriptor over.
  const int listed = ::openat(parent.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseFolder> folder(listed < 0 ? nullptr : ::fdopendir(listed));
  std::vector<std::string> names;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): each call has a stream of its own
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string name(entry->d_name);
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.push_back(name);
  }
  return names;
}

}  // namespace

std::optional<std::uint64_t> pressure_total_us(std::string_view text, std::string_view kind) {
  while (!text.empty()) {
    std::string_view line = next_piece(text, '\n');
    if (next_piece(line, ' ') != kind) continue;
    while (!line.empty()) {
      std::string_view word = next_piece(line, ' ');
      if (eat_prefix(word, "total=")) return parse_number<std::uint64_t>(trim(word));
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> limit_in(std::string_view text) {
  const auto bytes = parse_number<std::uint64_t>(trim(text));
  return bytes && *bytes < kUnlimited ? bytes : std::nullopt;
}

Result<MemoryCounters> MemoryCounters::open(const std::string& folder, CgroupLayout layout) {
  const bool v1 = layout.v1;
  MemoryCounters counters;
  counters.layout_ = layout;
  counters.dir_ = OwnedFd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (counters.dir_.get() < 0) return fail(errno, "open " + folder);
  const char* const usage = v1 ? "memory.usage_in_bytes" : "memory.current";
  counters.usage_ = open_at(counters.dir_, usage);
  if (counters.usage_.get() < 0) return fail(errno, "open " + folder + "/" + usage);
  counters.swap_ =
      open_at(counters.dir_, v1 ? "memory.memsw.usage_in_bytes" : "memory.swap.current");
  counters.events_ = open_at(counters.dir_, v1 ? "memory.oom_control" : "memory.events");
  return counters;
}

MemoryReading MemoryCounters::sample() {
  MemoryReading reading;
  reading.usage_bytes = number_in(usage_.get());
  reading.swap_bytes = number_in(swap_.get());
  if (layout_.v1) reading.swap_bytes = less(reading.swap_bytes, reading.usage_bytes);
  reading.oom_kills = count_kills();
  return reading;
}

MemoryReading MemoryCounters::read() {
  MemoryReading reading = sample();
  const auto number = [this](const char* name) { return number_in(open_at(dir_, name).get()); };
  if (layout_.v1) {
    reading.peak_bytes = number("memory.max_usage_in_bytes");
    reading.limit_hits = number("memory.failcnt");
    return reading;
  }
  reading.peak_bytes = number("memory.peak");
  reading.swap_peak_bytes = number("memory.swap.peak");
  reading.limit_hits = keyed_number(read_anew(events_.get()), "max");
  const std::string pressure = read_anew(open_at(dir_, "memory.pressure").get());
  reading.stall_some_us = pressure_total_us(pressure, "some");
  reading.stall_full_us = pressure_total_us(pressure, "full");
  return reading;
}

std::optional<std::uint64_t> MemoryCounters::count_kills() {
  auto kills = keyed_number(read_anew(events_.get()), "oom_kill");
  if (!kills || !layout_.local_counts) return kills;
  count_kills_below();
  for (const auto& [place, count] : kills_below_) *kills += count;
  return kills;
}

void MemoryCounters::count_kills_below() {
  std::vector<std::string> places{"."};
  while (!places.empty()) {
    const std::string place = std::move(places.back());
    places.pop_back();
    const OwnedFd folder(
        ::openat(dir_.get(), place.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder.get() < 0) continue;
    if (place != ".") keep_kills(place, folder);
    for (const std::string& name : folders_in(folder))
      places.push_back(std::string(place).append("/").append(name));
  }
}

void MemoryCounters::keep_kills(const std::string& place, const OwnedFd& folder) {
  const OwnedFd events = open_at(folder, layout_.v1 ? "memory.oom_control" : "memory.events");
  const auto kills = keyed_number(read_anew(events.get()), "oom_kill");
  if (!kills || *kills == 0) return;
  std::uint64_t& known = kills_below_[place];
  known = std::max(known, *kills);
}

}  // namespace oomwitness
