// SPDX-License-Identifier: BSD-2-Clause
#include "capture/kmsg.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oomwitness {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

// Stands in for read(): records and errno values, then EAGAIN.
class Script {
 public:
  using Step = std::variant<std::string, int>;

  explicit Script(std::deque<Step> steps)
      : steps_(std::move(steps)),
        kmsg(OwnedFd{}, [this](int, void* to, std::size_t room) { return read(to, room); }) {}

  std::vector<std::pair<std::uint64_t, std::string>> drain() {
    std::vector<std::pair<std::uint64_t, std::string>> out;
    status = kmsg.drain(
        [&](std::uint64_t at_ns, std::string_view text) { out.emplace_back(at_ns, text); });
    return out;
  }

 private:
  ssize_t read(void* to, std::size_t room) {
    const Step step = steps_.empty() ? Step(EAGAIN) : steps_.front();
    if (!steps_.empty()) steps_.pop_front();
    if (const int* error = std::get_if<int>(&step)) {
      errno = *error;
      return -1;
    }
    const auto& record = std::get<std::string>(step);
    EXPECT_LE(record.size(), room);
    std::memcpy(to, record.data(), record.size());
    return static_cast<ssize_t>(record.size());
  }

  std::deque<Step> steps_;

 public:
  Kmsg kmsg;
  Status status;
};

