// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/procfs.h"

#include <fcntl.h>

#include <array>
#include <utility>

#include "enrich/number.h"
#include "enrich/text_scan.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMaxProcFileBytes = std::size_t{64} * 1024;
constexpr std::uint64_t kPfExiting = 0x4;  // PF_EXITING, include/linux/sched.h

// Numbering of proc_pid_stat(5), from 1; the state, field 3, follows the comm.
constexpr std::size_t kFieldState = 3;
constexpr std::size_t kFieldPpid = 4;
constexpr std::size_t kFieldFlags = 9;
constexpr std::size_t kFieldStart = 22;
constexpr std::size_t kFieldArgStart = 48;
constexpr std::size_t kFieldArgEnd = 49;

std::vector<std::uint32_t> parse_pids(std::string_view text) {
  std::vector<std::uint32_t> pids;
  while (!text.empty()) {
    const auto pid = parse_number<std::uint32_t>(next_piece(text, '\t'));
    if (pid) pids.push_back(*pid);
  }
  return pids;
}

}  // namespace

bool ProcStat::exiting() const {
  return state == 'Z' || state == 'X' || (flags & kPfExiting) != 0;
}

Result<ProcStat> parse_proc_stat(std::string_view line) {
  // comm may hold parentheses, spaces and newlines; nothing after it holds a ')'.
  const auto open = line.find(" (");
  const auto close = line.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2)
    return fail("parse stat: no comm in parentheses");
  ProcStat stat;
  const auto pid = parse_number<std::uint32_t>(line.substr(0, open));
  if (!pid) return fail("parse stat: no pid");
  stat.pid = *pid;
  stat.comm = line.substr(open + 2, close - open - 2);

  std::array<std::string_view, kFieldArgEnd + 1> field{};
  std::size_t fields = kFieldState;
  for (std::string_view rest = trim(line.substr(close + 2)); !rest.empty() && fields < field.size();
       ++fields)
    field[fields] = next_piece(rest, ' ');
  const auto ppid = parse_number<std::uint32_t>(field[kFieldPpid]);
  const auto flags = parse_number<std::uint64_t>(field[kFieldFlags]);
  const auto start = parse_number<std::uint64_t>(field[kFieldStart]);
  if (field[kFieldState].size() != 1 || !ppid || !flags || !start)
    return fail("parse stat: fields 3 to 22 are not as proc_pid_stat(5) has them");
  stat.state = field[kFieldState].front();
  stat.ppid = *ppid;
  stat.flags = *flags;
  stat.start_ticks = *start;
  stat.arg_start = parse_number<std::uint64_t>(field[kFieldArgStart]).value_or(0);
  stat.arg_end = parse_number<std::uint64_t>(field[kFieldArgEnd]).value_or(0);
  return stat;
}

ProcStatus parse_proc_status(std::string_view text) {
  ProcStatus status;
  while (!text.empty()) {
    std::string_view line = next_piece(text, '\n');
    if (eat_prefix(line, "Name:\t")) {
      status.name = line;
    } else if (eat_prefix(line, "PPid:\t")) {
      status.ppid = parse_number<std::uint32_t>(line);
    } else if (eat_prefix(line, "Uid:\t")) {
      status.uid = parse_number<std::uint32_t>(next_piece(line, '\t'));
    } else if (eat_prefix(line, "NSpid:\t")) {
      status.ns_pids = parse_pids(line);
    }
  }
  return status;
}

ProcCgroups parse_proc_cgroup(std::string_view text) {
  ProcCgroups found;
  while (!text.empty()) {
    // "ID:CONTROLLERS:PATH". A cgroup's name cannot hold a newline (kernel/cgroup/cgroup.c,
    // cgroup_mkdir refuses it for the sake of this very file), but it can hold ':'.
    std::string_view line = next_piece(text, '\n');
    const std::string_view id = next_piece(line, ':');
    std::string_view controllers = next_piece(line, ':');
    if (line.empty() || line.front() != '/' || !parse_number<std::uint32_t>(id)) continue;
    if (id == "0" && controllers.empty()) {
      // Only the v2 line says that the cgroup has been removed (proc_cgroup_show).
      eat_suffix(line, " (deleted)");
      found.v2 = line;
      continue;
    }
    while (!controllers.empty()) {
      const std::string_view controller = next_piece(controllers, ',');
      if (controller == "memory") found.memory_v1 = line;
      if (controller == "name=systemd") found.systemd_v1 = line;
    }
  }
  return found;
}

