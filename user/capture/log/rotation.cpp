// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/rotation.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

namespace oomwitness {
namespace {

struct Rotated {
  std::string base;       // the path without what rotation and compression have added
  bool numbered = false;  // `age` is a serial number: 0 the youngest
  std::int64_t age = 0;   // higher is older; less than 0: the date, negated
};

constexpr std::int64_t kYoungest = std::numeric_limits<std::int64_t>::min();
constexpr std::size_t kDateDigits = 8;    // 20261101
constexpr std::size_t kMostDigits = 14;   // 20261101123000
constexpr std::size_t kSerialDigits = 4;  // more is a date of some kind

void drop_suffix(std::string_view& path, std::string_view suffix) {
  if (path.ends_with(suffix) && path.size() > suffix.size()) path.remove_suffix(suffix.size());
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "kern.log.2" into "kern.log" and its age.
bool split_age(std::string_view path, Rotated& rotated) {
  const std::size_t mark = path.find_last_of(".-");
  if (mark == std::string_view::npos || mark == 0) return false;
  const std::string_view digits = path.substr(mark + 1);
  if (!all_digits(digits) || digits.size() > kMostDigits) return false;
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool serial = path[mark] == '.' && digits.size() <= kSerialDigits;
  if (!serial && digits.size() < kDateDigits) return false;
  rotated.base = path.substr(0, mark);
  rotated.numbered = serial;
  rotated.age = serial ? number : -number;
  return true;
}

Rotated parse(std::string_view path) {
  const std::string_view whole = path;
  for (const std::string_view suffix : {".gz", ".xz", ".zst", ".zstd", ".bz2", ".lz4", ".Z"}) {
    drop_suffix(path, suffix);
  }
  Rotated rotated;
  if (split_age(path, rotated)) return rotated;
  constexpr std::string_view kExtension = ".log";
  std::string_view stem = path;
  drop_suffix(stem, kExtension);
  if (stem.size() < path.size() && split_age(stem, rotated)) {
    rotated.base += kExtension;
    return rotated;
  }
  // kern.log.gz by itself is no older kern.log.
  return {.base = std::string(path.size() == whole.size() ? path : whole),
          .numbered = false,
          .age = kYoungest};
}

struct Member {
  std::string path;
  Rotated rotated;
};

LogSet in_order(std::vector<Member> members) {
  std::stable_sort(members.begin(), members.end(),
                   [](const Member& a, const Member& b) { return a.rotated.age > b.rotated.age; });
  LogSet set;
  const Member* before = nullptr;
  for (const Member& member : members) {
    const std::int64_t age = member.rotated.age == kYoungest ? 0 : member.rotated.age;
    const bool after_gap =
        before != nullptr && before->rotated.numbered && before->rotated.age > age + 1;
    set.push_back({member.path, after_gap});
    before = &member;
  }
  return set;
}

}  // namespace

std::vector<LogSet> sort_rotated(std::span<const std::string> paths) {
  struct Group {
    std::string base;
    std::vector<Member> members;
  };
  std::vector<Group> groups;
  for (const std::string& path : paths) {
    Member member{path, parse(path)};
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& known) {
      return known.base == member.rotated.base;
    });
    if (group == groups.end()) {
      groups.push_back({member.rotated.base, {}});
      group = std::prev(groups.end());
    }
    const bool twice = std::any_of(group->members.begin(), group->members.end(),
                                   [&](const Member& known) { return known.path == path; });
    if (!twice) group->members.push_back(std::move(member));
  }
  std::vector<LogSet> sets;
  sets.reserve(groups.size());
  for (Group& group : groups) sets.push_back(in_order(std::move(group.members)));
  return sets;
}

}  // namespace oomwitness
