// SPDX-License-Identifier: BSD-2-Clause
#include "agent/agent.h"

#include <malloc.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <utility>

#include "agent/kill_count.h"
#include "agent/redaction.h"
#include "incident/json.h"
#include "pipeline/host.h"

namespace oomwitness {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
// How long the log may stand unread when nothing happens: what the hooks have missed is found then.
constexpr std::uint64_t kReadLogEvery = 10 * kSecond;
// After a kill its report is in the log by then.
constexpr std::uint64_t kReadLogAfterKill = kSecond;
// What a crash of the machine may cost.
constexpr std::uint64_t kSettleAfter = kSecond;
// What is too old goes though nothing new comes.
constexpr std::uint64_t kSettleAtLeastEvery = 3600 * kSecond;
constexpr std::uint64_t kRetryFirst = kSecond;
constexpr std::uint64_t kRetryLongest = 30 * kSecond;
// Kills in progress are counted before they are described.
constexpr std::uint64_t kQuietBeforeCounting = 20 * kSecond;
constexpr std::size_t kMostWaiting = 256;
constexpr std::size_t kMostSkipped = 256;
constexpr std::size_t kMostRemembered = 16384;

// The earlier of what is due already and `at`.
void due_by(std::optional<std::uint64_t>& due, std::uint64_t at) {
  due = std::min(due.value_or(at), at);
}

bool take_due(std::optional<std::uint64_t>& due, std::uint64_t now_ns) {
  if (!due || *due > now_ns) return false;
  due.reset();
  return true;
}

std::int64_t clock_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * static_cast<std::int64_t>(kSecond) + now.tv_nsec;
}

}  // namespace

Agent::Agent(AgentConfig config, OwnedFd signals, Surroundings around)
    : config_(std::move(config)),
      signals_(std::move(signals)),
      around_(std::move(around)),
      boot_id_(read_host(config_.capture.roots.proc).boot_id),
      ledger_(std::nullopt),
      cgroup_kills_(config_.capture.roots),
      queue_(kMostWaiting) {}

void Agent::look_back() {
  const auto place = around_.store.log_place(boot_id_);
  if (!place) return around_.log.say(Severity::kWarning, place.error());
  kept_place_ = *place;
  settled_ns_ = place->settled_ns;
  ledger_ = KillLedger(place->minus_monotonic_ns);
  auto log = LogCatchUp::open(config_.capture.kernel_log, place->next);
  if (!log) {
    around_.log.say(Severity::kWarning, log.error());
    return around_.log.say(Severity::kWarning,
                           "kills that happened while the agent was down will not be found");
  }
  if (log->lost() > 0) {
    around_.log.say(Severity::kWarning, std::to_string(log->lost()) +
                                            " messages of the kernel's log were overwritten before "
                                            "they were read: kills may be among them");
  }
  // Known kills as far back as the log still tells of some, and a little more.
  if (const auto oldest = log->oldest_ns()) {
    constexpr std::uint64_t kClocksApart = 3600 * kSecond;
    const std::uint64_t from = *oldest > kClocksApart ? *oldest - kClocksApart : 0;
    const auto known = around_.store.of_boot(boot_id_, from, kMostRemembered);
    if (!known) return around_.log.say(Severity::kWarning, known.error());
    for (const StoredIncident& stored : *known)
      if (const auto incident = incident_from_json(stored.json)) ledger_.add(*incident);
  }
  log_.emplace(*std::move(log));
}

void Agent::start() {
  const std::uint64_t now_ns = monotonic_now_ns();
  for (AgentPart* part : around_.parts) part->start();
  if (const auto every = around_.service.alive_every_ns()) alive_at_ = now_ns + *every;
  read_log_at_ = now_ns;
  settle_at_ = now_ns + kSettleAfter;
  look_at_earlier_boots();
}

void Agent::look_at_earlier_boots() {
  if (!config_.capture.earlier_boots) return;
  const Roots& roots = config_.capture.roots;
  EarlierBootsOptions options{.boot_id = boot_id_, .redact = config_.redact};
  if (roots.root != "/") options.journal = roots.under_root("var/log/journal");
  earlier_boots_.emplace(std::move(options),
                         EarlierBoots::Around{.store = around_.store,
                                              .log = around_.log,
                                              .figures = around_.figures,
                                              .lock_memory = config_.service.lock_memory});
}

void Agent::complete(Incident& incident) {
  for (AgentPart* part : around_.parts) part->complete(incident);
}

