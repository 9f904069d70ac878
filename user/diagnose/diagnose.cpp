// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/diagnose.h"

#include <algorithm>
#include <utility>

#include "diagnose/facts.h"
#include "diagnose/rules.h"
#include "diagnose/trend.h"
#include "diagnose/words.h"

namespace oomwitness {
namespace {

struct Judged {
  const Rule* rule = nullptr;
  Finding finding;
};

void add(std::vector<std::string>& list, std::string text) {
  if (text.empty() || std::find(list.begin(), list.end(), text) != list.end()) return;
  list.push_back(std::move(text));
}

bool leads(const Judged& judged) {
  return judged.rule->leads;
}

std::vector<Judged> judge(const Facts& facts) {
  std::vector<Judged> judged;
  for (const Rule& rule : rules()) {
    // It has something to say of every kill, to be heard only where nothing else leads.
    if (rule.judge == &insufficient_evidence && std::any_of(judged.begin(), judged.end(), leads))
      continue;
    if (auto finding = rule.judge(facts)) judged.push_back({&rule, *std::move(finding)});
  }
  std::stable_sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) {
    return a.rule->leads != b.rule->leads ? a.rule->leads : a.finding.weight > b.finding.weight;
  });
  return judged;
}

// Where nothing but the lack of evidence could lead, it does: insufficient-evidence always finds.
Diagnosis written(const Facts& facts, std::vector<Judged> judged) {
  Diagnosis diagnosis;
  const Judged cause = std::move(judged.front());
  judged.erase(judged.begin());
  diagnosis.cause = cause.rule->cause;
  diagnosis.confidence = cause.finding.confidence;
  diagnosis.summary = cause.finding.summary;
  for (const std::string& text : cause.finding.evidence) add(diagnosis.evidence, text);
  diagnosis.trend = trend_of(facts);
  add(diagnosis.evidence, who_died(facts));
  add(diagnosis.evidence, trend_sentence(facts));
  if (diagnosis.trend) add(diagnosis.evidence, grower_sentence(facts));
  add(diagnosis.evidence, who_held_most(facts));
  add(diagnosis.evidence, why_not_the_largest(facts));
  add(diagnosis.evidence, counterfactual(facts));
  add(diagnosis.evidence, score_sentence(facts));
  add(diagnosis.evidence, what_it_freed(facts));
  add(diagnosis.evidence, request_sentence(facts));
  for (const std::string& text : cause.finding.advice) add(diagnosis.advice, text);
  for (const Judged& other : judged) {
    if (other.rule->judge == &insufficient_evidence) continue;
    diagnosis.also.emplace_back(other.rule->cause);
    for (const std::string& text : other.finding.evidence) add(diagnosis.evidence, text);
    for (const std::string& text : other.finding.advice) add(diagnosis.advice, text);
  }
  if (facts.shortage != Shortage::kCgroup) add(diagnosis.evidence, swap_sentence(facts));
  return diagnosis;
}

}  // namespace

Diagnosis diagnose(const Incident& incident, std::span<const Earlier> earlier) {
  const Facts facts = gather(incident, earlier);
  return written(facts, judge(facts));
}

void Diagnostician::operator()(Incident& incident) {
  const std::span<const Earlier> kept(earlier_);
  incident.diagnosis = diagnose(incident, kept.last(std::min(kept.size(), kMostKills)));
  remember(incident);
}

void Diagnostician::remember(const Incident& incident) {
  const auto known = [&](const Earlier& kill) { return kill.id == incident.id; };
  const bool update =
      incident.revision != 0 && std::any_of(earlier_.begin(), earlier_.end(), known);
  if (update) return;
  const Victim* const victim = main_victim(incident);
  if (victim == nullptr || victim->role == Role::kAlreadyExiting) return;
  // Half at a time: moving all that are kept for each one that goes would be most of the work.
  if (earlier_.size() == 2 * kMostKills)
    earlier_.erase(earlier_.begin(), earlier_.begin() + kMostKills);
  earlier_.push_back({.time_unix_ns = incident.time_unix_ns,
                      .monotonic_ns = incident.monotonic_ns,
                      .pid = victim->pid.value_or(0),
                      .comm = victim->comm.value_or(""),
                      .cgroup = victim->cgroup.value_or(""),
                      .unit = victim->unit.value_or(""),
                      .id = incident.id});
}

}  // namespace oomwitness
