// SPDX-License-Identifier: BSD-2-Clause
// The flight recorder: memory of the host, of its cgroups and of its largest processes over the
// minutes before a kill. It wakes every few seconds, and more often for a while when the kernel
// tells of pressure (PSI), a cgroup comes near its limit or the host runs short. After open() it
// allocates nothing but for history_for().
//
// Use: poll fd() for readability and call on_event(); call on_deadline() when deadline_ns() has
// come. Times are CLOCK_MONOTONIC nanoseconds.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/recorder/cgroup_table.h"
#include "agent/recorder/process_table.h"
#include "agent/recorder/samples.h"
#include "agent/recorder/triggers.h"
#include "enrich/roots.h"
#include "incident/incident.h"
#include "support/result.h"

namespace oomwitness {

struct RecorderOptions {
  std::chrono::milliseconds slow{5'000};
  std::chrono::milliseconds fast{500};
  std::chrono::seconds calm{10};  // after the last sign of pressure
  std::chrono::seconds walk{30};  // between looks at which cgroups and processes there are
  std::size_t slow_moments = 60;  // five minutes
  std::size_t fast_moments = 90;  // 45 seconds
  std::size_t cgroups = 512;
  std::size_t processes = 48;
  std::size_t triggers = 128;
};

class Recorder {
 public:
  // Reads the host below `roots`. Without a memory controller or PSI it records what there is:
  // notes() says what is missing. Errors: /proc cannot be read.
  static Result<std::unique_ptr<Recorder>> open(const Roots& roots, const RecorderOptions& options,
                                                std::uint64_t now_ns);

  int fd() const { return triggers_.fd(); }
  std::uint64_t deadline_ns() const { return next_ns_; }
  void on_event(std::uint64_t now_ns);
  void on_deadline(std::uint64_t now_ns);

  // What is known of the time before this kill: of the host, of the cgroup whose limit was hit, of
  // the victim, and of who else was largest. The last sample is the incident's own figures. Reads
  // nothing.
  History history_for(const Incident& incident) const;

  bool under_pressure(std::uint64_t now_ns) const { return now_ns < fast_until_ns_; }
  // What this host does not give, and what it costs; for the log.
  const std::string& notes() const { return notes_; }
  // Cgroups that are not followed, of the last walk.
  std::uint64_t cgroups_left_out() const { return cgroups_ ? cgroups_->left_out() : 0; }

 private:
  Recorder(const RecorderOptions& options, Triggers triggers, ProcessTable processes,
           std::optional<CgroupTable> cgroups);

  void open_host_files(const Roots& roots);
  void arm_host(const Roots& roots);
  void arm_cgroups();
  void walk(std::uint64_t now_ns);
  void sample(std::uint64_t now_ns);
  void note(const std::string& text);
  bool host_came_short(const HostFigures& host);
  struct Columns;
  Columns columns_for(const Incident& incident, const std::vector<std::size_t>& moments) const;
  std::uint64_t last_of(std::size_t series, const std::vector<std::size_t>& moments) const;
  void add_processes(Columns& out, const std::vector<std::size_t>& moments,
                     std::optional<std::size_t> own) const;
  void add_cgroups(Columns& out, const std::vector<std::size_t>& moments,
                   const Opt<Memcg>& memcg) const;

  RecorderOptions options_;
  Triggers triggers_;
  ProcessTable processes_;
  std::optional<CgroupTable> cgroups_;
  Samples samples_;
  OwnedFd meminfo_;
  OwnedFd pressure_;
  std::optional<std::uint64_t> total_bytes_;  // RAM
  std::uint64_t next_ns_ = 0;
  std::uint64_t last_slow_ns_ = 0;
  std::uint64_t last_walk_ns_ = 0;
  std::uint64_t fast_until_ns_ = 0;
  bool host_short_ = false;
  bool may_arm_cgroups_ = true;
  std::string notes_;
  SmallBuffer buffer_{};
};

}  // namespace oomwitness
