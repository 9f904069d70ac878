// SPDX-License-Identifier: BSD-2-Clause
#include "store/terms.h"

#include <algorithm>

namespace oomwitness {
namespace {

constexpr std::size_t kMaxSubjects = 256;
constexpr std::size_t kMaxTerms = 1024;  // of one subject: a group can have thousands of victims

class Terms {
 public:
  void add(TermKind kind, std::string_view text) {
    if (text.empty() || terms_.size() >= kMaxTerms) return;
    Term term{kind, std::string(text)};
    if (std::find(terms_.begin(), terms_.end(), term) == terms_.end())
      terms_.push_back(std::move(term));
  }
  void add_cgroup(std::string_view path) {
    for (path = cgroup_term(path); !path.empty(); path = path.substr(0, path.rfind('/'))) {
      add(TermKind::kCgroup, path);
      if (path.find('/') == std::string_view::npos) break;
    }
  }
  void add(const Victim& victim);
  bool operator==(const Terms&) const = default;
  std::vector<Term> take() { return std::move(terms_); }

 private:
  std::vector<Term> terms_;
};

void Terms::add(const Victim& victim) {
  add(TermKind::kComm, victim.comm.value_or(""));
  add(TermKind::kUnit, victim.unit.value_or(""));
  add_cgroup(victim.cgroup.value_or(""));
  if (victim.pod) {
    add(TermKind::kPod, victim.pod->name);
    if (!victim.pod->ns.empty() && !victim.pod->name.empty())
      add(TermKind::kPod, victim.pod->ns + "/" + victim.pod->name);
  }
  if (victim.container) {
    add(TermKind::kContainer, victim.container->name);
    add(TermKind::kContainer, victim.container->id);
  }
}

}  // namespace

std::vector<std::vector<Term>> terms_of(const Incident& incident) {
  std::vector<Terms> subjects;
  for (const Victim& victim : incident.victims) {
    Terms one;
    one.add(victim);
    if (std::find(subjects.begin(), subjects.end(), one) != subjects.end()) continue;
    if (subjects.size() < kMaxSubjects)
      subjects.push_back(std::move(one));
    else
      subjects.back().add(victim);
  }
  if (subjects.empty()) subjects.emplace_back();
  std::vector<std::vector<Term>> out;
  for (Terms& terms : subjects) {
    if (incident.diagnosis) terms.add(TermKind::kCause, incident.diagnosis->cause);
    out.push_back(terms.take());
  }
  return out;
}

std::string_view cgroup_term(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::uint64_t counted_kills(const Incident& incident) {
  if (incident.killer != "kernel") return 0;
  return static_cast<std::uint64_t>(
      std::count_if(incident.victims.begin(), incident.victims.end(), [](const Victim& victim) {
        return victim.role != Role::kSharedMm && victim.role != Role::kAlreadyExiting;
      }));
}

}  // namespace oomwitness
