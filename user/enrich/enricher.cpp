// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/enricher.h"

#include <array>
#include <string_view>
#include <utility>

#include "enrich/cgroup_path.h"
#include "enrich/container_state.h"
#include "enrich/pid_ns.h"
#include "enrich/users.h"

namespace oomwitness {
namespace {

// What comes from /proc/PID and is lost with it.
constexpr std::array<std::string_view, 4> kProcessFields = {"cmdline", "exe", "cgroup", "ancestry"};
constexpr std::array<std::string_view, 4> kIdentityFields = {"user", "unit", "container", "pod"};

template <std::size_t N>
void miss_all(ProcFacts& facts, const std::array<std::string_view, N>& fields,
              const std::string& why) {
  for (const std::string_view field : fields) facts.missing[std::string(field)] = why;
}

ProcFacts facts_of(const VictimQuery& query, std::uint64_t at_ns) {
  ProcFacts facts;
  facts.at_ns = at_ns;
  facts.pid = query.pid;
  facts.start_boottime_ns = query.start_boottime_ns;
  return facts;
}

struct LiveVictim {
  ProcDir dir;
  ProcStat stat;
};

// The process that the query means, when that pid is still its own.
Result<LiveVictim> open_victim(const Roots& roots, const Result<std::uint32_t>& proc_ns,
                               const VictimQuery& query) {
  TRY(const auto pid, pid_in_proc(proc_ns, query.pid, query.ns_pids));
  auto dir = ProcDir::open(roots, pid);
  if (!dir && dir.error().code() == std::errc::no_such_file_or_directory)
    return fail("the process was gone before /proc could be read");
  if (!dir) return tl::make_unexpected(std::move(dir).error());
  TRY(auto stat, dir->stat());
  if (query.start_boottime_ns != 0 && !same_start(query.start_boottime_ns, stat.start_ticks))
    return fail("pid " + std::to_string(query.pid) +
                " belongs to another process now: its start time differs");
  return LiveVictim{std::move(*dir), std::move(stat)};
}

Opt<std::uint32_t> uid_of(const ProcDir& dir) {
  const auto status = dir.status();
  return status ? status->uid : Opt<std::uint32_t>();
}

// facts.cgroup, and every path that /proc shows, the memory controller's first: without memory
// accounting systemd leaves that one at a slice, and only its own hierarchy has the unit.
std::vector<std::string> read_cgroups(const ProcDir& dir, ProcFacts& facts) {
  const auto cgroups = dir.cgroups();
  // The state after the read tells what the read is worth.
  const auto stat = dir.stat();
  if (!cgroups || !stat) {
    facts.missing["cgroup"] = (!cgroups ? cgroups.error() : stat.error()).message();
    return {};
  }
  const Opt<std::string>& path = cgroups->memory_v1 ? cgroups->memory_v1 : cgroups->v2;
  if (!path) {
    facts.missing["cgroup"] = "it has neither a cgroup of the memory controller nor a v2 one";
  } else if (path->starts_with("/..")) {
    facts.missing["cgroup"] = "the tool's cgroup namespace does not show it: " + *path;
  } else if (cgroups->memory_v1 && *path == "/" && stat->exiting()) {
    // kernel/cgroup/cgroup.c proc_cgroup_show: v1 shows the root for any exiting task.
    facts.missing["cgroup"] = "cgroup v1 no longer names the cgroup of an exiting process";
  } else {
    facts.cgroup = *path;
  }
  std::vector<std::string> paths;
  for (const auto* found : {&cgroups->memory_v1, &cgroups->systemd_v1, &cgroups->v2})
    if (*found && (**found != "/" || facts.cgroup)) paths.push_back(**found);
  return paths;
}

}  // namespace

ProcFacts no_facts(const VictimQuery& query, std::uint64_t at_ns, const std::string& why) {
  ProcFacts facts = facts_of(query, at_ns);
  miss_all(facts, kProcessFields, why);
  miss_all(facts, kIdentityFields, why);
  return facts;
}

Enricher::Enricher(Roots roots, NowNs now)
    : roots_(std::move(roots)), now_(std::move(now)), proc_ns_(proc_pid_ns(roots_)) {}

ProcFacts Enricher::collect(const VictimQuery& query, const BeforeBlocking& before_blocking) const {
  ProcFacts facts = facts_of(query, now_());
  const auto victim = open_victim(roots_, proc_ns_, query);
  if (!victim) {
    miss_all(facts, kProcessFields, victim.error().message());
    read_user(query.uid, facts);
    read_identity(query, {}, facts);
    return facts;
  }
  const ProcDir& dir = victim->dir;
  if (query.start_boottime_ns == 0)
    facts.missing["started"] = "the kernel's start time is not known: the pid may be reused";
  if (!query.ancestry_known) read_ancestors(victim->stat, facts);
  if (!query.exe_known) read_exe(dir, facts);
  read_user(query.uid ? query.uid : uid_of(dir), facts);
  read_identity(query, read_cgroups(dir, facts), facts);

  if (query.argv_in_kernel) {
    facts.missing["cmdline"] = "not asked: a reader would hold the victim's memory";
    return facts;
  }
  if (before_blocking) before_blocking(facts);
  auto cmdline = dir.cmdline();
  if (cmdline) {
    facts.cmdline = std::move(cmdline->args);
    facts.cmdline_bytes = cmdline->full_bytes;
  } else {
    facts.missing["cmdline"] = cmdline.error().message();
  }
  return facts;
}

void Enricher::read_user(Opt<std::uint32_t> uid, ProcFacts& facts) const {
  auto name = uid ? user_name(roots_, *uid) : Result<std::string>(fail("its uid is not known"));
  if (name)
    facts.user = std::move(*name);
  else
    facts.missing["user"] = name.error().message();
}

void Enricher::read_ancestors(const ProcStat& stat, ProcFacts& facts) const {
  if (proc_ns_ && *proc_ns_ == kInitialPidNs)
    facts.ancestry = read_ancestry(roots_, stat);
  else
    facts.missing["ancestry"] = "/proc numbers processes of another pid namespace than the host's";
  if (facts.ancestry.empty())
    facts.missing.try_emplace("ancestry", "its parents could not be read");
}

void Enricher::read_exe(const ProcDir& dir, ProcFacts& facts) {
  auto exe = dir.exe();
  if (exe) {
    facts.exe = std::move(exe->path);
    facts.exe_deleted = exe->deleted;
  } else {
    facts.missing["exe"] = exe.error().message();
  }
}

void Enricher::read_identity(const VictimQuery& query, std::vector<std::string> cgroups,
                             ProcFacts& facts) const {
  // The kernel's cgroup is that of the kill; /proc's may be another one by now.
  if (query.cgroup) cgroups.insert(cgroups.begin(), *query.cgroup);
  if (cgroups.empty()) {
    for (const char* field : {"unit", "container", "pod"})
      facts.missing[field] = "its cgroup is not known";
    return;
  }
  CgroupIdentity identity;
  for (const std::string& path : cgroups) {
    CgroupIdentity part = parse_cgroup_path(path);
    if (!identity.unit) identity.unit = std::move(part.unit);
    if (!identity.container) identity.container = std::move(part.container);
    if (!identity.pod_uid) identity.pod_uid = std::move(part.pod_uid);
  }
  auto found = read_container(roots_, identity);
  facts.container = std::move(found.container);
  facts.pod = std::move(found.pod);
  facts.missing.merge(found.missing);
  facts.unit = std::move(identity.unit);
}

}  // namespace oomwitness
