// SPDX-License-Identifier: BSD-2-Clause
// How fast the store takes incidents and answers, at a given size. A program of its own: it needs
// no guest and no kills.
//
//   bench_store FILE [INCIDENTS]     makes FILE (deleted first) with so many (1,000,000), tells
//                                    figures as JSON on stdout
#include "store/store.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "incident/json.h"
#include "sample_incidents.h"

namespace oomwitness {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Of this process, in user and kernel mode: what a busy machine does not stretch.
double cpu_ms() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

void must(bool good, const std::string& what) {
  if (good) return;
  std::cerr << what << '\n';
  std::exit(1);
}

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

// A fleet's mixture: a few names that are everywhere, many that are rare, pods that never come
// twice.
class Fleet {
 public:
  Fleet() {
    for (auto& [name, sample] : sample_incidents())
      if (sample.victims.size() == 1 && sample.revision == 0) samples_.push_back(sample);
  }

  Incident kill(std::uint64_t n) {
    Incident incident = samples_[n % samples_.size()];
    char id[27];
    std::snprintf(id, sizeof(id), "%026llX", static_cast<unsigned long long>(n));
    incident.id = id;
    incident.time_unix_ns = kStart + static_cast<std::int64_t>(n) * 10 * kSecond;
    incident.monotonic_ns = n * 10'000'000'000;
    incident.diagnosis = Diagnosis{.cause = "cause-" + std::to_string(skewed(28)), .also = {}};
    Victim& victim = incident.victims[0];
    victim.pid = static_cast<std::uint32_t>(n % 4'000'000);
    const std::string service = std::to_string(skewed(500));
    victim.comm = "app" + service;
    victim.unit.reset();
    victim.pod.reset();
    victim.container.reset();
    if (n % 2 == 0) {
      victim.unit = "app" + service + ".service";
      victim.cgroup = "/system.slice/" + *victim.unit;
    } else {
      const std::string pod = std::to_string(n / 3);
      victim.pod = Pod{.name = "app" + service + "-" + pod,
                       .ns = "team" + std::to_string(skewed(40)),
                       .uid = "",
                       .container = "main"};
      victim.container = Container{
          .runtime = "containerd", .id = std::string(38, '0') + id, .name = "main", .image = ""};
      victim.cgroup = "/kubepods.slice/kubepods-burstable.slice/pod" + pod + "/cri-" + id;
    }
    return incident;
  }

 private:
  // 0 is the most frequent of `many`.
  std::uint64_t skewed(std::uint64_t many) {
    const double u = std::uniform_real_distribution<>(0, 1)(random_);
    return static_cast<std::uint64_t>(u * u * u * static_cast<double>(many));
  }

