// SPDX-License-Identifier: BSD-2-Clause
#include "run/choose_box.h"

#include <unistd.h>

#include <utility>

#include "run/cgroup_files.h"
#include "run/scope.h"

namespace oomwitness {
namespace {

constexpr const char* kLimitHint =
    "run it as root, in a delegated cgroup (systemd-run --user --scope -p Delegate=yes), or set "
    "the "
    "limit of the container and leave --memory-max out";

void add_refusal(std::string& refusals, const Error& error) {
  if (!refusals.empty()) refusals += "; ";
  refusals += error.message();
}

// A cgroup of the run's own, or why there is none.
Result<Box> make_box(const OwnCgroup& own, const BoxRequest& request, std::string& refusals) {
  if (request.way != CgroupWay::kSystemd || request.again.empty()) {
    auto box = Box::make(own, BoxPlace::kBelow);
    if (box) return box;
    add_refusal(refusals, box.error());
  }
  if (own.layout.v1 && request.way == CgroupWay::kSystemd)
    return fail("in cgroup version 1 systemd's scopes are not used");
  if (!own.layout.v1 && !request.again.empty()) {
    if (has_systemd_manager(request.roots.root))
      add_refusal(refusals, enter_scope(request.again).error());
    else
      add_refusal(refusals, Error({}, "there is no manager of systemd's to ask for a scope"));
  }
  if (request.way != CgroupWay::kSystemd) {
    auto box = Box::make(own, BoxPlace::kBeside);
    if (box) return box;
    if (!own.layout.v1) add_refusal(refusals, box.error());
  }
  return fail(refusals);
}

// Version 2: whether the memory controller is, or could be turned on below the own cgroup.
bool may_enable_memory(const OwnCgroup& own) {
  if (!lists_word(own.folder + "/cgroup.controllers", "memory")) return false;
  // Only the root of all has no type; it alone may have processes and controllers below.
  const bool root = ::access((own.folder + "/cgroup.type").c_str(), F_OK) != 0;
  const auto procs = processes_in_tree(own.folder);
  return root || lists_word(own.folder + "/cgroup.subtree_control", "memory") ||
         (procs.size() == 1 && procs.front() == ::getpid());
}

}  // namespace

Result<std::string> box_outlook(const Roots& roots) {
  TRY(const auto own, find_own_cgroup(roots));
  const bool writable = ::access(own.folder.c_str(), W_OK) == 0;
  if (writable && (own.layout.v1 || may_enable_memory(own)))
    return "new ones below " + own.path + (own.layout.v1 ? " (version 1)" : " (version 2)");
  if (!own.layout.v1 && has_systemd_manager(roots.root))
    return "new ones below a scope of systemd's (version 2)";
  return fail("none can be made below " + own.path + (writable ? ": it has other processes" : ""),
              "runs watch " + own.path + " itself");
}

Result<ChosenBox> choose_box(const BoxRequest& request) {
  ChosenBox chosen;
  const auto own = find_own_cgroup(request.roots);
  if (!own) {
    if (request.limits.any() || request.way != CgroupWay::kAuto)
      return tl::make_unexpected(Error(own.error()).with_hint(kLimitHint));
    chosen.refusal = own.error().message();
    return chosen;
  }
  if (request.way != CgroupWay::kOwn) {
    auto box = make_box(*own, request, chosen.refusal);
    if (box) {
      if (Status limited = box->limit(request.limits); !limited) {
        [[maybe_unused]] const Status removed = box->remove();
        return tl::make_unexpected(std::move(limited).error());
      }
      chosen.refusal.clear();
      chosen.box = *std::move(box);
      return chosen;
    }
  } else {
    chosen.refusal = "the own cgroup was asked for";
  }
  const bool insists = request.way == CgroupWay::kNew || request.way == CgroupWay::kSystemd;
  if (request.limits.any() || insists)
    return fail("make a cgroup for the run: " + chosen.refusal, kLimitHint);
  auto shared = Box::share(*own);
  if (shared)
    chosen.box = *std::move(shared);
  else
    add_refusal(chosen.refusal, shared.error());
  return chosen;
}

}  // namespace oomwitness
