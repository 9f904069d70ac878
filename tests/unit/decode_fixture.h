// SPDX-License-Identifier: BSD-2-Clause
// Records of wire_records.h through decode().
#pragma once

#include <variant>

#include <gtest/gtest.h>

#include "capture/decode.h"
#include "wire_records.h"

namespace oomwitness::testing {

template <typename Seen, typename Record>
Seen decoded(const Record& record) {
  const auto seen = decode(as_bytes_of(record), kPage);
  if (!seen) {
    ADD_FAILURE() << seen.error().message();
    return {};
  }
  const Seen* value = std::get_if<Seen>(&*seen);
  if (value == nullptr) {
    ADD_FAILURE() << "decoded as alternative " << seen->index();
    return {};
  }
  EXPECT_EQ(value->at_ns, kAtNs);
  EXPECT_EQ(value->id, kDecisionId);
  return *value;
}

template <typename Record>
int refused(const Record& record) {
  const auto seen = decode(as_bytes_of(record), kPage);
  return seen ? 0 : seen.error().code().value();
}

}  // namespace oomwitness::testing