Status Agent::accept(const Incident& seen) {
  if (KillLedger::is_from_log(seen)) {
    const auto skipped = std::find(skipped_.begin(), skipped_.end(), seen.id);
    if (skipped != skipped_.end()) return {};
    if (seen.revision == 0 && ledger_.knows(seen)) {
      skipped_.push_back(seen.id);
      if (skipped_.size() > kMostSkipped) skipped_.pop_front();
      return {};
    }
  }
  ledger_.add(seen);
  cgroup_kills_.add(seen);
  Incident incident = seen;
  redact(incident, config_.redact);
  queue_.push(std::move(incident));
  last_kill_ns_ = monotonic_now_ns();
  resting_ = false;
  due_by(read_log_at_, last_kill_ns_ + kReadLogAfterKill);
  // While the disk refuses, not at every kill.
  if (!retry_at_) write_waiting();
  around_.figures.waiting = queue_.size();
  around_.figures.given_up = queue_.given_up();
  return {};
}

void Agent::write_waiting() {
  const auto written =
      queue_.flush([this](const Incident& incident) { return around_.store.put(incident); });
  around_.figures.waiting = queue_.size();
  const std::uint64_t now_ns = monotonic_now_ns();
  if (!written) {
    tell_failure(written.error());
    if (retry_after_ns_ == 0) {
      around_.log.say(Severity::kError, "incidents wait in memory, " +
                                            std::to_string(kMostWaiting) +
                                            " at most, until the store can be written");
    }
    retry_after_ns_ = std::clamp(2 * retry_after_ns_, kRetryFirst, kRetryLongest);
    retry_at_ = now_ns + retry_after_ns_;
    return;
  }
  if (std::exchange(failing_, false))
    around_.log.say(Severity::kNotice, "the store can be written again");
  retry_after_ns_ = 0;
  if (*written == 0) return;
  around_.figures.stored += *written;
  tell_stored(now_ns);
}

void Agent::tell_stored(std::uint64_t now_ns) {
  due_by(settle_at_, now_ns + kSettleAfter);
  const auto newest = around_.store.last_seq();
  if (!newest) return tell_failure(newest.error());
  for (AgentPart* part : around_.parts) part->stored(*newest);
}

void Agent::tell_failure(const Error& error) {
  ++around_.figures.write_failures;
  if (!std::exchange(failing_, true)) around_.log.say(Severity::kError, error);
}

std::vector<int> Agent::descriptors() const {
  std::vector<int> all{signals_.get()};
  if (earlier_boots_) all.push_back(earlier_boots_->fd());
  for (const AgentPart* part : around_.parts)
    for (const int fd : part->descriptors()) all.push_back(fd);
  return all;
}

std::optional<std::uint64_t> Agent::next_deadline() const {
  std::optional<std::uint64_t> next;
  const auto add = [&](std::optional<std::uint64_t> at) {
    if (at) due_by(next, *at);
  };
  for (const auto& at : {alive_at_, read_log_at_, settle_at_, retry_at_}) add(at);
  if (log_) add(log_->next_deadline());
  for (const AgentPart* part : around_.parts) add(part->next_deadline());
  return next;
}

LivePartner::Turn Agent::turn(std::uint64_t now_ns) {
  Turn turn;
  turn.stop = take_signals();
  if (take_due(alive_at_, now_ns)) {
    around_.service.alive();
    alive_at_ = now_ns + *around_.service.alive_every_ns();
  }
  if (take_due(retry_at_, now_ns)) write_waiting();
  if (take_due(read_log_at_, now_ns)) read_log(now_ns);
  if (take_due(settle_at_, now_ns)) settle_store(now_ns);
  if (log_) {
    turn.seen = log_->take_missed(ledger_, now_ns);
    around_.figures.missed = log_->missed();
  }
  if (earlier_boots_ && earlier_boots_->take_stored()) {
    resting_ = false;
    tell_stored(now_ns);
  }
  for (AgentPart* part : around_.parts) part->turn(now_ns);
  return turn;
}

// Said once: the figure goes on.
void Agent::on_losses(std::uint64_t total) {
  if (around_.figures.lost_events.exchange(total) != 0) return;
  around_.log.say(Severity::kWarning, std::to_string(total) +
                                          " records were lost between the kernel and the agent: "
                                          "what they said is missing from incidents; kills are "
                                          "looked for in the kernel's log");
}

bool Agent::take_signals() {
  bool stop = false;
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGHUP)
      reload();
    else
      stop = true;
  }
  return stop;
}

void Agent::reload() {
  around_.service.reloading(monotonic_now_ns());
  auto file = around_.read_config();
  if (!file) {
    around_.log.say(Severity::kError, file.error());
    around_.log.say(Severity::kError, "the configuration stays as it was");
    return around_.service.ready("watching");
  }
  const AgentConfig fresh = read_agent_config(*file);
  config_.redact = fresh.redact;
  config_.store = fresh.store;
  around_.store.set_limits(fresh.store);
  for (AgentPart* part : around_.parts) part->reload(*file);
  around_.log.say(Severity::kNotice,
                  "reloaded; [capture], [service] and the store's path count from the next start");
  due_by(settle_at_, monotonic_now_ns());
  around_.service.ready("watching");
}

