// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/incident_stream.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assemble_fixture.h"

namespace oomwitness::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kProgram = 0x10;
constexpr std::uint64_t kOutOfMemory = 0x20;

class IncidentStreamTest : public ::testing::Test {
 protected:
  // A kill whose stack has no names, as of kernels before 5.13.
  std::vector<std::uint64_t> kill(DecisionId id, std::uint64_t at) {
    const auto pid = static_cast<std::uint32_t>(id);
    stream_.take(decision(id, at, pid), at);
    stream_.take(Stacks{.at_ns = at,
                        .id = id,
                        .kernel = {{.address = kProgram, .symbol = ""},
                                   {.address = kOutOfMemory, .symbol = ""}},
                        .user = {}},
                 at);
    stream_.take(task(id, at, pid), at);
    stream_.take(Exited{.at_ns = at + kMs, .id = id, .pid = pid, .exit_code = 9}, at + kMs);
    return stream_.take_unnamed();
  }
  std::vector<std::string> names_of(const Incident& incident) const {
    std::vector<std::string> names;
    for (const KernelFrame& frame : incident.invoker.kernel_stack) names.push_back(frame.symbol);
    return names;
  }

  std::vector<Incident> written_;
  IncidentStream stream_{{.assembler = config_of_full_host(), .gfp = {}},
                         {},
                         [this](const Incident& incident) -> Status {
                           written_.push_back(incident);
                           return {};
                         }};
};

TEST_F(IncidentStreamTest, WaitsForTheNamesOfItsFrames) {
  EXPECT_THAT(kill(1, kT0), ElementsAre(kProgram, kOutOfMemory));
  stream_.advance(kT0 + 1000 * kMs);
  EXPECT_THAT(written_, IsEmpty());
  stream_.add_symbols({{kOutOfMemory, "out_of_memory+0x1"}});
  ASSERT_THAT(written_, SizeIs(1));
  EXPECT_THAT(names_of(written_[0]), ElementsAre("out_of_memory+0x1"));
}

TEST_F(IncidentStreamTest, AsksNoMoreForAnAddressThatHasNoName) {
  kill(1, kT0);
  stream_.add_symbols({{kProgram, ""}, {kOutOfMemory, "out_of_memory+0x1"}});
  EXPECT_THAT(kill(2, kT0 + 10 * kMs), IsEmpty());
  stream_.advance(kT0 + 1000 * kMs);
  ASSERT_THAT(written_, SizeIs(2));
  EXPECT_THAT(names_of(written_[1]), ElementsAre("out_of_memory+0x1"));
}

TEST_F(IncidentStreamTest, AsksAgainWhereNobodyAnswered) {
  kill(1, kT0);
  stream_.add_symbols({});  // the search was given up
  EXPECT_THAT(kill(2, kT0 + 10 * kMs), ElementsAre(kProgram, kOutOfMemory));
}

}  // namespace
}  // namespace oomwitness::testing
