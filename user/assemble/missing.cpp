// SPDX-License-Identifier: BSD-2-Clause
// What an incident should have and has not, and why. A field that cannot be there (a container of a
// process that is in none) is not missing.
#include <array>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "assemble/build_incident.h"
#include "assemble/completion.h"

namespace oomwitness {

namespace {

constexpr const char* kNoRecord = "no record of it arrived";

class Missing {
 public:
  Missing(Incident& incident, const CaseFile& file, const AssemblerConfig& config)
      : incident_(incident), file_(file), config_(config) {}

  void tell() {
    if (!file_.cut_short.empty()) put("incident", file_.cut_short);
    if (file_.from_kernel()) tell_decision();
    if (file_.victims.empty()) put("victims", "no victim was seen");
    for (std::size_t i = 0; i < file_.victims.size(); ++i) {
      if (file_.victims[i].from_kernel()) tell_victim(i);
      tell_proc(i);
    }
    if (config_.expect_log && file_.logs.empty())
      put("kmsg", "no report of this kill appeared in the kernel log in time");
    tell_host();
  }

 private:
  void put(const std::string& field, const std::string& why) {
    incident_.provenance.missing.emplace(field, why);
  }

  // A part of the decision: the host's own reason, else what can be said of this kill.
  void expect(bool present, const std::string& field, const std::string& why) {
    known_.emplace(field, present);
    if (present) return;
    const auto reason = config_.missing.find(field);
    if (reason != config_.missing.end() && !dying_unasked_) return put(field, reason->second);
    put(field, file_.decision ? why : no_decision_);
  }

  void tell_decision() {
    dying_unasked_ = !file_.decision && file_.victims.size() == 1 &&
                     file_.was_already_exiting(file_.victims.front(), sees_decisions(config_));
    no_decision_ = dying_unasked_ ? "the task was exiting already: no kill was decided"
                                  : "the decision was not seen";
    const Invoker& invoker = incident_.invoker;
    const char* kept = "the kernel did not give it";
    const bool of_memcg = !file_.decision || file_.decision->memcg;
    if (dying_unasked_) put("decision", no_decision_);
    expect(invoker.gfp.has_value(), "gfp", kept);
    expect(invoker.order.has_value(), "order", kept);
    expect(incident_.scope.constraint.has_value(), "constraint", kept);
    expect(incident_.scope.memcg.has_value() || !of_memcg, "memcg", kNoRecord);
    if (file_.limit_chain && file_.limit_chain->truncated)
      put("scope.memcg.ancestors", "more levels than the record holds");
    expect(incident_.candidates.total_pages.has_value(), "total_pages", kept);
    expect(incident_.selected.has_value(), "selected", kept);
    if (incident_.selected && !incident_.selected->points)
      put("selected.points", "oom_kill_allocating_task weighs nobody");
    tell_candidates();
    expect(!invoker.kernel_stack.empty(), "kernel_stack", kNoRecord);
    expect(!invoker.user_stack.empty() || invoker.kernel_thread.value_or(false), "user_stack",
           file_.stacks ? kept : kNoRecord);
    expect(!incident_.system.source.empty(), "system", kNoRecord);
    const bool stat_due = config_.expect_memcg_stat && incident_.scope.memcg;
    if (stat_due && incident_.scope.memcg->stat.empty())
      put("scope.memcg.stat", file_.stat ? "it was read and empty" : "it was not read in time");
  }

  void tell_candidates() {
    const bool present = incident_.candidates.considered.has_value();
    if (present && file_.candidates && !file_.candidates->exact)
      put("candidates.points", "summed the way oom_badness does, not what it returned");
    if (!present && file_.decision && file_.decision->message == kAllocatingTaskMessage) {
      known_.emplace("candidates", false);
      return put("candidates", "oom_kill_allocating_task weighs nobody");
    }
    const bool scanned = file_.decision && file_.decision->scanned;
    expect(present, "candidates", scanned ? kNoRecord : "not collected for this decision");
  }

  void expect_of(std::size_t index, bool present, const std::string& field,
                 const std::string& why) {
    auto [known, added] = known_.emplace(field, present);
    if (!added) known->second = known->second && present;
    if (present) return;
    const auto reason = config_.missing.find(field);
    put(victim_prefix(index) + field, reason == config_.missing.end() ? why : reason->second);
  }

