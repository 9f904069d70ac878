// SPDX-License-Identifier: BSD-2-Clause
// Owns the skeleton that bpftool generates. Opened -> Loaded: setting a constant or choosing
// programs after the load does not compile.
#pragma once

#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "oomwitness.skel.h"
#include "support/result.h"

namespace oomwitness {

struct SkeletonDeleter {
  void operator()(oomwitness_bpf* skeleton) const noexcept { oomwitness_bpf::destroy(skeleton); }
};
using SkeletonPtr = std::unique_ptr<oomwitness_bpf, SkeletonDeleter>;

struct LinkDeleter {
  void operator()(bpf_link* link) const noexcept { bpf_link__destroy(link); }
};
using LinkPtr = std::unique_ptr<bpf_link, LinkDeleter>;

class Loaded {
 public:
  const oomwitness_bpf* operator->() const noexcept { return skeleton_.get(); }
  bpf_program* program(const char* name) const {
    return bpf_object__find_program_by_name(skeleton_->obj, name);
  }

 private:
  friend class Opened;
  explicit Loaded(SkeletonPtr skeleton) : skeleton_(std::move(skeleton)) {}
  SkeletonPtr skeleton_;
};

class Opened {
 public:
  // Needs no privilege.
  static Result<Opened> open(const bpf_object_open_opts* options = nullptr) {
    SkeletonPtr skeleton(oomwitness_bpf::open(options));
    if (!skeleton) return fail(errno, "open the BPF object");
    return Opened(std::move(skeleton));
  }

  oomwitness_bpf* operator->() noexcept { return skeleton_.get(); }
  const oomwitness_bpf* operator->() const noexcept { return skeleton_.get(); }
  bpf_program* program(const char* name) const {
    return bpf_object__find_program_by_name(skeleton_->obj, name);
  }

  Result<Loaded> load() && {
    if (const int err = oomwitness_bpf::load(skeleton_.get())) return fail(err, "load");
    return Loaded(std::move(skeleton_));
  }

 private:
  explicit Opened(SkeletonPtr skeleton) : skeleton_(std::move(skeleton)) {}
  SkeletonPtr skeleton_;
};

}  // namespace oomwitness