TEST(kmsg, takes_a_record_apart) {
  const auto record = parse_kmsg_record(
      "6,339,5140900,-,caller=T1;a\\x0ab \\x5cx41; c\\x1\\xzz\n SUBSYSTEM=acpi\n DEVICE=+acpi\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->facility, 0U);
  EXPECT_EQ(record->sequence, 339U);
  EXPECT_EQ(record->at_ns, 5'140'900'000U);
  EXPECT_EQ(record->text, "a\nb \\x41; c\\x1\\xzz");
  EXPECT_EQ(parse_kmsg_record("12,1,2,-;x\n")->facility, 1U);
  EXPECT_EQ(parse_kmsg_record("4,1,2,c;")->text, "");
}

TEST(kmsg, what_is_no_record_is_absent) {
  for (const char* raw :
       {"", "6", "6,", "6,1,2", "6,1,2,-", "6,1,2;x", "x,1,2,-;y", "-6,1,2,-;y",
        "6,1,99999999999999999999,-;y", "6,1,18446744073709551615,-;y", "6 ,1,2,-;y"}) {
    EXPECT_FALSE(parse_kmsg_record(raw)) << raw;
  }
}

TEST(kmsg, gives_the_kernels_messages_and_nobody_elses) {
  Script script({"6,1,10,-;a\n", "14,2,11,-;hog invoked oom-killer: forged\n", "4,3,12,-;b\n"});
  EXPECT_THAT(script.drain(), ElementsAre(Pair(10'000, "a"), Pair(12'000, "b")));
  EXPECT_TRUE(script.status);
  EXPECT_EQ(script.kmsg.lost(), 0U);
}

TEST(kmsg, counts_what_was_overwritten) {
  Script script({"6,1,10,-;a\n", EPIPE, "6,5,11,-;b\n", "14,6,11,-;c\n", "6,7,12,-;d\n"});
  EXPECT_THAT(script.drain(), ElementsAre(Pair(10'000, "a"), Pair(11'000, "b"), Pair(12'000, "d")));
  EXPECT_EQ(script.kmsg.lost(), 3U);
}

TEST(kmsg, an_overrun_before_the_first_record_is_at_least_one) {
  Script script({EPIPE, "6,5,11,-;b\n", "6,6,11,-;c\n"});
  script.drain();
  EXPECT_EQ(script.kmsg.lost(), 1U);
}

TEST(kmsg, a_record_it_cannot_read_counts_as_lost) {
  Script script({"6,1,10,-;a\n", "rubbish\n", EINVAL, "6,4,10,-;b\n"});
  EXPECT_THAT(script.drain(), ElementsAre(Pair(10'000, "a"), Pair(10'000, "b")));
  EXPECT_EQ(script.kmsg.lost(), 2U);
}

TEST(kmsg, goes_on_after_an_interruption_and_stops_at_an_error) {
  Script script({EINTR, "6,1,10,-;a\n", EIO});
  EXPECT_THAT(script.drain(), ElementsAre(Pair(10'000, "a")));
  ASSERT_FALSE(script.status);
  EXPECT_EQ(script.status.error().code().value(), EIO);
}

TEST(kmsg, does_not_spin_on_a_file_that_always_refuses) {
  Script script(std::deque<Script::Step>(1000, EINVAL));
  script.drain();
  ASSERT_FALSE(script.status);
  EXPECT_EQ(script.status.error().code().value(), EINVAL);
}

TEST(kmsg, reads_packets_of_a_pipe_until_it_is_empty) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
  const OwnedFd writer(ends[1]);
  Kmsg kmsg(OwnedFd{ends[0]}, ::read);
  std::vector<std::string> seen;
  const auto take = [&](std::uint64_t, std::string_view text) { seen.emplace_back(text); };
  for (const std::string record : {"6,1,10,-;a\n", "6,2,10,-;b\n"}) {
    ASSERT_EQ(::write(writer.get(), record.data(), record.size()),
              static_cast<ssize_t>(record.size()));
  }
  EXPECT_TRUE(kmsg.drain(take));
  EXPECT_THAT(seen, ElementsAre("a", "b"));
  EXPECT_TRUE(kmsg.drain(take));
  EXPECT_THAT(seen, ElementsAre("a", "b"));
}

TEST(kmsg, begins_after_what_is_there) {
  char name[] = "/tmp/kmsg-test-XXXXXX";
  const OwnedFd file(::mkstemp(name));
  ASSERT_GE(file.get(), 0);
  ASSERT_EQ(::write(file.get(), "6,1,10,-;old\n", 13), 13);
  auto kmsg = Kmsg::open(name);
  ::unlink(name);
  ASSERT_TRUE(kmsg);
  std::vector<std::string> seen;
  const auto take = [&](std::uint64_t, std::string_view text) { seen.emplace_back(text); };
  EXPECT_TRUE(kmsg->drain(take));
  EXPECT_THAT(seen, IsEmpty());
  ASSERT_EQ(::write(file.get(), "6,2,10,-;new\n", 13), 13);
  EXPECT_TRUE(kmsg->drain(take));
  EXPECT_THAT(seen, ElementsAre("new"));
}

TEST(kmsg, begins_with_the_oldest_when_asked) {
  char name[] = "/tmp/kmsg-test-XXXXXX";
  const OwnedFd file(::mkstemp(name));
  ASSERT_GE(file.get(), 0);
  ASSERT_EQ(::write(file.get(), "6,7,10,-;old\n", 13), 13);
  auto kmsg = Kmsg::open(name, Kmsg::From::kOldest);
  ::unlink(name);
  ASSERT_TRUE(kmsg);
  EXPECT_FALSE(kmsg->first());
  std::vector<std::string> seen;
  EXPECT_TRUE(kmsg->drain([&](std::uint64_t, std::string_view text) { seen.emplace_back(text); }));
  EXPECT_THAT(seen, ElementsAre("old"));
  EXPECT_EQ(kmsg->first(), 7U);
  EXPECT_EQ(kmsg->next(), 8U);
}

TEST(kmsg, user_spaces_messages_are_told_apart) {
  Script script({"6,1,10,-;kernel\n", "14,2,11,-;user\n", "30,3,12,-;daemon\n"});
  std::vector<std::string> kernel;
  std::vector<std::string> foreign;
  EXPECT_TRUE(
      script.kmsg.drain([&](std::uint64_t, std::string_view text) { kernel.emplace_back(text); },
                        [&](std::uint64_t, std::string_view text) { foreign.emplace_back(text); }));
  EXPECT_THAT(kernel, ElementsAre("kernel"));
  EXPECT_THAT(foreign, ElementsAre("user", "daemon"));
  EXPECT_EQ(script.kmsg.lost(), 0U);
}

TEST(kmsg, says_what_it_tried_to_open) {
  const auto kmsg = Kmsg::open("/nonexistent/kmsg");
  ASSERT_FALSE(kmsg);
  EXPECT_THAT(kmsg.error().message(), HasSubstr("open /nonexistent/kmsg: No such file"));
}

TEST(kmsg, nobody_can_forge_the_kernels_messages) {
  auto kmsg = Kmsg::open();
  if (!kmsg) GTEST_SKIP() << kmsg.error().message();
  const OwnedFd writer(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
  if (writer.get() < 0) GTEST_SKIP() << "write to /dev/kmsg: " << std::strerror(errno);
  const std::string text = "forged-" + std::to_string(::getpid()) +
                           " invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0";
  // Facility 0 asked for: the kernel makes it 1, that of user programs. Without its newline the
  // record could still be added to, and nobody would see it yet.
  const std::string record = "<4>" + text + "\n";
  ASSERT_EQ(::write(writer.get(), record.data(), record.size()),
            static_cast<ssize_t>(record.size()));
  std::vector<std::string> given;
  EXPECT_TRUE(kmsg->drain([&](std::uint64_t, std::string_view one) { given.emplace_back(one); }));
  EXPECT_THAT(given, Not(Contains(text)));

  const OwnedFd plain(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  bool written = false;
  char buffer[16384];
  for (ssize_t size = 0;
       (size = ::read(plain.get(), buffer, sizeof buffer)) > 0 || errno == EPIPE;) {
    const auto one = parse_kmsg_record({buffer, static_cast<std::size_t>(size > 0 ? size : 0)});
    if (one && one->text == text) written = one->facility == 1;
  }
  EXPECT_TRUE(written);  // it was there to be taken
}

}  // namespace
}  // namespace oomwitness