  std::mt19937_64 random_{1};
  std::vector<Incident> samples_;
};

struct Question {
  const char* name;
  HistoryQuery query;
};

std::vector<Question> questions(std::uint64_t n) {
  const auto at = [n](std::uint64_t percent) {
    return kStart + static_cast<std::int64_t>(n * percent / 100) * 10 * kSecond;
  };
  const std::string pod = "app499-" + std::to_string(n / 6);
  return {
      {"newest", {}},
      {"comm, everywhere", {.comm = {"app0"}}},
      {"comm, rare", {.comm = {"app499"}}},
      {"comm, unknown", {.comm = {"nobody"}}},
      {"unit, everywhere", {.unit = {"app0"}}},
      {"unit, rare", {.unit = {"app499.service"}}},
      {"cgroup, half of all", {.cgroup = {"/kubepods.slice"}}},
      {"cgroup, one",
       {.cgroup = {"/kubepods.slice/kubepods-burstable.slice/pod" + std::to_string(n / 6)}}},
      {"pod", {.pod = {pod}}},
      {"container by name, half of all", {.container = {"main"}}},
      {"cause, everywhere", {.cause = {"cause-0"}}},
      {"cause, rare", {.cause = {"cause-27"}}},
      {"an hour in the middle",
       {.since_unix_ns = at(50), .until_unix_ns = at(50) + 3600 * kSecond}},
      {"comm and cause, both everywhere", {.comm = {"app0"}, .cause = {"cause-0"}}},
      {"comm and cause, both rare", {.comm = {"app499"}, .cause = {"cause-27"}}},
      {"comm everywhere, cause rare", {.comm = {"app0"}, .cause = {"cause-27"}}},
      {"comm and unit that never meet", {.comm = {"app0"}, .unit = {"app1"}}},
      {"rare comm, cgroup of half, old half",
       {.comm = {"app499"}, .cgroup = {"/system.slice"}, .until_unix_ns = at(50)}},
      {"five alternatives", {.comm = {"app0", "app1", "app2", "app3", "app499"}}},
  };
}

nlohmann::json ask(const std::string& path, std::uint64_t incidents) {
  nlohmann::json answers = nlohmann::json::array();
  for (const Question& question : questions(incidents)) {
    double worst = 0;
    double worst_cpu = 0;
    std::size_t rows = 0;
    for (int round = 0; round < 3; ++round) {
      // A new reader each time, as the command is.
      const auto start = Clock::now();
      const double cpu = cpu_ms();
      auto store = Store::open_to_read(path);
      must(store.has_value(), "open to read");
      const auto found = store->query(question.query);
      must(found.has_value(), question.name);
      worst = std::max(worst, ms_since(start));
      worst_cpu = std::max(worst_cpu, cpu_ms() - cpu);
      rows = found->size();
    }
    answers.push_back({{"query", question.name},
                       {"worst_ms", worst},
                       {"worst_cpu_ms", worst_cpu},
                       {"rows", rows}});
  }
  return answers;
}

int run(const std::string& path, std::uint64_t incidents) {
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path + part);
  auto store = Store::open(path, {.max_bytes = 1ULL << 40U});
  must(store.has_value(), "open");
  Fleet fleet;
  constexpr std::size_t kBulk = 500;
  constexpr std::uint64_t kSingle = 20'000;
  const std::uint64_t single = std::min(kSingle, incidents / 2);
  std::vector<Incident> bulk;
  auto start = Clock::now();
  double bulk_ms = 0;
  std::uint64_t json_bytes = 0;
  for (std::uint64_t n = 0; n < incidents - single; ++n) {
    bulk.push_back(fleet.kill(n));
    if (bulk.size() < kBulk && n + 1 < incidents - single) continue;
    json_bytes = to_json(bulk.back()).size();
    start = Clock::now();
    must(store->put_all(bulk).has_value(), "put_all");
    bulk_ms += ms_since(start);
    bulk.clear();
  }
  double single_ms = 0;
  double single_cpu_ms = 0;
  double worst_ms = 0;
  for (std::uint64_t n = incidents - single; n < incidents; ++n) {
    const Incident incident = fleet.kill(n);
    start = Clock::now();
    const double cpu = cpu_ms();
    must(store->put(incident).has_value(), "put");
    const double took = ms_since(start);
    single_ms += took;
    single_cpu_ms += cpu_ms() - cpu;
    worst_ms = std::max(worst_ms, took);
  }
  must(store->sync().has_value(), "sync");
  const nlohmann::json figures{
      {"incidents", incidents},
      {"bytes", std::filesystem::file_size(path)},
      {"json_bytes_of_one", json_bytes},
      {"put_per_s", static_cast<double>(single) * 1000 / single_ms},
      {"put_per_cpu_s", static_cast<double>(single) * 1000 / single_cpu_ms},
      {"put_worst_ms", worst_ms},
      {"put_all_per_s", static_cast<double>(incidents - single) * 1000 / bulk_ms},
      {"queries", ask(path, incidents)}};
  std::cout << figures.dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace oomwitness

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: bench_store FILE [INCIDENTS]\n";
    return 2;
  }
  constexpr std::uint64_t kMillion = 1'000'000;
  return oomwitness::run(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : kMillion);
}
