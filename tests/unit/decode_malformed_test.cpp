// SPDX-License-Identifier: BSD-2-Clause
// Records that are cut, lie or are hostile.
#include <climits>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "decode_fixture.h"

namespace oomwitness {
namespace {

using namespace testing;  // the records
using ::testing::IsEmpty;

TEST(Decode, EveryTruncationIsAnError) {
  for (const std::vector<std::byte>& whole : one_of_each()) {
    ASSERT_TRUE(decode(whole, kPage)) << decode(whole, kPage).error().message();
    for (std::size_t size = 0; size < whole.size(); ++size) {
      // Of its own size: a sanitizer sees what is read behind it.
      std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_FALSE(decode(cut, kPage)) << size << " of " << whole.size();
      if (size < sizeof(ow_header)) continue;
      // A record that says its size truly, but is too small for its kind.
      const auto said = static_cast<std::uint32_t>(size);
      std::memcpy(&cut[offsetof(ow_header, size)], &said, sizeof(said));
      const auto seen = decode(cut, kPage);
      ASSERT_FALSE(seen) << size << " of " << whole.size();
      ASSERT_EQ(seen.error().code().value(), EBADMSG);
    }
  }
}

TEST(Decode, MoreBytesThanItSaysIsAnError) {
  for (std::vector<std::byte> record : one_of_each()) {
    record.push_back(std::byte{0});
    const auto seen = decode(record, kPage);
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().code().value(), EBADMSG);
  }
}

TEST(Decode, LengthsThatLieAreErrors) {
  auto memcg = wire_memcg();
  memcg.levels = OW_MEMCG_LEVELS + 1;
  EXPECT_EQ(refused(memcg), EBADMSG);
  auto candidates = wire_candidates();
  candidates.listed = OW_CANDIDATES + 1;
  EXPECT_EQ(refused(candidates), EBADMSG);
  auto stack = wire_stack();
  stack.kernel_frames = OW_KSTACK_FRAMES + 1;
  EXPECT_EQ(refused(stack), EBADMSG);
  stack = wire_stack();
  stack.user_frames = UINT32_MAX;
  EXPECT_EQ(refused(stack), EBADMSG);
  auto victim = wire_victim();
  victim.ns_levels = OW_NS_LEVELS + 1;
  EXPECT_EQ(refused(victim), EBADMSG);
  victim = wire_victim();
  victim.ancestors = OW_ANCESTORS + 1;
  EXPECT_EQ(refused(victim), EBADMSG);
  auto argv = wire_argv();
  argv.captured = OW_ARGV_BYTES + 1;
  EXPECT_EQ(refused(argv), EBADMSG);
  auto reap = wire_reap();
  reap.phase = 5;
  EXPECT_EQ(refused(reap), EBADMSG);
}

TEST(Decode, PathsThatLieAreErrors) {
  auto decision = wire_decision();
  decision.cgroup.used = sizeof(decision.cgroup.names) + 1;
  EXPECT_EQ(refused(decision), EBADMSG);
  auto memcg = wire_memcg();
  memcg.path.used = UINT32_MAX;
  EXPECT_EQ(refused(memcg), EBADMSG);
  auto victim = wire_victim();
  victim.cgroup.used = UINT32_MAX;
  EXPECT_EQ(refused(victim), EBADMSG);
  victim = wire_victim();
  victim.exe.used = UINT32_MAX;
  EXPECT_EQ(refused(victim), EBADMSG);
}

TEST(Decode, ErrorNumbersThatNoKernelReturnsAreErrors) {
  auto argv = wire_argv("");
  argv.hdr.has = 0;
  argv.error = INT_MIN;
  EXPECT_EQ(refused(argv), EBADMSG);
}

TEST(Decode, FullPathsAndPathsWithoutAnEnd) {
  auto victim = wire_victim();
  std::memset(&victim.cgroup.names[0], 'n', sizeof(victim.cgroup.names));
  victim.cgroup.used = sizeof(victim.cgroup.names);
  victim.cgroup.levels = OW_PATH_LEVELS;
  EXPECT_EQ(decoded<VictimTask>(victim).cgroup,
            "/" + std::string(sizeof(victim.cgroup.names), 'n'));
  victim.cgroup.levels = 0;
  EXPECT_EQ(decoded<VictimTask>(victim).cgroup, "/");
  victim.cgroup.levels = UINT16_MAX;
  victim.cgroup.used = 0;
  EXPECT_EQ(decoded<VictimTask>(victim).cgroup, "/");
}

TEST(Decode, MoreLevelsThanNamesGiveOnlyTheNamedOnes) {
  auto memcg = wire_memcg();
  memcg.levels = OW_MEMCG_LEVELS;
  EXPECT_EQ(decoded<MemcgChain>(memcg).levels.size(), 2U);
}

TEST(Decode, HostileBytesComeThroughAsTheyAre) {
  const std::string comm = "\x1b[31m\xff\n\"\\";
  auto victim = wire_victim();
  set(victim.comm, comm);
  set(victim.cgroup, {"\x80\n", "a b"});
  set(victim.exe, {"\xf0\x28 (deleted)"});
  const auto seen = decoded<VictimTask>(victim);
  EXPECT_EQ(seen.comm, comm);
  EXPECT_EQ(seen.cgroup, "/a b/\x80\n");
  EXPECT_EQ(seen.exe, "/\xf0\x28 (deleted)");
}

TEST(Decode, CommWithoutANulEndsWithItsField) {
  auto victim = wire_victim();
  set(victim.comm, std::string(OW_COMM_LEN, 'c'));
  set(victim.ancestor[0].comm, std::string(OW_COMM_LEN, 'd'));
  const auto seen = decoded<VictimTask>(victim);
  EXPECT_EQ(seen.comm, std::string(OW_COMM_LEN, 'c'));
  EXPECT_EQ(seen.ancestry.at(0).comm, std::string(OW_COMM_LEN, 'd'));
}

TEST(Decode, OtherVersionsAndKindsAreRefused) {
  auto record = wire_exit();
  record.hdr.version = OW_WIRE_VERSION + 1;
  EXPECT_EQ(refused(record), EPROTO);
  for (const unsigned kind : {0U, 11U, 65535U}) {
    record = wire_exit();
    record.hdr.kind = static_cast<__u16>(kind);
    EXPECT_EQ(refused(record), EPROTO) << kind;
  }
}

TEST(Decode, ArgvBytesAreTheRecordsOwn) {
  std::vector<std::byte> record = bytes_of(wire_argv());
  const std::span<char> argv = argv_bytes(record);
  ASSERT_EQ(std::string(argv.begin(), argv.end()), std::string("hog\0-x\0", 7));
  argv[4] = '*';
  const auto seen = decode(record, kPage);
  ASSERT_TRUE(seen);
  EXPECT_EQ(std::get<Delivered>(*seen).argv, std::string("hog\0*x\0", 7));
}

TEST(Decode, ArgvBytesOfALiarEndWithTheRecord) {
  auto record = wire_argv();
  record.captured = UINT32_MAX;
  std::vector<std::byte> bytes = bytes_of(record);
  const std::span<char> argv = argv_bytes(bytes);
  EXPECT_EQ(argv.size(), static_cast<std::size_t>(OW_ARGV_BYTES));
  EXPECT_LE(std::as_bytes(argv).data() + argv.size(), bytes.data() + bytes.size());
}

TEST(Decode, OtherRecordsHaveNoArgvBytes) {
  for (std::vector<std::byte> record : one_of_each()) {
    ow_header header{};
    std::memcpy(&header, record.data(), sizeof(header));
    if (header.kind == OW_KIND_ARGV) {
      record.pop_back();
      EXPECT_THAT(argv_bytes(record), IsEmpty());
    } else {
      record.resize(std::max(record.size(), sizeof(ow_argv)));
      EXPECT_THAT(argv_bytes(record), IsEmpty()) << header.kind;
    }
  }
  EXPECT_THAT(argv_bytes({}), IsEmpty());
}

}  // namespace
}  // namespace oomwitness
