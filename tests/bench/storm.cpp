// SPDX-License-Identifier: BSD-2-Clause
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "kills.h"
#include "measures.h"
#include "statistics.h"

namespace oomwitness::bench {
namespace {

using nlohmann::json;

struct Tally {
  std::int64_t incidents = 0;
  std::int64_t updates = 0;  // later lines of the same incident
  std::int64_t victims = 0;
  std::int64_t with_argv = 0;
  std::int64_t with_cgroup = 0;
  std::int64_t lost_events = 0;
  std::set<std::string> serials;
  std::vector<json> others;  // argv that are not a hog's
};

void count_victim(Tally& tally, const json& victim, const std::string& path) {
  ++tally.victims;
  const json argv = victim.value("cmdline", json::array());
  if (!argv.empty()) ++tally.with_argv;
  if (argv.size() == 3 && argv[0] == kHogName) {
    tally.serials.insert(argv[1].get<std::string>());
  } else {
    tally.others.push_back(victim);
  }
  if (victim.value("cgroup", "") == path) ++tally.with_cgroup;
}

Tally count(const std::vector<Line>& lines, const std::string& path) {
  Tally tally;
  for (const Line& line : lines) {
    const json incident = json::parse(line.text, nullptr, false);
    if (incident.is_discarded()) continue;
    const json& provenance = incident.at("provenance");
    tally.lost_events += provenance.value("lost_events", std::int64_t{0});
    if (incident.value("revision", 0) > 0) {
      ++tally.updates;
      continue;
    }
    ++tally.incidents;
    for (const json& victim : incident.at("victims")) count_victim(tally, victim, path);
  }
  return tally;
}

json as_json(const Tally& tally) {
  return {{"incidents", tally.incidents},     {"updates", tally.updates},
          {"victims", tally.victims},         {"with_argv", tally.with_argv},
          {"with_cgroup", tally.with_cgroup}, {"lost_events", tally.lost_events},
          {"serials", tally.serials.size()},  {"others", tally.others}};
}

// What the peer prints for each kill it sees, "Triggered by PID ...".
std::int64_t peer_lines(Child& peer) {
  std::string text;
  std::array<char, 4096> chunk{};
  pollfd wanted{peer.out(), POLLIN, 0};
  while (poll(&wanted, 1, 1000) > 0) {
    const ssize_t got = read(peer.out(), chunk.data(), chunk.size());
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  std::int64_t lines = 0;
  for (std::size_t at = 0; (at = text.find("Triggered by", at)) != std::string::npos; ++at) ++lines;
  return lines;
}

}  // namespace

json measure_storm(const Tools& tools, int kills) {
  const Cgroup cgroup("bench-storm");
  // With less, what the bench has itself is too much for a child that has not yet exec'd.
  cgroup.limit(16 * kMiB);
  Tracing tracing(tools, cgroup.path());
  LineReader reader(tracing.child().out());
  const std::int64_t began = now_ns();
  for (int i = 0; i < kills; ++i) kill_one(cgroup, i);
  const std::int64_t ended = now_ns();
  reader.wait_for(static_cast<std::size_t>(kills), 30);
  tracing.child().stop();
  json out = as_json(count(reader.rest(), cgroup.path()));
  out["kills"] = kills;
  out["seconds"] = static_cast<double>(ended - began) / 1e9;
  return out;
}

json measure_group(const Tools& tools, int members) {
  const Cgroup cgroup("bench-group");
  cgroup.limit(16 * kMiB);
  if (!write_file(cgroup.dir() + "/memory.oom.group", "1")) return {{"skipped", "no cgroup v2"}};
  std::vector<pid_t> pids;
  Tracing tracing(tools, cgroup.path());
  LineReader reader(tracing.child().out());
  std::optional<Child> peer;
  if (!tools.peer.empty()) {
    peer.emplace(tools.peer, Stdout::kTerminal);
    wait_for_text(peer->out(), "Tracing OOM kills");
  }
  for (int i = 1; i < members; ++i) {
    pids.push_back(fork_into(cgroup, [] {
      for (;;) pause();
    }));
  }
  pids.push_back(start_hog(cgroup, 0));
  for (const pid_t pid : pids) reap_killed(pid);
  reader.wait_for(1, 30);
  json out;
  if (peer) out["libbpf-tools_lines"] = peer_lines(*peer);
  tracing.child().stop();
  out.update(as_json(count(reader.rest(), cgroup.path())));
  out["members"] = members;
  return out;
}

}  // namespace oomwitness::bench
