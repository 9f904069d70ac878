// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/late_reads.h"

#include <mutex>
#include <string>
#include <type_traits>
#include <variant>

#include "capture/kallsyms.h"
#include "enrich/memory_files.h"
#include "pipeline/host.h"

namespace oomwitness {
namespace {

constexpr std::size_t kAskedAtMost = 8192;

SystemMemory read_system_memory(const Roots& roots, DecisionId id, std::uint32_t victim_pid) {
  SystemMemory memory{
      .at_ns = monotonic_now_ns(), .id = id, .victim_pid = victim_pid, .system = {}};
  auto meminfo = read_meminfo(roots);
  if (!meminfo) return memory;
  const auto swap = [&](const char* key, const char* name) {
    const auto it = meminfo->find(key);
    if (it != meminfo->end()) memory.system.swap_bytes[name] = it->second;
  };
  swap("SwapTotal", "total");
  swap("SwapFree", "free");
  memory.system.meminfo_bytes = *std::move(meminfo);
  memory.system.source = "proc";
  return memory;
}

}  // namespace

// Shared with jobs that may outlive us.
struct LateReads::Symbols {
  std::mutex mutex;
  SymbolNames fresh;
};

LateReads::LateReads(Roots roots, bool argv_in_kernel, std::unique_ptr<EnrichWorker> worker)
    : roots_(std::move(roots)),
      argv_in_kernel_(argv_in_kernel),
      enricher_(std::make_shared<const Enricher>(roots_, monotonic_now_ns)),
      worker_(std::move(worker)),
      symbols_(std::make_shared<Symbols>()) {}

Result<LateReads> LateReads::start(const Roots& roots, bool argv_in_kernel) {
  TRY(auto worker, EnrichWorker::start({}, monotonic_now_ns));
  return LateReads(roots, argv_in_kernel, std::move(worker));
}

void LateReads::follow(const Observation& observation) {
  std::visit(
      [this](const auto& seen) {
        using Seen = std::decay_t<decltype(seen)>;
        if constexpr (std::is_same_v<Seen, Decision>) {
          read_system(seen.id, 0);
        } else if constexpr (std::is_same_v<Seen, VictimTask> || std::is_same_v<Seen, MemcgChain>) {
          follow(seen);
        } else if constexpr (std::is_same_v<Seen, SystemMemory>) {
          read_meminfo_ = false;  // the programs read the counters themselves
        }
      },
      observation);
}

void LateReads::follow(const VictimTask& task) {
  if (asked_.size() >= kAskedAtMost) asked_.clear();
  if (!asked_.emplace(task.pid, task.start_boottime_ns).second) return;
  worker_->submit(victim_job(enricher_, {.pid = task.pid,
                                         .ns_pids = task.ns_pids,
                                         .start_boottime_ns = task.start_boottime_ns,
                                         .uid = task.uid,
                                         .cgroup = task.cgroup,
                                         .exe_known = task.exe.has_value(),
                                         .ancestry_known = !task.ancestry.empty(),
                                         .argv_in_kernel = argv_in_kernel_}));
  if (task.id == 0) read_system(0, task.pid);
}

void LateReads::follow(const MemcgChain& chain) {
  if (!chain.of_limit || chain.levels.empty()) return;
  const std::string path = chain.levels.front().path;
  worker_->submit(
      {.read = [roots = roots_, path, id = chain.id]() -> Observation {
         MemcgStat stat{.at_ns = monotonic_now_ns(), .id = id, .stat = {}};
         if (auto bytes = read_memcg_stat(roots, path)) stat.stat = *std::move(bytes);
         return stat;
       },
       .give_up = [id = chain.id](std::uint64_t now_ns, const std::string&) -> Observation {
         return MemcgStat{.at_ns = now_ns, .id = id, .stat = {}};
       }});
}

void LateReads::name(std::vector<std::uint64_t> addresses) {
  const auto read = [symbols = symbols_, proc = roots_.proc, addresses = std::move(addresses)]() {
    if (auto names = name_addresses(proc, addresses)) {
      // Those without one, like the tracer's own programs, are not to be asked for again.
      for (const std::uint64_t address : addresses) names->try_emplace(address);
      const std::lock_guard lock(symbols->mutex);
      symbols->fresh.merge(*names);
    }
    return Observation(Stacks{.at_ns = monotonic_now_ns()});
  };
  worker_->submit({.read = read, .give_up = [](std::uint64_t now_ns, const std::string&) {
                     return Observation(Stacks{.at_ns = now_ns});
                   }});
}

SymbolNames LateReads::take_symbols() {
  const std::lock_guard lock(symbols_->mutex);
  return std::exchange(symbols_->fresh, {});
}

void LateReads::read_system(DecisionId id, std::uint32_t victim_pid) {
  if (!read_meminfo_) return;
  worker_->submit(
      {.read = [roots = roots_, id, victim_pid]() -> Observation {
         return read_system_memory(roots, id, victim_pid);
       },
       .give_up = [id, victim_pid](std::uint64_t now_ns, const std::string&) -> Observation {
         return SystemMemory{.at_ns = now_ns, .id = id, .victim_pid = victim_pid, .system = {}};
       }});
}

}  // namespace oomwitness
