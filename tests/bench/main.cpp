// SPDX-License-Identifier: BSD-2-Clause
// bench OUT.json TRACER [PEER] -- MEASURE...
//
// Takes the measures in turn and writes OUT.json anew after each. As root, on a host that may be
// hurt by nothing worse than kills in throw-away cgroups.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "idle.h"
#include "kills.h"
#include "measures.h"
#include "statistics.h"

namespace {

using namespace oomwitness::bench;
using nlohmann::json;

using Measure = std::function<json(const Tools&)>;

// Rounds of what is measured in turn; a clock that counts instructions needs fewer.
int rounds(int usual) {
  const char* set = std::getenv("OOMWITNESS_BENCH_ROUNDS");
  return set == nullptr ? usual : std::max(1, std::atoi(set));
}

const std::map<std::string, Measure>& measures() {
  static const std::map<std::string, Measure> all = {
      {"startup", [](const Tools& tools) { return measure_startup(tools, rounds(12)); }},
      {"idle", [](const Tools& tools) { return measure_idle(tools, 60); }},
      {"storm", [](const Tools& tools) { return measure_storm(tools, 500); }},
      {"group", [](const Tools& tools) { return measure_group(tools, 5); }},
      {"overhead", [](const Tools& tools) { return measure_overhead(tools, rounds(9), 200); }},
      {"latency", [](const Tools& tools) { return measure_latency(tools, 300); }},
      {"candidates", [](const Tools& tools) { return measure_candidates(tools, 5000, rounds(7)); }},
  };
  return all;
}

json host() {
  utsname names{};
  uname(&names);
  return {{"kernel", names.release},
          {"machine", names.machine},
          {"cpus", sysconf(_SC_NPROCESSORS_ONLN)},
          {"cgroup", Cgroup::is_v2() ? "v2" : "v1"}};
}

int usage() {
  std::fputs("usage: bench OUT.json TRACER [PEER] -- MEASURE...\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[0], kHogName) == 0) hog_main(std::atoi(argv[2]));
  std::vector<std::string> words(argv + 1, argv + argc);
  std::size_t at = 0;
  while (at < words.size() && words[at] != "--") ++at;
  if (at < 2 || at > 3 || at + 1 >= words.size()) return usage();

  Tools tools{{words[1], "trace", "--json"}, {}};
  if (at == 3) tools.peer = {words[2]};
  json results = {{"host", host()}, {"measures", json::object()}};
  for (const std::string& name :
       std::vector(words.begin() + static_cast<long>(at) + 1, words.end())) {
    const auto found = measures().find(name);
    if (found == measures().end()) return usage();
    const std::int64_t began = now_ns();
    json result = found->second(tools);
    result["took_seconds"] = static_cast<double>(now_ns() - began) / 1e9;
    std::fprintf(stdout, "%s: %s\n", name.c_str(), result.dump().c_str());
    std::fflush(stdout);
    results["measures"][name] = std::move(result);
    std::ofstream(words[0]) << results.dump(2) << "\n";
  }
  return 0;
}
