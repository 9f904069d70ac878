// SPDX-License-Identifier: BSD-2-Clause
// A live trace: BPF records, late reads and the clock, brought together in one event loop.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/bpf/tracer.h"
#include "enrich/roots.h"
#include "pipeline/incident_stream.h"
#include "support/result.h"

namespace oomwitness {

// Somebody who shares the trace's event loop: the agent, with its own clock and descriptors.
class LivePartner {
 public:
  struct Turn {
    std::vector<Observation> seen;  // taken as if the trace had seen them itself
    bool stop = false;
  };

  LivePartner() = default;
  LivePartner(const LivePartner&) = delete;
  LivePartner& operator=(const LivePartner&) = delete;
  LivePartner(LivePartner&&) = delete;
  LivePartner& operator=(LivePartner&&) = delete;
  virtual ~LivePartner() = default;

  // To be woken when one of them is readable. Asked for every time.
  virtual std::vector<int> descriptors() const = 0;
  // When to be woken although nothing came, CLOCK_MONOTONIC ns; absent: never.
  virtual std::optional<std::uint64_t> next_deadline() const = 0;
  // Records lost between the kernel and the trace, so far; called when there are more.
  virtual void on_losses(std::uint64_t /*total*/) {}
  // Called once for each time that the loop woke up, after it took what there was.
  virtual Turn turn(std::uint64_t now_ns) = 0;
};

struct LiveOptions {
  TracerOptions tracer;
  Roots roots;
  Wanted wanted;
  std::chrono::nanoseconds settle = std::chrono::milliseconds(500);
  std::optional<std::chrono::nanoseconds> duration;
  std::optional<std::string> record_path;
  std::string kmsg_path = "/dev/kmsg";  // read where the decision cannot be hooked
  bool since_boot = false;              // first the kills that the kernel's log still tells of
  bool show_secrets = false;            // do not mask arguments that look like secrets
  // Catches no signals where there is a partner: that one says when to stop. It outlives the trace.
  LivePartner* partner = nullptr;
  // Adds to an incident what only the caller knows, before it is diagnosed. Must not block.
  std::function<void(Incident&)> complete;
  // When to look for the kernel's memory counters, which takes a pass over /proc/kallsyms.
  std::chrono::nanoseconds symbols_after{0};
  bool bpf = true;  // false: the kernel's log alone, BPF is not tried
  // Called once, when every hook is in place: the plan says which ones. Without any, the kernel's
  // log alone is watched.
  std::function<void(const HookPlan&)> on_ready;
  // A sentence for stderr: what went wrong without ending the trace.
  std::function<void(std::string_view)> on_trouble;
};

// Where BPF is refused altogether, the kernel's log is watched alone, unless hooks were asked for
// by name; that is trouble to tell, and an error only where the log cannot be read either. Until
// SIGINT, SIGTERM or the partner's word, the count, the duration, or a failure. Incidents still
// open at the end are written with what is known.
Status trace_live(LiveOptions options, IncidentStream::Sink sink);

}  // namespace oomwitness
