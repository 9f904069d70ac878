// SPDX-License-Identifier: BSD-2-Clause
// What a LogReader gets through the feed is what it needs: the reports are the same as when it
// reads every line.
#include "kernlog/log_feed.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace oomwitness {
namespace {

constexpr std::size_t kMostKept = std::size_t{160} * 1024;

std::string kill_line(int pid) {
  return "[  100.000001] Out of memory: Killed process " + std::to_string(pid) +
         " (hog) total-vm:1000kB, anon-rss:500kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:40kB "
         "oom_score_adj:0\n";
}

std::string fixture(const char* name) {
  std::ifstream in(std::string(OW_TEST_DATA "/kernlog/") + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string chatter(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) {
    text += "Nov 23 01:02:03 web1 sshd[" + std::to_string(i) + "]: Accepted publickey for root\n";
  }
  return text;
}

using Pids = std::vector<std::uint32_t>;

void add_pids(LogReader& reader, Pids& pids) {
  for (const LogReport& report : reader.take()) {
    for (const Victim& victim : report.victims) pids.push_back(victim.pid.value_or(0));
  }
}

struct Fed {
  Pids pids;
  std::uint64_t lines_cut = 0;
  std::size_t most_kept = 0;
};

// Gives `text` in pieces of the sizes that `next_size` says.
template <typename NextSize>
Fed feed_sizes(std::string_view text, NextSize next_size) {
  LogReader reader;
  LogFeed lines(reader);
  Fed fed;
  std::string piece;
  for (;;) {
    piece.erase(0, piece.size() - lines.kept());
    const std::size_t size = std::min(text.size(), next_size());
    piece += text.substr(0, size);
    text.remove_prefix(size);
    lines.take(piece);
    add_pids(reader, fed.pids);
    fed.most_kept = std::max(fed.most_kept, lines.kept());
    if (size == 0) break;
  }
  reader.flush();
  add_pids(reader, fed.pids);
  fed.lines_cut = lines.lines_cut();
  return fed;
}

Fed feed(std::string_view text, std::size_t piece) {
  return feed_sizes(text, [piece] { return piece; });
}

Pids read_every_line(std::string_view text) {
  LogReader reader;
  Pids pids;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  reader.flush();
  add_pids(reader, pids);
  return pids;
}

TEST(LogFeed, TheSameReportsHoweverTheTextIsCut) {
  const std::string text = chatter(40'000) + kill_line(11) + chatter(90'000) +
                           fixture("memcg-v1.kmsg") + chatter(300) + kill_line(12) +
                           chatter(70'000) + kill_line(13);
  const Pids whole = read_every_line(text);
  ASSERT_GE(whole.size(), 3U);
  std::mt19937 random(2);
  for (const std::size_t piece : {1U << 10U, 4095U, 4096U, 4097U, 65536U, 1U << 20U}) {
    EXPECT_EQ(feed(text, piece).pids, whole) << piece;
  }
  for (int round = 0; round < 50; ++round) {
    EXPECT_EQ(feed_sizes(text, [&] { return random() % 20'000 + 1; }).pids, whole) << round;
  }
}

TEST(LogFeed, PiecesOfAByte) {
  EXPECT_EQ(feed("x\n" + kill_line(7) + "y\n", 1).pids, Pids{7});
}

TEST(LogFeed, ALastLineWithoutNewlineIsWhole) {
  std::string text = kill_line(7);
  text.pop_back();
  EXPECT_EQ(feed(text, 100).pids, Pids{7});
  EXPECT_EQ(feed("", 100).pids, Pids{});
}

TEST(LogFeed, KeepsLittleWhateverComes) {
  const std::vector<std::string> texts = {
      std::string(3U << 20U, 'x'),
      std::string(3U << 20U, '\0'),
      std::string(1U << 20U, '\n'),
      chatter(1U << 20U),
      std::string(70'000, 'x') + "oom-kill" + std::string(1U << 20U, 'y'),
      [] {
        std::string text;
        while (text.size() < (1U << 20U)) text += "oom-kill";
        return text;
      }()};
  for (const std::string& text : texts) {
    for (const std::size_t piece : {4096U, 1U << 20U}) {
      EXPECT_LT(feed(text, piece).most_kept, kMostKept) << text.substr(0, 20) << " by " << piece;
    }
  }
}

TEST(LogFeed, LongLinesAreCutAndCounted) {
  const std::string long_tail = kill_line(7).substr(0, 190) + std::string(200'000, 'x') + "\n";
  for (const std::size_t piece : {1000U, 4096U, 1U << 20U}) {
    const Fed fed = feed(long_tail + kill_line(8), piece);
    EXPECT_EQ(fed.lines_cut, 1U) << piece;
    ASSERT_FALSE(fed.pids.empty());
    EXPECT_EQ(fed.pids.back(), 8U) << piece;
  }
  const Fed front = feed(std::string(200'000, 'x') + kill_line(7) + kill_line(8), 4096);
  EXPECT_EQ(front.lines_cut, 1U);
  EXPECT_EQ(front.pids, Pids{8});
}

TEST(LogFeed, LongLinesWithoutAnAnchorCostNothing) {
  EXPECT_EQ(feed(std::string(1U << 20U, 'x') + "\n" + kill_line(7), 4096).lines_cut, 0U);
}

// What a crash leaves in a log: zeros, and no newline before the first line of the next boot.
TEST(LogFeed, ZerosBeforeALineAreNoPartOfIt) {
  for (const std::size_t zeros : {1U, 4096U, 200'000U}) {
    const Fed fed = feed(chatter(10'000) + std::string(zeros, '\0') + kill_line(7), 4096);
    if (zeros > 65536) {
      EXPECT_EQ(fed.pids, Pids{7}) << zeros;
    }
    EXPECT_EQ(fed.lines_cut, 0U) << zeros;
  }
}

TEST(LogFeed, AReportGoesOnInTheNextFile) {
  const std::string report = fixture("memcg-v1.kmsg");
  const std::size_t middle = report.find('\n', report.size() / 2) + 1;
  LogReader reader;
  LogFeed lines(reader);
  for (const std::string& file : {report.substr(0, middle), report.substr(middle)}) {
    lines.next_file();
    lines.take(file);
    lines.take(std::string_view(file).substr(file.size() - lines.kept()));
  }
  reader.flush();
  EXPECT_EQ(reader.take().size(), 1U);
}

}  // namespace
}  // namespace oomwitness
