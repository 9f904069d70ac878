// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/kernel_version.h"

#include <algorithm>
#include <array>

#include "kernlog/scan.h"

namespace oomwitness {

namespace {

constexpr unsigned kNoLimit = 99;
constexpr KernelVersion kNewest{kNoLimit, 0, 0};

struct FormVersions {
  LogForm form{};
  VersionRange range;
};

// Where a distribution back-ported a form, its base counts. Both ends are a release wider than the
// form: in a merge window one change is in and the other is not yet.
constexpr std::array kForms = {
    FormVersions{LogForm::kHeaderWithoutComm, {{2, 6, 0}, {2, 6, 19}}},
    FormVersions{LogForm::kHeaderOomkilladj, {{2, 6, 16}, {2, 6, 31}}},
    // 2ff05b2b4eac ("oom: move oom_adj value from task_struct to mm_struct", 2.6.31)
    FormVersions{LogForm::kHeaderOomAdj, {{2, 6, 30}, {2, 6, 36}}},
    // a63d83f427fb ("oom: badness heuristic rewrite", 2.6.36; el6 has it)
    FormVersions{LogForm::kHeaderBothAdj, {{2, 6, 32}, {3, 7, 0}}},
    // 01dc52ebdf47 ("oom: remove deprecated oom_adj", 3.7)
    FormVersions{LogForm::kHeaderOomScoreAdj, {{3, 6, 0}, kNewest}},
    FormVersions{LogForm::kHeaderAnyOomScoreAdj, {{2, 6, 32}, kNewest}},
    // 82e7d3abec86 ("oom: print nodemask in the oom report", 4.9), moved to the summary in 5.0
    FormVersions{LogForm::kHeaderNodemask, {{4, 8, 0}, {5, 0, 0}}},
    // a0795cd416d1 ("mm, oom: print symbolic gfp_flags in oom warning", 4.6)
    FormVersions{LogForm::kHeaderGfpNames, {{4, 5, 0}, kNewest}},
    FormVersions{LogForm::kKillAndChildren, {{2, 6, 14}, {2, 6, 20}}},
    FormVersions{LogForm::kKillOrChild, {{2, 6, 16}, {2, 6, 36}}},
    // 5e9d834a0e0c ("oom: sacrifice child with highest badness score for parent", 2.6.36; el6)
    FormVersions{LogForm::kKillOrSacrificeChild, {{2, 6, 32}, {5, 2, 0}}},
    FormVersions{LogForm::kKilledVsz, {{2, 6, 31}, {2, 6, 36}}},
    FormVersions{LogForm::kKilledTotalVm, {{2, 6, 32}, kNewest}},  // el6
    // eca56ff906bd ("mm, shmem: add internal shmem resident memory accounting", 4.5; el7 has it)
    FormVersions{LogForm::kKilledShmemRss, {{3, 10, 0}, kNewest}},
    // 70cb6d267790 ("mm/oom: add oom_score_adj and pgtables to Killed process message", 5.4; el8)
    FormVersions{LogForm::kKilledPgtables, {{4, 18, 0}, kNewest}},
    // ef8444ea01d7 ("mm, oom: reorganize the oom report in dump_header", 5.0; el8 has it)
    FormVersions{LogForm::kSummary, {{4, 18, 0}, kNewest}},
    // e222432bfa7d ("memcg: show memcg information during OOM", 2.6.30), until the summary
    FormVersions{LogForm::kTaskIn, {{2, 6, 29}, {5, 0, 0}}},
    FormVersions{LogForm::kTableCpu, {{2, 6, 24}, {3, 7, 0}}},
    // de34d965a80d ("mm, oom: replace some information in tasklist dump", 3.7)
    FormVersions{LogForm::kTableNrPtes, {{3, 6, 0}, {4, 15, 0}}},
    // dc6c9a35b66b ("mm: account pmd page tables to the process", 4.0)
    FormVersions{LogForm::kTableNrPmds, {{3, 19, 0}, {4, 15, 0}}},
    // af5b0f6a09e4 ("mm: consolidate page table accounting", 4.15)
    FormVersions{LogForm::kTablePgtablesBytes, {{4, 14, 0}, kNewest}},
    FormVersions{LogForm::kTableRssKinds, {{5, 14, 0}, kNewest}},  // 6.8; el9 has it
};

// What stands after the number decides how far the source may be ahead of it.
KernelVersion last_version(const KernelVersion& version, std::string_view suffix) {
  const auto has = [suffix](std::string_view word) {
    return suffix.find(word) != std::string_view::npos;
  };
  if (has("-next") || has("-mm")) return next_release(version);
  // Built from git past its tag: maybe in the merge window, whose builds have the number before.
  const bool past_tag = suffix.starts_with('+') || suffix.starts_with("-dirty");
  if (past_tag && (version.major < 3 || version.patch == 0)) return next_release(version);
  // RHEL 9 (5.14) and 10 (6.12) renew mm/ from release to release; 6, 7 and 8 do not move bits.
  if (has(".el9")) return std::max(version, KernelVersion{6, 13, 0});
  if (has(".el10")) return kNewest;
  return version;
}

KernelVersion release_line(KernelVersion version) {
  if (version.major >= 3) version.patch = 0;
  return version;
}

// The number off the beginning of `scan`.
Opt<KernelVersion> cut_version(Scan& scan) {
  KernelVersion version;
  const auto major = scan.number<unsigned>();
  if (!major || !scan.skip(".")) return std::nullopt;
  const auto minor = scan.number<unsigned>();
  if (!minor) return std::nullopt;
  version.major = *major;
  version.minor = *minor;
  if (scan.skip(".")) {
    if (const auto patch = scan.number<unsigned>()) version.patch = *patch;
  }
  const bool known = version >= KernelVersion{2, 6, 0} && version.major < kNoLimit;
  return known ? Opt<KernelVersion>(version) : std::nullopt;
}

}  // namespace

std::string to_string(const KernelVersion& version) {
  std::string text = std::to_string(version.major) + '.' + std::to_string(version.minor);
  if (version.major < 3) text += '.' + std::to_string(version.patch);
  return text;
}

KernelVersion next_release(const KernelVersion& version) {
  const auto [major, minor, patch] = version;
  if (major < 3) return patch < 39 ? KernelVersion{major, minor, patch + 1} : KernelVersion{3, 0};
  const bool last =
      (major == 3 && minor == 19) || (major == 4 && minor == 20) || (major > 4 && minor == 19);
  return last ? KernelVersion{major + 1, 0} : KernelVersion{major, minor + 1};
}

Opt<KernelVersion> parse_kernel_version(std::string_view release) {
  Scan scan(release);
  return cut_version(scan);
}

Opt<VersionRange> versions_of_release(std::string_view release) {
  Scan scan(release);
  auto version = cut_version(scan);
  if (!version) return std::nullopt;
  const KernelVersion last = last_version(*version, scan.rest());
  return VersionRange{release_line(*version), release_line(last)};
}

VersionRange versions_of_forms(std::span<const LogForm> forms) {
  VersionRange common;
  for (const LogForm form : forms) {
    const auto* row = std::find_if(kForms.begin(), kForms.end(), [form](const FormVersions& known) {
      return known.form == form;
    });
    if (row == kForms.end()) continue;
    common.first = std::max(common.first, row->range.first);
    common.last = std::min(common.last, row->range.last);
  }
  return common.first <= common.last ? common : VersionRange{};
}

}  // namespace oomwitness