void Agent::read_log(std::uint64_t now_ns) {
  if (!log_) return;
  read_log_at_ = now_ns + kReadLogEvery;
  if (const Status read = log_->read(now_ns); !read) {
    around_.log.say(Severity::kWarning, read.error());
    around_.log.say(Severity::kWarning, "kills that the hooks miss will not be found any more");
    log_.reset();
    read_log_at_.reset();
    return;
  }
  around_.figures.log_lost = log_->lost();
  if (log_->is_settled()) settled_ns_ = now_ns;
  reconcile(now_ns);
  // There is more to keep than at the last time.
  if (queue_.empty() && log_->next() > kept_place_.next) due_by(settle_at_, now_ns + kSettleAfter);
}

void Agent::settle_store(std::uint64_t now_ns) {
  retain();
  if (queue_.empty()) keep_log_place();
  settle_at_ = now_ns + kSettleAtLeastEvery;
  if (const Status synced = around_.store.sync(); !synced) {
    tell_failure(synced.error());
    due_by(settle_at_, now_ns + kRetryLongest);
  }
  reconcile(now_ns);
}

void Agent::keep_log_place() {
  if (!log_) return;
  const LogPlace place{.next = log_->next(),
                       .minus_monotonic_ns = ledger_.log_minus_monotonic_ns(),
                       .settled_ns = settled_ns_};
  if (place.next == kept_place_.next) return;
  if (const Status kept = around_.store.set_log_place(boot_id_, place); !kept)
    return tell_failure(kept.error());
  kept_place_ = place;
}

void Agent::retain() {
  const auto now =
      clock_.look(clock_now(CLOCK_REALTIME), static_cast<std::uint64_t>(clock_now(CLOCK_BOOTTIME)));
  const auto retained = around_.store.retain(now);
  if (!retained) return tell_failure(retained.error());
  around_.figures.removed += retained->removed;
  around_.figures.removed_unsent += retained->removed_unsent;
  if (retained->removed_unsent > 0) {
    around_.log.say(Severity::kWarning,
                    std::to_string(retained->removed_unsent) +
                        " incidents that an exporter has not had were removed: unsent_size of "
                        "[store] is reached");
  }
  if (const auto bytes = around_.store.bytes()) around_.figures.store_bytes = *bytes;
}

// What a storm has taken goes back to the kernel when it is over.
void Agent::rest() {
  if (std::exchange(resting_, true)) return;
  ::malloc_trim(0);
}

void Agent::reconcile(std::uint64_t now_ns) {
  const bool quiet = now_ns - last_kill_ns_ >= kQuietBeforeCounting || last_kill_ns_ == 0;
  if (!quiet || !queue_.empty() || (log_ && log_->open_kills() > 0)) return;
  rest();
  reconcile_cgroups(now_ns);
  const auto counted = read_kill_count(config_.capture.roots.proc);
  const auto described = around_.store.kills(boot_id_);
  if (!counted || !described) return;
  const auto undescribed =
      static_cast<std::int64_t>(*counted) - static_cast<std::int64_t>(*described);
  around_.figures.kills_counted = *counted;
  around_.figures.kills_described = *described;
  around_.figures.kills_undescribed = undescribed;
  if (undescribed == std::exchange(undescribed_told_, undescribed)) return;
  around_.log.say(undescribed == 0 ? Severity::kInfo : Severity::kWarning,
                  "the kernel has counted " + std::to_string(*counted) +
                      " OOM kills since boot, the store describes " + std::to_string(*described));
}

void Agent::reconcile_cgroups(std::uint64_t now_ns) {
  cgroup_kills_.reconcile(now_ns);
  const std::uint64_t undescribed = cgroup_kills_.undescribed();
  around_.figures.cgroup_kills_undescribed = undescribed;
  if (undescribed <= std::exchange(cgroups_undescribed_told_, undescribed)) return;
  around_.log.say(Severity::kWarning, "cgroups of kills that were described have counted " +
                                          std::to_string(undescribed) +
                                          " more that were not (memory.events)");
}

void Agent::finish() {
  around_.service.stopping();
  if (earlier_boots_) earlier_boots_->stop();
  const std::uint64_t now_ns = monotonic_now_ns();
  write_waiting();
  if (log_ && log_->read(now_ns)) {
    log_->settle(ledger_);
    if (log_->is_settled()) settled_ns_ = now_ns;
    if (queue_.empty()) keep_log_place();
  }
  for (AgentPart* part : around_.parts) part->stop();
  if (const Status synced = around_.store.sync(); !synced) tell_failure(synced.error());
  if (!queue_.empty()) {
    around_.log.say(Severity::kError, std::to_string(queue_.size()) +
                                          " incidents could not be written; the next start looks "
                                          "for them in the kernel's log");
  }
}

}  // namespace oomwitness
