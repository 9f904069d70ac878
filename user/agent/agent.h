// SPDX-License-Identifier: BSD-2-Clause
// The agent's share of the event loop: takes incidents from the trace, writes them first, tells the
// other parts then; looks after the kernel's log, the store, systemd and signals.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/cgroup_kills.h"
#include "agent/config.h"
#include "agent/earlier_boots.h"
#include "agent/figures.h"
#include "agent/incident_queue.h"
#include "agent/kill_ledger.h"
#include "agent/log.h"
#include "agent/log_catch_up.h"
#include "agent/part.h"
#include "agent/service.h"
#include "agent/steady_clock.h"
#include "pipeline/live.h"
#include "store/store.h"
#include "support/owned_fd.h"

namespace oomwitness {

class Agent final : public LivePartner {
 public:
  struct Surroundings {
    Store& store;
    const AgentLog& log;
    const Service& service;
    AgentFigures& figures;
    std::vector<AgentPart*> parts;
    // Reads the configuration again.
    std::function<Result<ConfigFile>()> read_config;
  };

  // `signals`: SIGINT, SIGTERM and SIGHUP are read from it (signalfd(2)).
  Agent(AgentConfig config, OwnedFd signals, Surroundings around);

  // Before the hooks: reads what the kernel's log tells of kills since the agent was last here.
  void look_back();
  // The hooks are in place.
  void start();
  void complete(Incident& incident);
  // The trace's sink. Never fails: what cannot be written waits.
  Status accept(const Incident& seen);
  // After the trace has ended.
  void finish();

  std::vector<int> descriptors() const override;
  std::optional<std::uint64_t> next_deadline() const override;
  Turn turn(std::uint64_t now_ns) override;
  void on_losses(std::uint64_t total) override;

 private:
  void look_at_earlier_boots();
  void write_waiting();
  void tell_stored(std::uint64_t now_ns);
  bool take_signals();
  void reload();
  void read_log(std::uint64_t now_ns);
  void settle_store(std::uint64_t now_ns);
  void keep_log_place();
  void retain();
  void reconcile(std::uint64_t now_ns);
  void reconcile_cgroups(std::uint64_t now_ns);
  void rest();
  void tell_failure(const Error& error);

  AgentConfig config_;
  OwnedFd signals_;
  Surroundings around_;
  std::string boot_id_;
  KillLedger ledger_;
  std::optional<LogCatchUp> log_;
  std::optional<EarlierBoots> earlier_boots_;
  CgroupKills cgroup_kills_;
  IncidentQueue queue_;
  SteadyClock clock_;
  std::deque<std::string> skipped_;  // ids of incidents that the log told of and that were known
  LogPlace kept_place_;
  std::uint64_t settled_ns_ = 0;  // until then all that the log told is in the store
  std::uint64_t last_kill_ns_ = 0;
  bool resting_ = false;  // since the last kill, memory has been given back
  bool failing_ = false;  // it was said
  std::int64_t undescribed_told_ = 0;
  std::uint64_t cgroups_undescribed_told_ = 0;
  // When each is due, CLOCK_MONOTONIC ns.
  std::optional<std::uint64_t> alive_at_;
  std::optional<std::uint64_t> read_log_at_;
  std::optional<std::uint64_t> settle_at_;  // what was written is to reach the disk
  std::optional<std::uint64_t> retry_at_;   // what could not be written is tried again
  std::uint64_t retry_after_ns_ = 0;
};

}  // namespace oomwitness
