// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/pid_ns.h"

#include <fcntl.h>

#include "enrich/bounded_read.h"
#include "enrich/number.h"
#include "enrich/procfs.h"
#include "enrich/text_scan.h"

namespace oomwitness {

Result<std::uint32_t> parse_ns_link(std::string_view link) {
  std::string_view inode = link;
  if (eat_prefix(inode, "pid:[") && eat_suffix(inode, "]")) {
    if (const auto number = parse_number<std::uint32_t>(inode)) return *number;
  }
  return fail("'" + std::string(link) + "' does not name a pid namespace");
}

Result<std::uint32_t> proc_pid_ns(const Roots& roots) {
  // Pid 1 of a mount lives in the mount's namespace, but its links need ptrace rights.
  auto link = read_link_at(AT_FDCWD, roots.under_proc("1/ns/pid"));
  if (link) return parse_ns_link(*link);

  // /proc/self/ns/pid is ours. It is the mount's too when the mount knows one pid of us; more
  // than one means that we live in a namespace below it (proc_pid_status, NSpid).
  const auto status = read_at_most(AT_FDCWD, roots.under_proc("self/status"), kMaxStateFileBytes);
  if (!status) return tl::make_unexpected(status.error());
  if (parse_proc_status(status->content).ns_pids.size() != 1)
    return tl::make_unexpected(std::move(link).error());
  TRY(const auto own, read_link_at(AT_FDCWD, roots.under_proc("self/ns/pid")));
  return parse_ns_link(own);
}

bool proc_is_initial_pid_ns(const Roots& roots) {
  const auto ns = proc_pid_ns(roots);
  return ns && *ns == kInitialPidNs;
}

Result<std::uint32_t> pid_in_proc(const Result<std::uint32_t>& proc_ns, std::uint32_t host_pid,
                                  const std::vector<NsPid>& ns_pids) {
  const std::string host = "host pid " + std::to_string(host_pid);
  if (!proc_ns)
    return fail("the pid namespace of /proc is not known (" + proc_ns.error().message() + "), so " +
                host + " cannot be looked up");
  if (*proc_ns == kInitialPidNs) return host_pid;
  for (const NsPid& pid : ns_pids)
    if (pid.ns_inum == *proc_ns) return pid.pid;
  return fail("the tool runs in a pid namespace that does not show " + host);
}

}  // namespace oomwitness