std::vector<std::string> split_cmdline(std::string_view bytes) {
  std::vector<std::string> args;
  while (!bytes.empty()) args.emplace_back(next_piece(bytes, '\0'));
  return args;
}

ProcExe split_exe(std::string_view link) {
  const bool deleted = eat_suffix(link, " (deleted)");
  return {std::string(link), deleted};
}

Result<ProcDir> ProcDir::open(const Roots& roots, std::uint32_t pid) {
  const std::string path = roots.under_proc(std::to_string(pid));
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return fail(errno, "open " + path);
  return ProcDir(std::move(fd));
}

Result<ProcStat> ProcDir::stat() const {
  TRY(const auto bytes, read_at_most(fd_.get(), "stat", kMaxProcFileBytes));
  return parse_proc_stat(bytes.content);
}

Result<ProcStatus> ProcDir::status() const {
  TRY(const auto bytes, read_at_most(fd_.get(), "status", kMaxProcFileBytes));
  return parse_proc_status(bytes.content);
}

Result<ProcCgroups> ProcDir::cgroups() const {
  TRY(const auto bytes, read_at_most(fd_.get(), "cgroup", kMaxProcFileBytes));
  return parse_proc_cgroup(bytes.content);
}

Result<ProcExe> ProcDir::exe() const {
  auto link = read_link_at(fd_.get(), "exe");
  if (link) return split_exe(*link);
  if (link.error().code() == std::errc::no_such_file_or_directory)  // no mm: proc_exe_link
    return fail("no executable: the process had given up its memory, or is a kernel thread");
  return tl::make_unexpected(std::move(link).error());
}

Result<ProcCmdline> ProcDir::cmdline() const {
  TRY(const auto bytes, read_at_most(fd_.get(), "cmdline", kMaxCmdlineBytes));
  TRY(const auto now, stat());
  ProcCmdline cmdline{split_cmdline(bytes.content), std::nullopt};
  if (now.arg_start != 0 && now.arg_end >= now.arg_start)
    cmdline.full_bytes = now.arg_end - now.arg_start;
  // A rewritten title may go on past arg_end (get_mm_cmdline again).
  if (!bytes.truncated && !bytes.content.empty()) cmdline.full_bytes = bytes.content.size();
  // The file is empty for an empty argv, for a task whose mm is gone, and for one whose pages the
  // reaper took (fs/proc/base.c get_mm_cmdline stops at the first unreadable page).
  if (bytes.content.empty() && cmdline.full_bytes != 0U)
    return fail(now.exiting()
                    ? "cmdline reads as empty: the process had already given up its memory"
                    : "cmdline reads as empty, but that does not mean an empty argv here");
  return cmdline;
}

bool same_start(std::uint64_t start_boottime_ns, std::uint64_t start_ticks) {
  return start_boottime_ns / kTickNs == start_ticks;
}

std::vector<Ancestor> read_ancestry(const Roots& roots, const ProcStat& child) {
  std::vector<Ancestor> ancestry;
  std::uint32_t ppid = child.ppid;
  std::uint64_t child_start = child.start_ticks;
  while (ppid != 0 && ancestry.size() < kMaxAncestors) {
    const auto dir = ProcDir::open(roots, ppid);
    if (!dir) break;
    auto parent = dir->stat();
    if (!parent || parent->start_ticks > child_start) break;
    ancestry.push_back({ppid, std::move(parent->comm)});
    ppid = parent->ppid;
    child_start = parent->start_ticks;
  }
  return ancestry;
}

}  // namespace oomwitness