  void tell_victim(std::size_t index) {
    const Victim& victim = incident_.victims[index];
    const CaseVictim& known = file_.victims[index];
    const bool described = known.seen[0] || known.seen[1] || known.seen[2];
    const char* unseen = described ? "the kernel did not give it" : "its task was not seen";
    expect_of(index, victim.pid.has_value(), "pid", "the kernel gave only a thread id");
    expect_of(index, victim.comm.has_value(), "comm", unseen);
    expect_of(index, victim.uid.has_value(), "uid", unseen);
    expect_of(index, victim.oom_score_adj.has_value(), "oom_score_adj", unseen);
    expect_of(index, victim.started_unix_ns.has_value(), "started", unseen);
    expect_of(index, victim.memory != Memory{}, "memory",
              described ? "it had given up its memory already" : unseen);
    tell_read_twice(index, victim.exe.has_value(), "exe", unseen);
    tell_read_twice(index, victim.cgroup.has_value(), "cgroup", unseen);
    tell_read_twice(index, victim.cmdline.has_value(), "cmdline", why_no_argv(known));
    tell_cut(index);
    if (victim.role != Role::kSharedMm)
      expect_of(index, victim.timeline.marked_ns.has_value(), "marked_ns", kNoRecord);
    if (victim.role != Role::kAlreadyExiting)
      expect_of(index, victim.timeline.signalled_ns.has_value(), "signalled_ns",
                "it was not seen taking SIGKILL");
    expect_of(index, victim.timeline.exited_ns.has_value(), "exited_ns", why_no_end(known));
  }

  std::string why_no_end(const CaseVictim& known) const {
    if (known.pid_reused) return "its end was not seen: the pid has another life now";
    return file_.cut_short.empty() ? "it was still there when this was written" : file_.cut_short;
  }

  static std::string why_no_argv(const CaseVictim& known) {
    if (!known.delivered) return "it was not seen taking SIGKILL";
    const int error = known.delivered->error;
    const std::string tried = "read in its own context";
    if (error == 0) return tried + ": nothing";
    return tried + ": " + std::generic_category().message(error < 0 ? -error : error);
  }

  // A field with two sources: the reasons of both.
  void tell_read_twice(std::size_t index, bool present, const std::string& field,
                       const std::string& why) {
    expect_of(index, present, field, why);
    if (present || !config_.expect_proc_facts) return;
    incident_.provenance.missing[victim_prefix(index) + field] +=
        "; /proc: " + why_not_in_proc(file_.victims[index], field);
  }

  static std::string why_not_in_proc(const CaseVictim& known, const std::string& field) {
    if (!known.facts) return "not read in time";
    const auto reason = known.facts->missing.find(field);
    if (reason != known.facts->missing.end()) return reason->second;
    return field == "cmdline" && known.facts->cmdline ? "empty" : "nothing";
  }

  void tell_cut(std::size_t index) {
    const Victim& victim = incident_.victims[index];
    const CaseVictim& known = file_.victims[index];
    if (victim.cmdline && victim.cmdline_bytes) {
      std::uint64_t have = 0;
      for (const std::string& argument : *victim.cmdline) have += argument.size() + 1;
      if (known.delivered && known.delivered->argv) have = known.delivered->argv->size();
      if (have < *victim.cmdline_bytes)
        put(victim_prefix(index) + "cmdline", "first " + std::to_string(have) + " of " +
                                                  std::to_string(*victim.cmdline_bytes) + " bytes");
    }
    for (const auto& task : known.seen)
      if (task && task->cgroup_truncated && victim.cgroup == task->cgroup)
        put(victim_prefix(index) + "cgroup", "deeper than the record holds: cut");
  }

  // What /proc alone gives, and its own words on what it could not give.
  void tell_proc(std::size_t index) {
    const Victim& victim = incident_.victims[index];
    const CaseVictim& known = file_.victims[index];
    if (known.facts) {
      const std::array<std::pair<const char*, bool>, 8> has = {
          {{"cmdline", victim.cmdline.has_value()},
           {"exe", victim.exe.has_value()},
           {"cgroup", victim.cgroup.has_value()},
           {"user", victim.user.has_value()},
           {"unit", victim.unit.has_value()},
           {"container", victim.container.has_value()},
           {"pod", victim.pod.has_value()},
           {"ancestry", !victim.ancestry.empty()}}};
      std::map<std::string, bool> present(has.begin(), has.end());
      for (const auto& [field, why] : known.facts->missing)
        if (!present[field]) put(victim_prefix(index) + field, why);
    } else if (config_.expect_proc_facts && known.from_kernel()) {
      put(victim_prefix(index) + "user", "/proc was not read in time");
    }
  }

  // The rest of what this host does not give, under names that say nothing to us.
  void tell_host() {
    if (!file_.from_kernel()) return;
    for (const auto& [field, why] : config_.missing)
      if (!known_.contains(field)) put(field, why);
  }

  Incident& incident_;
  const CaseFile& file_;
  const AssemblerConfig& config_;
  bool dying_unasked_ = false;
  std::string no_decision_;
  std::map<std::string, bool> known_;  // fields asked for, and whether they are there
};

}  // namespace

void tell_missing(Incident& incident, const CaseFile& file, const AssemblerConfig& config) {
  Missing(incident, file, config).tell();
}

}  // namespace oomwitness
