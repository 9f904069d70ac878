// SPDX-License-Identifier: BSD-2-Clause
// The live trace beside a run, in a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enrich/roots.h"
#include "incident/incident.h"
#include "run/run_record.h"

namespace oomwitness {

struct WitnessOptions {
  Roots roots;
  RunDepth deepest = RunDepth::kBpf;  // kKernelLog: BPF is not tried; below: nothing is watched
  // Whose victims' incidents to keep: of the cgroup with this path, or, where it has a name that no
  // other has, of one with it (inside a cgroup namespace the path's beginning is hidden), and of
  // those below.
  std::string cgroup;
  bool by_name = false;
};

// Whether a victim's cgroup is one of those.
bool is_watched(std::string_view victim_cgroup, const WitnessOptions& options);

class Witness {
 public:
  // Returns when kills can be seen, or when it is known that they cannot. The caller's signals are
  // blocked before.
  static Witness start(const WitnessOptions& options);
  Witness(Witness&&) noexcept;
  Witness& operator=(Witness&&) noexcept;
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness();

  // kBpf or kKernelLog; kCgroup: nothing is seen.
  RunDepth depth() const;
  // Why it is no deeper; empty: it is as deep as was asked for.
  const std::string& refusal() const;
  // Ends the watch, once incidents with that many victims are there or the time is over, and gives
  // the incidents, each in its last revision.
  std::vector<Incident> finish(std::uint64_t victims, std::chrono::milliseconds longest);

 private:
  struct Watch;
  explicit Witness(std::unique_ptr<Watch> watch);
  std::unique_ptr<Watch> watch_;
};

}  // namespace oomwitness
