// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/prefilter.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "kernlog/anchors.h"

namespace oomwitness {
namespace {

constexpr auto kNone = std::string_view::npos;

std::size_t naive(std::string_view text, std::size_t from) {
  std::size_t first = kNone;
  for (const auto anchor : kAnchors) first = std::min(first, text.find(anchor, from));
  return first;
}

// Any anchor of the first line that holds one will do.
void expect_found(std::string_view text, std::size_t from) {
  const std::size_t wanted = naive(text, from);
  for (const std::size_t found : {find_anchor(text, from), find_anchor_portable(text, from)}) {
    if (wanted == kNone) {
      ASSERT_EQ(found, kNone) << "from " << from << " in " << text;
      continue;
    }
    ASSERT_NE(found, kNone) << "from " << from << " in " << text;
    ASSERT_GE(found, wanted);
    ASSERT_EQ(text.substr(wanted, found - wanted).find('\n'), kNone) << text;
    ASSERT_TRUE(std::any_of(kAnchors.begin(), kAnchors.end(),
                            [&](auto anchor) { return text.substr(found).starts_with(anchor); }));
  }
}

TEST(Prefilter, FindsEveryAnchorAtEveryOffset) {
  constexpr std::size_t kSize = 200;  // more than three blocks of the widest vectors
  for (const auto anchor : kAnchors) {
    for (std::size_t at = 0; at + anchor.size() <= kSize; ++at) {
      std::string text(kSize, 'x');
      text.replace(at, anchor.size(), anchor);
      for (std::size_t from = 0; from <= at; ++from) {
        ASSERT_EQ(find_anchor(text, from), at) << anchor << " from " << from;
        ASSERT_EQ(find_anchor_portable(text, from), at) << anchor << " from " << from;
      }
      ASSERT_EQ(find_anchor(text, at + 1), kNone) << anchor;
      ASSERT_EQ(find_anchor_portable(text, at + 1), kNone) << anchor;
    }
  }
}

TEST(Prefilter, AnAnchorThatTheTextCutsIsNone) {
  for (const auto anchor : kAnchors) {
    for (std::size_t left = 0; left < anchor.size(); ++left) {
      for (const std::size_t before : {0U, 1U, 15U, 31U, 32U, 63U, 64U, 100U}) {
        const std::string text = std::string(before, '.') + std::string(anchor.substr(0, left));
        ASSERT_EQ(find_anchor(text), kNone) << text;
        ASSERT_EQ(find_anchor_portable(text), kNone) << text;
      }
    }
    EXPECT_LE(anchor.size(), longest_anchor());
  }
}

TEST(Prefilter, AgreesWithANaiveSearchOnRandomText) {
  std::mt19937 random(1);
  using namespace std::string_literals;
  const std::string alphabet = "oom-kilutf Meryd psa.gr\n\0\x80\xff"s;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t i = random() % 300; i > 0; --i) text += alphabet[random() % alphabet.size()];
    for (std::size_t i = random() % 3; i > 0; --i) {
      text.insert(random() % (text.size() + 1), kAnchors[random() % kAnchors.size()]);
    }
    expect_found(text, random() % (text.size() + 1));
    if (HasFatalFailure()) return;
  }
}

TEST(Prefilter, EmptyAndBeyondTheEnd) {
  EXPECT_EQ(find_anchor(""), kNone);
  EXPECT_EQ(find_anchor("oom-kill", 8), kNone);
  EXPECT_EQ(find_anchor("oom-kill", 1), kNone);
  EXPECT_EQ(find_anchor("oom-kill"), 0U);
}

}  // namespace
}  // namespace oomwitness
