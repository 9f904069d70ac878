// SPDX-License-Identifier: BSD-2-Clause
// /proc/PID of one process. The folder is opened once: a descriptor of /proc/PID stays bound to
// that life of the pid (reads fail with ESRCH after it), so facts of two processes never mix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "assemble/observation.h"
#include "enrich/bounded_read.h"
#include "enrich/roots.h"
#include "support/result.h"

namespace oomwitness {

inline constexpr std::size_t kMaxCmdlineBytes = 4096;
inline constexpr std::size_t kMaxAncestors = 8;

// The kernel shows times to user space in ticks of 1/100 s whatever its own HZ is (USER_HZ,
// include/asm-generic/param.h).
inline constexpr std::uint64_t kTickNs = 1'000'000'000 / 100;

struct ProcStat {
  std::uint32_t pid = 0;
  std::string comm;  // raw: stat does not escape it
  char state = '?';
  std::uint32_t ppid = 0;
  std::uint64_t flags = 0;        // PF_
  std::uint64_t start_ticks = 0;  // since boot, kTickNs each
  // 0 when there is no memory any more, or when the reader may not see addresses.
  std::uint64_t arg_start = 0;
  std::uint64_t arg_end = 0;

  bool exiting() const;  // its mm and its cgroup v1 membership are going or gone
};

struct ProcStatus {
  std::string name;  // with the kernel's escapes of '\\' and newline
  Opt<std::uint32_t> ppid;
  Opt<std::uint32_t> uid;              // real
  std::vector<std::uint32_t> ns_pids;  // outermost (the mount's own namespace) first
};

struct ProcCgroups {
  Opt<std::string> memory_v1;   // path in the hierarchy of the memory controller
  Opt<std::string> systemd_v1;  // name=systemd
  Opt<std::string> v2;
};

struct ProcExe {
  std::string path;
  bool deleted = false;
};

struct ProcCmdline {
  std::vector<std::string> args;
  Opt<std::uint64_t> full_bytes;  // absent: the addresses are hidden from the reader
};

// Pure parsers; nothing in their input is trusted.
Result<ProcStat> parse_proc_stat(std::string_view line);
ProcStatus parse_proc_status(std::string_view text);
ProcCgroups parse_proc_cgroup(std::string_view text);
// NUL-separated arguments; a missing last NUL (a rewritten or cut argv) still ends the last one.
std::vector<std::string> split_cmdline(std::string_view bytes);
// A link ends in " (deleted)" when the file is unlinked (fs/d_path.c). A file whose own name ends
// so cannot be told from it.
ProcExe split_exe(std::string_view link);

class ProcDir {
 public:
  // `pid` as the procfs mount of `roots` numbers it.
  static Result<ProcDir> open(const Roots& roots, std::uint32_t pid);

  Result<ProcStat> stat() const;
  Result<ProcStatus> status() const;
  Result<ProcCgroups> cgroups() const;
  Result<ProcExe> exe() const;
  // An empty argv is an empty vector; an argv that can no longer be read is an error, although
  // the kernel shows an empty file for both.
  Result<ProcCmdline> cmdline() const;

 private:
  explicit ProcDir(OwnedFd fd) : fd_(std::move(fd)) {}
  OwnedFd fd_;
};

// True when `start_boottime_ns` (task_struct) is the start that /proc shows in ticks
// (fs/proc/array.c do_task_stat: nsec_to_clock_t(start_boottime)).
bool same_start(std::uint64_t start_boottime_ns, std::uint64_t start_ticks);

// The parents of a process, nearest first, at most kMaxAncestors. It stops at a parent that
// started after its child: that pid has been given to another process since.
std::vector<Ancestor> read_ancestry(const Roots& roots, const ProcStat& child);

}  // namespace oomwitness
