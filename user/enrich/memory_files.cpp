// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/memory_files.h"

#include <fcntl.h>

#include <vector>

#include "enrich/bounded_read.h"
#include "enrich/number.h"
#include "enrich/text_scan.h"
#include "incident/incident.h"
#include "incident/memcg_stat.h"

namespace oomwitness {
namespace {

// "\040" and the like, as the kernel mangles mount points (fs/proc_namespace.c).
std::string unmangle(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const auto code = text.front() == '\\' && text.size() >= 4
                          ? parse_number<unsigned char>(text.substr(1, 3), 8)
                          : std::nullopt;
    plain += code ? static_cast<char>(*code) : text.front();
    text.remove_prefix(code ? 4 : 1);
  }
  return plain;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty())
    if (next_piece(options, ',') == wanted) return true;
  return false;
}

Opt<MemcgMount> parse_mount(std::string_view line) {
  // "ID PARENT DEV ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE SUPER_OPTIONS"
  const auto dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view tail = line.substr(dash + 3);
  const std::string_view type = next_piece(tail, ' ');
  next_piece(tail, ' ');
  const bool v1 = type == "cgroup" && has_option(tail, "memory");
  if (!v1 && type != "cgroup2") return std::nullopt;
  for (int skipped = 0; skipped < 3; ++skipped) next_piece(line, ' ');
  MemcgMount mount;
  mount.root = unmangle(next_piece(line, ' '));
  mount.folder = unmangle(next_piece(line, ' '));
  mount.v1 = v1;
  return mount;
}

// The part of `path` below `root`, or nothing when it is not below it.
Opt<std::string_view> below(std::string_view path, std::string_view root) {
  if (root == "/") return path;
  if (!eat_prefix(path, root) || (!path.empty() && path.front() != '/')) return std::nullopt;
  return path;
}

bool climbs(std::string_view path) {
  while (!path.empty())
    if (next_piece(path, '/') == "..") return true;
  return false;
}

}  // namespace

Result<MemcgMount> find_memcg_mount(std::string_view mountinfo) {
  Opt<MemcgMount> unified;
  while (!mountinfo.empty()) {
    auto mount = parse_mount(next_piece(mountinfo, '\n'));
    if (!mount) continue;
    if (mount->v1) return std::move(*mount);
    if (!unified) unified = std::move(mount);
  }
  if (unified) return std::move(*unified);
  return fail("no cgroup file system with the memory controller is mounted");
}

ByteCounts parse_memory_stat(std::string_view text, bool v1) {
  ByteCounts sizes;
  while (!text.empty()) {
    std::string_view line = next_piece(text, '\n');
    std::string_view name = next_piece(line, ' ');
    const bool subtree = v1 && eat_prefix(name, "total_");
    const auto value = parse_number<std::uint64_t>(line);
    if (!value || !is_memcg_size(name)) continue;
    if (subtree)
      sizes.insert_or_assign(std::string(name), *value);
    else
      sizes.try_emplace(std::string(name), *value);
  }
  return sizes;
}

ByteCounts parse_meminfo(std::string_view text) {
  ByteCounts sizes;
  while (!text.empty()) {
    std::string_view line = next_piece(text, '\n');
    const std::string_view name = next_piece(line, ':');
    if (!eat_suffix(line, " kB")) continue;
    const auto kib = parse_number<std::uint64_t>(trim(line));
    if (kib && *kib <= UINT64_MAX / 1024) sizes.insert_or_assign(std::string(name), *kib * 1024);
  }
  return sizes;
}

std::optional<std::uint64_t> keyed_number(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = next_piece(text, '\n');
    if (next_piece(line, ' ') == key) return parse_number<std::uint64_t>(trim(line));
  }
  return std::nullopt;
}

Result<MemcgFolder> find_memcg_folder(const Roots& roots, std::string_view memcg_path) {
  if (memcg_path.empty() || memcg_path.front() != '/' || climbs(memcg_path))
    return fail("find the memory cgroup: '" + std::string(memcg_path) + "' is not a cgroup's path");
  TRY(const auto mounts,
      read_at_most(AT_FDCWD, roots.under_proc("self/mountinfo"), kMaxStateFileBytes));
  TRY(const auto mount, find_memcg_mount(mounts.content));
  const auto inside = below(memcg_path, mount.root);
  if (!inside)
    return fail("find the memory cgroup: the tool's cgroup mount begins at " + mount.root +
                " and does not show " + std::string(memcg_path));
  return MemcgFolder{roots.under_root(Roots::join(mount.folder, *inside)), mount.v1};
}

Result<ByteCounts> read_memcg_stat(const Roots& roots, std::string_view memcg_path) {
  TRY(const auto folder, find_memcg_folder(roots, memcg_path));
  TRY(const auto text,
      read_at_most(AT_FDCWD, Roots::join(folder.path, "memory.stat"), kMaxStateFileBytes));
  return parse_memory_stat(text.content, folder.v1);
}

Result<ByteCounts> read_meminfo(const Roots& roots) {
  TRY(const auto text, read_at_most(AT_FDCWD, roots.under_proc("meminfo"), kMaxStateFileBytes));
  return parse_meminfo(text.content);
}

}  // namespace oomwitness
