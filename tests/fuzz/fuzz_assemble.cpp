// SPDX-License-Identifier: BSD-2-Clause
// Any stream of observations: no crash, the same incidents however time is cut, every update under
// an id that was reported before, nothing zero that is not known.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "assemble/assembler.h"

namespace oomwitness {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", rule);
  std::abort();
}

// Few distinct pids, ids and times, so that observations meet.
class Stream {
 public:
  Stream(const std::uint8_t* bytes, std::size_t size) : at_(bytes), end_(bytes + size) {}

  bool done() const { return at_ == end_; }
  std::uint8_t byte() { return done() ? std::uint8_t{0} : *at_++; }
  bool coin() { return (byte() & 1) != 0; }
  std::uint32_t pid() { return byte() % 6U; }
  DecisionId id() { return byte() % 5U; }
  std::uint64_t start() { return byte() % 3U; }
  std::string text() {
    std::string out;
    for (int left = byte() % 5; left > 0; --left) out += static_cast<char>(byte());
    return out;
  }
  // Never twice the same: two kills cannot be decided in the same nanosecond (oom_lock).
  std::uint64_t time() {
    static constexpr std::uint64_t kSteps[] = {1,        1,         1,          kMs,
                                               60 * kMs, 300 * kMs, 3000 * kMs, 700'000 * kMs};
    now_ += kSteps[byte() % 8U];
    return now_;
  }
  std::uint64_t now() const { return now_; }
  TaskState state() { return {.sigkill_pending = coin(), .group_exit = coin()}; }
  InvokerTask invoker() {
    InvokerTask task;
    task.pid = pid();
    task.tid = pid();
    return task;
  }
  Memory memory() {
    Memory out;
    if (coin()) out.anon_rss_bytes = byte();
    return out;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::uint64_t now_ = kMs;
};

Decision make_decision(Stream& in) {
  Decision out;
  out.at_ns = in.time();
  out.id = in.id();
  out.invoker = in.invoker();
  if (in.coin()) out.order = static_cast<std::int32_t>(in.byte()) - 1;
  if (in.coin()) out.gfp_mask = in.byte();
  if (in.coin()) out.constraint = in.byte();
  if (in.coin())
    out.chosen = Decision::Chosen{.pid = in.pid(),
                                  .tid = in.pid(),
                                  .comm = in.text(),
                                  .points = in.byte(),
                                  .state = in.state()};
  out.scanned = in.coin();
  out.memcg = in.coin();
  if (in.coin()) out.message = "Out of memory (oom_kill_allocating_task)";
  return out;
}

std::vector<MemcgLevel> make_levels(Stream& in) {
  std::vector<MemcgLevel> out(in.byte() % 4U);
  for (MemcgLevel& level : out) {
    level.path = in.text();
    if (in.coin()) level.usage_bytes = in.byte();
  }
  return out;
}

VictimTask make_task(Stream& in) {
  VictimTask out;
  out.at_ns = in.time();
  out.id = in.id();
  out.seen_at = static_cast<SeenAt>(in.byte() % 3);
  out.role = static_cast<Role>(in.byte() % 6);
  out.state = in.state();
  out.pid = in.pid();
  out.tid = in.pid();
  out.start_boottime_ns = in.start();
  out.comm = in.text();
  out.memory = in.memory();
  out.shares_mm = in.coin();
  out.oom_group = in.coin();
  if (in.coin()) out.invoker = in.invoker();
  if (in.coin()) out.ns_pids = {{.pid = in.pid(), .ns_inum = 1}, {.pid = 7, .ns_inum = 2}};
  return out;
}

Marked make_mark(Stream& in) {
  Marked out;
  out.at_ns = in.time();
  out.id = in.id();
  if (in.coin()) out.pid = in.pid();
  out.tid = in.pid();
  out.invoker = in.invoker();
  if (in.coin()) out.memory = in.memory();
  return out;
}

Delivered make_delivery(Stream& in) {
  Delivered out;
  out.at_ns = in.time();
  out.id = in.id();
  out.pid = in.pid();
  out.tid = in.pid();
  if (in.coin()) out.argv = in.text();
  out.argv_bytes = in.byte();
  out.error = in.byte();
  return out;
}

ProcFacts make_facts(Stream& in) {
  ProcFacts out;
  out.at_ns = in.time();
  out.pid = in.pid();
  out.start_boottime_ns = in.start();
  if (in.coin()) out.cmdline = std::vector<std::string>(in.byte() % 3U, "x");
  if (in.coin()) out.user = in.text();
  if (in.coin()) out.missing = {{"cmdline", "gone"}};
  return out;
}

LogReport make_report(Stream& in) {
  LogReport out;
  out.at_ns = in.time();
  if (in.coin()) {
    Memcg memcg;
    memcg.self.path = in.text();
    out.scope.memcg = memcg;
  }
  for (int left = in.byte() % 4; left > 0; --left) {
    Victim victim;
    const std::uint32_t pid = in.pid();
    if (pid != 0) victim.pid = pid;
    victim.comm = in.text();
    out.victims.push_back(victim);
  }
  return out;
}

Observation make_observation(Stream& in) {
  switch (in.byte() % 14) {
    case 0: return make_decision(in);
    case 1: {
      const bool of_limit = in.coin();
      return MemcgChain{.at_ns = in.time(),
                        .id = in.id(),
                        .of_limit = of_limit,
                        .victim_pid = in.pid(),
                        .levels = make_levels(in),
                        .truncated = in.coin()};
    }
    case 2:
      return CandidateList{.at_ns = in.time(),
                           .id = in.id(),
                           .considered = in.pid(),
                           .unkillable = 0,
                           .exact = in.coin(),
                           .top = {}};
    case 3: return Stacks{.at_ns = in.time(), .id = in.id(), .kernel = {}, .user = {}};
    case 4: {
      SystemMemory out{.at_ns = in.time(), .id = in.id(), .system = {}};
      out.system.source = in.coin() ? "bpf" : "proc";
      return out;
    }
    case 5:
    case 6: return make_task(in);
    case 7: return make_mark(in);
    case 8: return make_delivery(in);
    case 9:
      return Reaped{.at_ns = in.time(),
                    .id = in.id(),
                    .tid = in.pid(),
                    .phase = static_cast<ReapPhase>(in.byte() % 4)};
    case 10: return Exited{.at_ns = in.time(), .id = in.id(), .pid = in.pid(), .exit_code = 9};
    case 11: return make_facts(in);
    case 12: return make_report(in);
    default:
      if (in.coin()) return Losses{.at_ns = in.time(), .total = in.byte()};
      return MemcgStat{.at_ns = in.time(), .id = in.id(), .stat = {{"anon", 1}}};
  }
}

AssemblerConfig make_config(Stream& in) {
  AssemblerConfig config;
  const std::uint8_t knobs = in.byte();
  config.expect_proc_facts = (knobs & 1) != 0;
  config.expect_memcg_stat = (knobs & 2) != 0;
  config.expect_log = (knobs & 4) != 0;
  if ((knobs & 8) != 0) config.hooks = {{"oom_kill_process", "fentry"}};
  if ((knobs & 16) != 0) config.max_open = 2;
  if ((knobs & 32) != 0) config.missing = {{"gfp", "no hook"}, {"cmdline", "no hook"}};
  return config;
}

class Ledger {
 public:
  void check(const Incident& incident) {
    const auto [entry, first] = revisions_.try_emplace(incident.id, incident.revision);
    if (first) {
      require(incident.revision == 0, "the first report is no update");
    } else {
      require(incident.revision == ++entry->second, "updates count up by one");
    }
    require(incident.id.size() == 26, "ids are ULIDs");
    require(!incident.provenance.sources.empty() || incident.victims.empty(),
            "victims have a source");
    for (const Victim& victim : incident.victims) {
      require(victim.pid != 0U && victim.tid != 0U, "a victim's pid is absent, not zero");
      require(victim.ns_pid != 0U && victim.ppid != 0U, "its other pids too");
      require(victim.threads != 0U, "and its threads");
    }
    require(incident.invoker.pid != 0U && incident.invoker.tid != 0U, "the invoker's pid too");
    all.push_back(incident);
  }

  std::vector<Incident> all;

 private:
  std::map<std::string, std::uint32_t> revisions_;
};

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace oomwitness;
  Stream in(bytes, size);
  const AssemblerConfig config = make_config(in);
  Ledger whole;
  Ledger stepped;
  Assembler one(config, [&whole](const Incident& incident) { whole.check(incident); });
  Assembler two(config, [&stepped](const Incident& incident) { stepped.check(incident); });
  std::uint64_t before = 0;
  while (!in.done()) {
    const Observation seen = make_observation(in);
    const std::uint64_t now = in.now();
    one.observe(seen, now);
    // The same time in three steps and at each deadline.
    two.advance(before + (now - before) / 3);
    while (const auto deadline = two.next_deadline()) {
      if (*deadline > now) break;
      two.advance(*deadline);
    }
    two.observe(seen, now);
    before = now;
    require(!one.next_deadline() || *one.next_deadline() > now, "what is due has been written");
    require(one.next_deadline() == two.next_deadline(), "deadlines do not depend on advance");
  }
  one.flush(before + kMs);
  two.flush(before + kMs);
  require(whole.all == stepped.all, "incidents do not depend on advance");
  require(!one.next_deadline(), "nothing is open after flush");
  const std::size_t written = whole.all.size();
  one.flush(before + 2 * kMs);
  require(whole.all.size() == written, "flush writes once");
  return 0;
}
