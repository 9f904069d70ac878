// SPDX-License-Identifier: BSD-2-Clause
// What was recorded, as an incident's history.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/recorder/recorder.h"

namespace oomwitness {
namespace {

using Values = std::map<std::string, std::uint64_t>;

constexpr std::size_t kTrackedEach = 3;

// A series that goes into the samples, and under which name.
struct Column {
  std::string name;
  std::size_t series = 0;
};

void put(Values& values, const char* name, const std::optional<std::uint64_t>& value) {
  if (value) values[name] = *value;
}

void put_host(Values& values, const HostFigures& host) {
  put(values, "host_available_bytes", host.available);
  put(values, "host_free_bytes", host.free);
  put(values, "host_anon_bytes", host.anon);
  put(values, "host_file_bytes", host.file);
  put(values, "host_shmem_bytes", host.shmem);
  put(values, "host_slab_bytes", host.slab);
  put(values, "host_page_tables_bytes", host.page_tables);
  put(values, "host_swap_free_bytes", host.swap_free);
  put(values, "host_psi_some_us", host.psi_some_us);
  put(values, "host_psi_full_us", host.psi_full_us);
}

const Victim* chosen(const Incident& incident) {
  const auto& victims = incident.victims;
  const auto found = std::find_if(victims.begin(), victims.end(),
                                  [](const Victim& v) { return v.role == Role::kChosen; });
  if (found != victims.end()) return &*found;
  return victims.empty() ? nullptr : &victims.front();
}

bool is_below(std::string_view path, std::string_view top) {
  if (top == "/") return true;
  return path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

// Those with the most at the end, at most three, most first.
std::vector<std::size_t> largest(std::vector<std::pair<std::uint64_t, std::size_t>> of) {
  std::sort(of.begin(), of.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < std::min(of.size(), kTrackedEach); ++i) rows.push_back(of[i].second);
  return rows;
}

std::optional<std::uint64_t> resident(const Memory& memory) {
  if (!memory.anon_rss_bytes) return memory.rss_bytes;
  return *memory.anon_rss_bytes + memory.file_rss_bytes.value_or(0) +
         memory.shmem_rss_bytes.value_or(0);
}

// The kernel's own figures at the decision: in a burst they may be all that shows it.
void put_decision(History& history, const Incident& incident) {
  if (incident.monotonic_ns == 0) return;
  if (!history.samples.empty() && history.samples.back().monotonic_ns >= incident.monotonic_ns)
    return;
  HistorySample last{incident.monotonic_ns, {}};
  if (incident.scope.memcg)
    put(last.values, "limit_usage_bytes", incident.scope.memcg->self.usage_bytes);
  if (const Victim* const victim = chosen(incident))
    put(last.values, "victim_rss_bytes", resident(victim->memory));
  // What /proc/meminfo calls available has no counterpart inside the kernel: not guessed.
  if (!last.values.empty()) history.samples.push_back(std::move(last));
}

}  // namespace

struct Recorder::Columns {
  std::vector<Column> columns;
  std::vector<Tracked> tracked;
};

// The last value of a series before the kill; 0 without any.
std::uint64_t Recorder::last_of(std::size_t series, const std::vector<std::size_t>& moments) const {
  for (auto moment = moments.rbegin(); moment != moments.rend(); ++moment)
    if (const auto value = samples_.at(series, *moment)) return *value;
  return 0;
}

void Recorder::add_processes(Columns& out, const std::vector<std::size_t>& moments,
                             std::optional<std::size_t> own) const {
  std::vector<std::pair<std::uint64_t, std::size_t>> sizes;
  for (std::size_t i = 0; i < processes_.rows().size(); ++i) {
    if (processes_.rows()[i].pid == 0 || own == i) continue;
    if (const auto size = last_of(options_.cgroups + i, moments)) sizes.emplace_back(size, i);
  }
  std::size_t n = 0;
  for (const std::size_t row : largest(std::move(sizes))) {
    const std::string name = "process_" + std::to_string(++n);
    out.tracked.push_back({.name = name,
                           .pid = processes_.rows()[row].pid,
                           .comm = processes_.rows()[row].comm.data()});
    out.columns.push_back({name + "_rss_bytes", options_.cgroups + row});
  }
}

// Below the limit that was hit; of the whole host where there is none.
void Recorder::add_cgroups(Columns& out, const std::vector<std::size_t>& moments,
                           const Opt<Memcg>& memcg) const {
  if (!cgroups_) return;
  std::vector<std::pair<std::uint64_t, std::size_t>> sizes;
  for (std::size_t i = 0; i < cgroups_->rows().size(); ++i) {
    const CgroupTable::Row& row = cgroups_->rows()[i];
    if (row.hash == 0 || !row.leaf) continue;
    if (memcg && !is_below(row.path.data(), memcg->self.path)) continue;
    if (const auto size = last_of(i, moments)) sizes.emplace_back(size, i);
  }
  std::size_t n = 0;
  for (const std::size_t row : largest(std::move(sizes))) {
    const std::string name = "cgroup_" + std::to_string(++n);
    out.tracked.push_back({.name = name, .cgroup = cgroups_->rows()[row].path.data()});
    out.columns.push_back({name + "_usage_bytes", row});
  }
}

Recorder::Columns Recorder::columns_for(const Incident& incident,
                                        const std::vector<std::size_t>& moments) const {
  Columns out;
  const auto& memcg = incident.scope.memcg;
  const auto limit = memcg && cgroups_ ? cgroups_->find(memcg->self.path) : std::nullopt;
  if (limit) out.columns.push_back({"limit_usage_bytes", *limit});
  const Victim* const victim = chosen(incident);
  const auto own = victim != nullptr && victim->pid ? processes_.find(*victim->pid) : std::nullopt;
  if (own) out.columns.push_back({"victim_rss_bytes", options_.cgroups + *own});
  add_processes(out, moments, own);
  add_cgroups(out, moments, memcg);
  return out;
}

History Recorder::history_for(const Incident& incident) const {
  std::vector<std::size_t> moments = samples_.in_order();
  std::erase_if(moments, [&](std::size_t moment) {
    return incident.monotonic_ns != 0 && samples_.time_of(moment) > incident.monotonic_ns;
  });
  if (moments.empty()) return {};  // it was before the recorder's time
  Columns columns = columns_for(incident, moments);
  History history;
  history.interval_ms = static_cast<std::uint64_t>(options_.fast.count());
  history.tracked = std::move(columns.tracked);
  for (const std::size_t moment : moments) {
    HistorySample sample{samples_.time_of(moment), {}};
    put_host(sample.values, samples_.host_at(moment));
    for (const Column& column : columns.columns)
      put(sample.values, column.name.c_str(), samples_.at(column.series, moment));
    if (!sample.values.empty()) history.samples.push_back(std::move(sample));
  }
  put_decision(history, incident);
  return history;
}

}  // namespace oomwitness
