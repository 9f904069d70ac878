// SPDX-License-Identifier: BSD-2-Clause
#include "sink/memory_parts.h"

#include <fmt/format.h>

#include "diagnose/facts.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using Bytes = Opt<std::uint64_t>;

// Each kind has its colour, whatever is there of the others.
enum Colour : std::size_t { kVictim, kTasks, kShared, kCache, kSlab, kTables, kKernel, kOther };
constexpr std::size_t kFree = 8;

class Parts {
 public:
  void add(std::string name, const Bytes& bytes, std::size_t colour) {
    if (bytes && *bytes > 0) parts_.push_back({std::move(name), *bytes, colour});
  }
  std::vector<Part> take() && { return std::move(parts_); }

 private:
  std::vector<Part> parts_;
};

// Of those that died; what shares memory with another victim counts once.
Bytes killed_anon(const Incident& incident) {
  Bytes sum;
  for (const Victim& victim : incident.victims)
    if (victim.role != Role::kSharedMm) sum = plus(sum, victim.memory.anon_rss_bytes);
  return sum;
}

std::string killed_name(const Facts& facts) {
  if (facts.victim == nullptr) return "killed";
  const std::string who = task_text(*facts.victim);
  const std::size_t others = facts.incident->victims.size() - 1;
  return others == 0 ? "killed: " + who : fmt::format("killed: {} and {} more", who, others);
}

// Absent where it is not known, or was read when part of it had gone.
Bytes without(const Bytes& whole, const Bytes& part) {
  if (!whole || !part || *part > *whole) return whole && !part ? whole : std::nullopt;
  return *whole - *part;
}

std::vector<Part> parts_of(const Facts& facts, const Uses& uses) {
  const Bytes killed = killed_anon(*facts.incident);
  Parts parts;
  parts.add(killed_name(facts), killed, kVictim);
  parts.add(killed ? "anonymous memory of others" : "anonymous memory", without(uses.anon, killed),
            kTasks);
  parts.add("shared memory and tmpfs", uses.shmem, kShared);
  parts.add("page cache", uses.file, kCache);
  parts.add("kernel: slab", uses.slab, kSlab);
  parts.add("page tables", uses.page_tables, kTables);
  parts.add("kernel stacks", uses.kernel_stacks, kKernel);
  const Bytes named = plus(plus(uses.slab, uses.page_tables), uses.kernel_stacks);
  parts.add("other kernel memory", without(uses.kernel, named), kKernel);
  parts.add("huge pages (hugetlb)", uses.hugetlb, kOther);
  parts.add("in no account", uses.unaccounted, kOther);
  parts.add("free", uses.free, kFree);
  return std::move(parts).take();
}

std::vector<Part> parts_of_tasks(const Facts& facts) {
  Parts parts;
  const Bytes killed = facts.victim_bytes;
  parts.add(killed_name(facts), killed, kVictim);
  parts.add("other tasks", killed ? without(facts.tasks_bytes, killed) : facts.tasks_bytes, kTasks);
  return std::move(parts).take();
}

bool tells(const Uses& uses) {
  return uses.anon || uses.file || uses.shmem || uses.slab || uses.kernel;
}

std::string sized(std::string what, const char* kind, const Bytes& bytes) {
  return bytes ? fmt::format("{} ({} {})", what, kind, human_size(*bytes)) : what;
}

}  // namespace

MemoryParts memory_parts(const Incident& incident) {
  const Facts facts = gather(incident, {});
  MemoryParts out;
  if (facts.shortage == Shortage::kCgroup) {
    out.of = sized(limit_name(facts), "limit", facts.limit_bytes);
    out.whole = facts.limit_bytes.value_or(facts.limit_usage.value_or(0));
    out.parts = tells(facts.cgroup) ? parts_of(facts, facts.cgroup) : parts_of_tasks(facts);
    if (incident.provenance.late.contains("memcg.stat"))
      out.note =
          "All but the killed process's part was read just after the decision: some of it "
          "may have been free again.";
    return out;
  }
  out.of = sized("the host", "RAM", facts.host.total);
  out.whole = facts.host.total.value_or(0);
  if (tells(facts.host)) {
    out.parts = parts_of(facts, facts.host);
    if (facts.host.total && !facts.host.unaccounted)
      out.note = "What stays empty is in no figure of the record.";
  } else if (facts.capacity && !facts.capacity_guessed) {
    out.of = facts.capacity_name + " (" + human_size(*facts.capacity) + ")";
    out.whole = *facts.capacity;
    out.parts = parts_of_tasks(facts);
  } else {
    out.parts = parts_of_tasks(facts);
  }
  return out;
}

}  // namespace oomwitness
