// SPDX-License-Identifier: BSD-2-Clause
// Fills what the kernel side left open from one late source, and keeps the account of it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

class LateFill {
 public:
  // `prefix`: of the names in provenance.late, such as "victims[0]." `noted` false: the source is
  // the only one there is, so that nothing of it is late.
  LateFill(Provenance& provenance, std::string source, std::string prefix, bool noted)
      : provenance_(provenance),
        source_(std::move(source)),
        prefix_(std::move(prefix)),
        noted_(noted) {}

  template <typename T>
  void operator()(Opt<T>& field, const Opt<T>& value, std::string_view name) {
    if (field || !value) return;
    field = value;
    gave(name);
  }

  template <typename T>
  void operator()(std::vector<T>& field, const std::vector<T>& value, std::string_view name) {
    if (!field.empty() || value.empty()) return;
    field = value;
    gave(name);
  }

  void gave(std::string_view name) {
    gave_anything_ = true;
    if (noted_) provenance_.late.emplace(prefix_ + std::string(name), source_);
  }

  bool gave_anything() const { return gave_anything_; }

 private:
  Provenance& provenance_;
  std::string source_;
  std::string prefix_;
  bool noted_;
  bool gave_anything_ = false;
};

}  // namespace oomwitness
