// SPDX-License-Identifier: BSD-2-Clause
#include "sink/history_table.h"

#include <array>
#include <utility>
#include <vector>

#include "sink/table_line.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kColumns = 7;

std::string line(std::array<std::string, kColumns> texts) {
  return line_of({{std::move(texts[0]), 20},
                  {std::move(texts[1]), kShownIdCharacters},
                  {std::move(texts[2]), 20},
                  {std::move(texts[3]), 7, true},
                  {std::move(texts[4]), 9, true},
                  {std::move(texts[5]), 26},
                  {std::move(texts[6]), 0}});
}

std::string pod_name(const Pod& pod) {
  return pod.ns.empty() ? pod.name : pod.ns + "/" + pod.name;
}

// Where it lived, in the words of whoever runs it.
std::string home(const Victim& victim) {
  if (victim.pod && !victim.pod->name.empty()) return "pod " + pod_name(*victim.pod);
  if (victim.container && !victim.container->name.empty())
    return "container " + victim.container->name;
  if (victim.unit) return *victim.unit;
  return victim.cgroup.value_or("-");
}

class CsvLine {
 public:
  CsvLine& plain(const std::string& text) {
    if (!std::exchange(first_, false)) line_ += ',';
    line_ += text;
    return *this;
  }
  CsvLine& number(const Opt<std::uint64_t>& number) {
    return plain(number ? std::to_string(*number) : "");
  }
  CsvLine& hostile(const std::string& bytes);
  CsvLine& hostile(const Opt<std::string>& bytes) { return hostile(bytes.value_or("")); }
  std::string take() { return std::move(line_) + "\r\n"; }

 private:
  std::string line_;
  bool first_ = true;
};

CsvLine& CsvLine::hostile(const std::string& bytes) {
  const std::string text = escape_for_terminal(bytes);
  constexpr std::string_view kFormula = "=+-@";
  std::string quoted = "\"";
  if (!text.empty() && kFormula.find(text.front()) != std::string_view::npos) quoted += '\'';
  for (const char byte : text) quoted.append(byte == '"' ? 2 : 1, byte);
  return plain(quoted + '"');
}

}  // namespace

std::string history_head() {
  return line({"time", "id", "killed", "pid", "resident", "cause", "where"});
}

std::string history_line(const Incident& incident, bool utf8) {
  const auto text = [utf8](const std::string& bytes) {
    return escape_for_terminal(bytes, utf8 ? Charset::kUtf8 : Charset::kAscii);
  };
  const Victim* victim = first_victim(incident);
  std::string who = victim == nullptr ? "nobody" : text(victim->comm.value_or("-"));
  if (incident.victims.size() > 1) who += " +" + std::to_string(incident.victims.size() - 1);
  return line({time_of(incident), text(incident.id.substr(0, kShownIdCharacters)), std::move(who),
               victim != nullptr && victim->pid ? std::to_string(*victim->pid) : "-",
               size_or_dash(resident(incident)),
               incident.diagnosis ? text(incident.diagnosis->cause) : "-",
               victim != nullptr ? text(home(*victim)) : "-"});
}

std::string csv_head() {
  return "time,id,killer,comm,pid,uid,unit,cgroup,pod,container,cause,constraint,limit_of,"
         "limit_bytes,resident_bytes,victims,summary\r\n";
}

std::string csv_line(const Incident& incident) {
  static const Victim nobody;
  const Victim* first = first_victim(incident);
  const Victim& victim = first != nullptr ? *first : nobody;
  CsvLine line;
  line.plain(incident.time_unix_ns != 0 ? rfc3339_utc(incident.time_unix_ns) : "")
      .hostile(incident.id)
      .hostile(incident.killer)
      .hostile(victim.comm)
      .number(victim.pid)
      .number(victim.uid)
      .hostile(victim.unit)
      .hostile(victim.cgroup)
      .hostile(victim.pod ? pod_name(*victim.pod) : "")
      .hostile(victim.container ? victim.container->name : "")
      .hostile(incident.diagnosis ? incident.diagnosis->cause : "")
      .hostile(incident.scope.constraint);
  const auto& memcg = incident.scope.memcg;
  line.hostile(memcg ? memcg->self.path : "")
      .number(memcg ? memcg->self.limit_bytes : std::nullopt)
      .number(resident(incident))
      .number(incident.victims.size())
      .hostile(incident.diagnosis ? incident.diagnosis->summary : "");
  return line.take();
}

}  // namespace oomwitness
