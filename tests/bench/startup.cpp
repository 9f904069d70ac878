// SPDX-License-Identifier: BSD-2-Clause
#include <poll.h>

#include "cgroup.h"
#include "idle.h"
#include "measures.h"
#include "statistics.h"

namespace oomwitness::bench {
namespace {

using nlohmann::json;

// A trampoline is freed some time after its program, and the optimiser of kprobes works on for a
// second and more with the lock of kernel text in its hands (kprobe_optimizer, kernel/kprobes.c):
// the next start would pay for the last.
void wait_detached() {
  constexpr int kRestMs = 3000;
  for (int tries = 0; tries < 1000; ++tries) {
    const std::string enabled = read_file("/sys/kernel/tracing/enabled_functions");
    if (enabled.find("oom_") == std::string::npos) break;
    poll(nullptr, 0, 5);
  }
  poll(nullptr, 0, kRestMs);
}

struct Samples {
  std::vector<double> ms;
  std::vector<double> cpu_ms;  // of these, what the process itself ran
};

void start_once(const Tools& tools, bool peer, Samples& samples) {
  {
    Child child(peer ? tools.peer : tools.tracer, peer ? Stdout::kTerminal : Stdout::kPipe);
    const std::int64_t ready = peer ? wait_for_text(child.out(), "Tracing OOM kills")
                                    : wait_for_text(child.err(), "ready:");
    samples.cpu_ms.push_back(static_cast<double>(cpu_ns(child.pid())) / 1e6);
    samples.ms.push_back(static_cast<double>(ready - child.started_ns()) / 1e6);
  }
  wait_detached();
}

}  // namespace

json measure_startup(const Tools& tools, int rounds) {
  Samples ours;
  Samples theirs;
  // The first round warms the page cache and is not counted.
  for (int round = 0; round <= rounds; ++round) {
    if (!tools.peer.empty()) start_once(tools, true, theirs);
    start_once(tools, false, ours);
    if (round > 0) continue;
    ours = {};
    theirs = {};
  }
  json out = {{"rounds", rounds},
              {"oomwitness_ms", summary(ours.ms, true)},
              {"oomwitness_cpu_ms", summary(ours.cpu_ms)}};
  if (theirs.ms.empty()) return out;
  out["libbpf-tools_ms"] = summary(theirs.ms, true);
  out["libbpf-tools_cpu_ms"] = summary(theirs.cpu_ms);
  out["ratio_of_medians"] = median(ours.ms) / median(theirs.ms);
  out["median_ratio"] = median_ratio(ours.ms, theirs.ms);
  return out;
}

}  // namespace oomwitness::bench
