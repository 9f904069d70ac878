// SPDX-License-Identifier: BSD-2-Clause
// A session written, read and replayed. The live tests do the same with real kills.
#include "pipeline/recording.h"

#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "assemble_fixture.h"
#include "incident/json.h"
#include "pipeline/observation_json.h"
#include "pipeline/replay.h"
#include "wire_records.h"

namespace oomwitness {
namespace {

using namespace testing;  // the observations and records
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kHostile("a\x1b[2J\xff\xfe\n\"\\\0\xc3\xa4 \xed\xa0\x80", 17);

SessionFacts facts_of_full_host() {
  SessionFacts facts;
  facts.assembler = config_of_full_host();
  facts.assembler.decode_gfp = nullptr;
  facts.assembler.missing = {{"user_stack", "EPERM"}};
  facts.gfp = {{.mask = 0xcc0, .name = "GFP_KERNEL"}, {.mask = 0x400, .name = "__GFP_IO"}};
  return facts;
}

class Recording : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = ::testing::TempDir() + "recording-XXXXXX";
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    folder_ = made;
    path_ = folder_ + "/session";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string read() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void rewrite(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  // One kill from all sources.
  void write_session() const {
    auto writer = RecordingWriter::create(path_, facts_of_full_host(), kAtNs);
    ASSERT_TRUE(writer) << writer.error().message();
    std::uint64_t now_ns = kAtNs;
    for (const auto& record : one_of_each()) {
      ASSERT_TRUE(writer->record(now_ns += kMs, record));
      if (record.size() != sizeof(ow_victim)) continue;
      ProcFacts facts = testing::facts(now_ns);
      facts.start_boottime_ns = wire_victim().start_ns;
      facts.cmdline->push_back(kHostile);
      ASSERT_TRUE(writer->observation(now_ns, facts));
      ASSERT_TRUE(writer->observation(now_ns, memcg_stat(kDecisionId, now_ns)));
    }
    ASSERT_TRUE(writer->symbols(now_ns, {{0xffffffff81000003, "named_late+0x3"}}));
    ASSERT_TRUE(writer->end(now_ns + kMs, false));
  }

  // The shortest session that has an incident.
  void write_mark_and_exit() const {
    auto writer = RecordingWriter::create(path_, facts_of_full_host(), kAtNs);
    ASSERT_TRUE(writer) << writer.error().message();
    ASSERT_TRUE(writer->record(kAtNs, bytes_of(wire_mark())));
    ASSERT_TRUE(writer->record(kAtNs + kMs, bytes_of(wire_exit())));
    ASSERT_TRUE(writer->observation(kAtNs + kMs, Losses{.at_ns = kAtNs, .total = 1}));
    ASSERT_TRUE(writer->end(kAtNs + kMs, false));
  }

  void expect_cuts_are_errors(std::size_t step) const {
    const std::string whole = read();
    const std::size_t all = replayed().size();
    EXPECT_EQ(all, 1U);
    for (std::size_t size = 0; size < whole.size(); size += step) {
      rewrite(whole.substr(0, size));
      Status status;
      const auto some = replayed(&status);
      ASSERT_FALSE(status) << "cut at " << size;
      ASSERT_THAT(status.error().message(), HasSubstr(path_));
      ASSERT_FALSE(status.error().hint().empty()) << status.error().message();
      ASSERT_LE(some.size(), all) << "cut at " << size;
    }
  }

  std::vector<Incident> replayed(Status* status = nullptr, Wanted wanted = {}) const {
    std::vector<Incident> incidents;
    Status ended = replay(path_, std::move(wanted), [&](const Incident& one) -> Status {
      incidents.push_back(one);
      return {};
    });
    if (status != nullptr)
      *status = std::move(ended);
    else
      EXPECT_TRUE(ended) << ended.error().message();
    return incidents;
  }

  std::string open_error() const {
    const auto reader = RecordingReader::open(path_);
    return reader ? "no error" : reader.error().message();
  }

  std::string folder_;
  std::string path_;
};

TEST_F(Recording, IsForItsOwnerAloneEvenOverAnOpenFile) {
  rewrite("old");
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  write_session();
  struct stat there {};
  ASSERT_EQ(::stat(path_.c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 0777U, 0600U);
}

TEST_F(Recording, FramesComeBackAsTheyWere) {
  write_session();
  auto reader = RecordingReader::open(path_);
  ASSERT_TRUE(reader) << reader.error().message();
  std::vector<Frame> frames;
  for (;;) {
    auto frame = reader->next();
    ASSERT_TRUE(frame) << frame.error().message();
    frames.push_back(*std::move(frame));
    if (frames.back().type == FrameType::kEnd) break;
  }
  ASSERT_THAT(frames, SizeIs(one_of_each().size() + 4));
  EXPECT_EQ(frames[0].type, FrameType::kRecord);
  EXPECT_EQ(frames[0].now_ns, kAtNs + kMs);
  EXPECT_EQ(frames[0].payload, one_of_each()[0]);
  EXPECT_THAT(frames.back().payload, IsEmpty());
  EXPECT_FALSE(reader->next());
}

TEST_F(Recording, FactsComeBack) {
  write_session();
  const auto reader = RecordingReader::open(path_);
  ASSERT_TRUE(reader) << reader.error().message();
  const AssemblerConfig& seen = reader->facts().assembler;
  const AssemblerConfig wrote = facts_of_full_host().assembler;
  EXPECT_EQ(seen.host, wrote.host);
  EXPECT_EQ(seen.page_size, wrote.host.page_size_bytes);
  EXPECT_EQ(seen.hooks, wrote.hooks);
  EXPECT_EQ(seen.sources, wrote.sources);
  EXPECT_EQ(seen.missing, wrote.missing);
  EXPECT_EQ(seen.unix_minus_monotonic_ns, kUnixMinusMonotonic);
  EXPECT_EQ(seen.unix_minus_boottime_ns, kUnixMinusBoottime);
  ASSERT_THAT(reader->facts().gfp, SizeIs(2));
  EXPECT_EQ(reader->facts().gfp[1].mask, 0x400U);
  EXPECT_EQ(reader->facts().gfp[1].name, "__GFP_IO");
}

TEST_F(Recording, EveryWaitOfTheFactsComesBack) {
  SessionFacts facts = facts_of_full_host();
  facts.assembler.settle_ns = 1;
  facts.assembler.expect_proc_facts = false;
  facts.assembler.expect_memcg_stat = false;
  facts.assembler.expect_log = true;
  facts.assembler.unix_minus_monotonic_ns = -5;
  const auto seen = facts_from_json(facts_to_json(facts));
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->assembler.settle_ns, 1U);
  EXPECT_FALSE(seen->assembler.expect_proc_facts || seen->assembler.expect_memcg_stat);
  EXPECT_TRUE(seen->assembler.expect_log);
  EXPECT_EQ(seen->assembler.unix_minus_monotonic_ns, -5);
}

TEST_F(Recording, FactsThatAreNoneAreErrors) {
  for (const char* text :
       {"", "{", "[]", "null", "{}", R"({"recording":"oomwitness/recording/v2"})",
        R"({"recording":1})", R"({"recording":"oomwitness/recording/v1"})",
        R"({"recording":"oomwitness/recording/v1","page_size":0})",
        R"({"recording":"oomwitness/recording/v1","page_size":"4096"})"}) {
    EXPECT_FALSE(facts_from_json(text)) << text;
  }
  EXPECT_TRUE(facts_from_json(
      R"({"recording":"oomwitness/recording/v1","page_size":4096,"gfp":[1,{"mask":"x"}],"hooks":[],)"
      R"("sources":{"a":1},"settle_ns":"soon","name":3})"));
}

TEST_F(Recording, ReplaysToTheWholeKill) {
  write_session();
  const auto incidents = replayed();
  ASSERT_THAT(incidents, SizeIs(1));
  const Incident& one = incidents[0];
  EXPECT_EQ(one.host.name, "box");
  ASSERT_TRUE(one.invoker.gfp);
  EXPECT_EQ(one.invoker.gfp->flags, std::vector<std::string>{"GFP_KERNEL"});
  ASSERT_THAT(one.victims, SizeIs(1));
  EXPECT_EQ(one.victims[0].pid, 100U);
  EXPECT_EQ(one.victims[0].user, "joe");
  EXPECT_TRUE(one.victims[0].timeline.exited_ns);
  ASSERT_TRUE(one.scope.memcg);
  EXPECT_EQ(one.scope.memcg->stat.at("anon"), 12U);
  ASSERT_THAT(one.invoker.kernel_stack, SizeIs(3));
  EXPECT_EQ(one.invoker.kernel_stack[2].symbol, "named_late+0x3");
}

TEST_F(Recording, ReplaysToTheSameBytesEachTime) {
  write_session();
  const auto first = replayed();
  const auto second = replayed();
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first, second);
  EXPECT_EQ(to_json(first[0]), to_json(second[0]));
}

TEST_F(Recording, WhatWasOpenWhenTheCountWasReachedStaysUnreported) {
  for (const bool enough : {false, true}) {
    auto writer = RecordingWriter::create(path_, facts_of_full_host(), kAtNs);
    ASSERT_TRUE(writer) << writer.error().message();
    ASSERT_TRUE(writer->record(kAtNs, bytes_of(wire_decision())));
    ASSERT_TRUE(writer->record(kAtNs, bytes_of(wire_victim())));
    ASSERT_TRUE(writer->end(kAtNs, enough));
    EXPECT_EQ(replayed().size(), enough ? 0U : 1U);
  }
}

TEST_F(Recording, FiltersAndCountHoldOnReplay) {
  write_session();
  EXPECT_THAT(replayed(nullptr, {.filter = {.comm = {"hog"}}, .count = 1}), SizeIs(1));
  EXPECT_THAT(replayed(nullptr, {.filter = {.comm = {"other"}}, .count = {}}), IsEmpty());
}

TEST_F(Recording, ASinkThatFailsEndsTheReplayWithItsError) {
  write_session();
  const Status status =
      replay(path_, {}, [](const Incident&) -> Status { return fail(ENOSPC, "write to stdout"); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code().value(), ENOSPC);
}

TEST_F(Recording, CutAtEveryByteIsAnErrorAndAtMostWhatWasThere) {
  write_mark_and_exit();
  expect_cuts_are_errors(1);
}

TEST_F(Recording, CutAnywhereInAWholeKillIsAnErrorAndAtMostWhatWasThere) {
  write_session();
  expect_cuts_are_errors(193);  // a prime: no two cuts in the same place of a record
}

TEST_F(Recording, CutBeforeItsEndStillGivesTheKill) {
  write_session();
  const std::string whole = read();
  rewrite(whole.substr(0, whole.size() - 1));
  Status status;
  const auto incidents = replayed(&status);
  EXPECT_THAT(incidents, SizeIs(1));
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("cut short"));
}

TEST_F(Recording, DamagedBytesAreAnErrorOrOtherIncidentsNeverACrash) {
  write_session();
  const std::string whole = read();
  for (std::size_t at = 0; at < whole.size(); at += at < 64 ? 1 : 193) {
    std::string damaged = whole;
    damaged.replace(at, std::min<std::size_t>(4, whole.size() - at), "\xff\xff\xff\xff");
    rewrite(damaged);
    Status status;
    ASSERT_LE(replayed(&status).size(), 2U) << "at " << at;
  }
}

TEST_F(Recording, OtherFilesAreNamedAsSuch) {
  for (const char* bytes : {"", "oomwrec", "oomwrec2........", "#!/bin/sh\nexit 0\n"}) {
    rewrite(bytes);
    EXPECT_THAT(open_error(), HasSubstr("not a recording of oomwitness")) << bytes;
  }
  path_ = folder_;
  EXPECT_THAT(open_error(), HasSubstr("not a recording of oomwitness"));
  path_ = folder_ + "/missing";
  EXPECT_EQ(open_error(), "open the recording " + path_ + ": No such file or directory");
}

// Type, size and time as the file has them, in this machine's order.
std::string frame(std::uint32_t type, std::uint32_t size, const std::string& payload) {
  std::string out(16, '\0');
  std::memcpy(out.data(), &type, sizeof(type));
  std::memcpy(out.data() + 4, &size, sizeof(size));
  return out + payload;
}

std::string frame(FrameType type, const std::string& payload) {
  return frame(static_cast<std::uint32_t>(type), static_cast<std::uint32_t>(payload.size()),
               payload);
}

TEST_F(Recording, FramesThatCannotBeAreErrors) {
  const std::string facts = facts_to_json(facts_of_full_host());
  const std::string head = "oomwrec1";
  const std::string good = head + frame(FrameType::kFacts, facts);
  const std::string end = frame(FrameType::kEnd, "");
  Status status;
  rewrite(good + end);
  EXPECT_THAT(replayed(&status), IsEmpty());
  EXPECT_TRUE(status) << status.error().message();
  for (const std::string& bytes :
       {head + end, head + frame(FrameType::kFacts, "{}") + end,
        good + frame(FrameType::kFacts, facts) + end, good + frame(0, 0, "") + end,
        good + frame(6, 0, "") + end, good + frame(2, (4U << 20U) + 1, "") + end,
        good + frame(FrameType::kRecord, "") + end, good + frame(FrameType::kRecord, facts) + end,
        good + frame(FrameType::kObservation, "{") + end,
        good + frame(FrameType::kObservation, R"({"kind":"log"})") + end,
        good + frame(FrameType::kSymbols, "[]") + end, good}) {
    rewrite(bytes);
    EXPECT_THAT(replayed(&status), IsEmpty());
    EXPECT_FALSE(status) << bytes.substr(good.size());
  }
}

TEST_F(Recording, WhatCannotBeWrittenIsAnError) {
  const auto full = RecordingWriter::create("/dev/full", facts_of_full_host(), 0);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code().value(), ENOSPC);
  const auto nowhere = RecordingWriter::create(folder_ + "/no/such", facts_of_full_host(), 0);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().message(),
            "create the recording " + folder_ + "/no/such: No such file or directory");
}

TEST_F(Recording, SymbolsAreWhatTheyWereAndNothingElse) {
  const auto names = symbols_from_json(R"({"18446744071578845187":"a+0x3","2":7})");
  ASSERT_TRUE(names);
  EXPECT_EQ(*names, (SymbolNames{{0xffffffff81000003, "a+0x3"}}));
  EXPECT_FALSE(symbols_from_json("[]"));
  EXPECT_FALSE(symbols_from_json("{"));
}

}  // namespace
}  // namespace oomwitness
