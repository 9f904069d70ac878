// SPDX-License-Identifier: BSD-2-Clause
#include "capture/kallsyms.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace oomwitness {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class Kallsyms : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = ::testing::TempDir() + "kallsyms-XXXXXX";
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    proc_ = made;
  }
  void TearDown() override { std::filesystem::remove_all(proc_); }

  void write(const std::string& text) const { std::ofstream(proc_ + "/kallsyms") << text; }
  std::map<std::string, std::uint64_t> find(const std::vector<std::string_view>& names) const {
    return find_symbols(proc_, names).value();
  }
  std::map<std::uint64_t, std::string> name(const std::vector<std::uint64_t>& addresses) const {
    return name_addresses(proc_, addresses).value();
  }

  std::string proc_;
};

constexpr const char* kTable =
    "ffffffff81000000 T _text\n"
    "ffffffff81200000 t oom_badness.part.0\n"
    "ffffffff81200100 T oom_badness\n"
    "ffffffff81200180 d a_table\n"
    "ffffffff81200400 T oom_kill_process\n"
    "ffffffff81300000 W weak_function\n"
    "ffffffffc0000000 t in_module\t[mod]\n"
    "ffffffff81100000 t out_of_order\n";

TEST_F(Kallsyms, FindsWholeNamesOnly) {
  write(kTable);
  EXPECT_THAT(find({"oom_badness", "in_module", "kill_process", "oom_badness.part.0"}),
              UnorderedElementsAre(Pair("oom_badness", 0xffffffff81200100),
                                   Pair("in_module", 0xffffffffc0000000),
                                   Pair("oom_badness.part.0", 0xffffffff81200000)));
  EXPECT_THAT(find({}), IsEmpty());
}

TEST_F(Kallsyms, HiddenAddressesAreNotThere) {
  write("0000000000000000 T oom_badness\n0000000000000000 t oom_kill_process\n");
  EXPECT_THAT(find({"oom_badness"}), IsEmpty());
  EXPECT_THAT(name({0x10, 0xffffffff81200110}), IsEmpty());
}

TEST_F(Kallsyms, NamesAnAddressByTheFunctionBelowIt) {
  write(kTable);
  EXPECT_THAT(name({0xffffffff81200110, 0xffffffff81200100, 0xffffffff812000ff, 0xffffffff81300001,
                    0xffffffff81100002}),
              UnorderedElementsAre(Pair(0xffffffff81200110, "oom_badness+0x10"),
                                   Pair(0xffffffff81200100, "oom_badness+0x0"),
                                   Pair(0xffffffff812000ff, "oom_badness.part.0+0xff"),
                                   Pair(0xffffffff81300001, "weak_function+0x1"),
                                   Pair(0xffffffff81100002, "out_of_order+0x2")));
}

TEST_F(Kallsyms, VariablesNameNoCode) {
  write(kTable);
  EXPECT_THAT(name({0xffffffff81200190}),
              UnorderedElementsAre(Pair(0xffffffff81200190, "oom_badness+0x90")));
}

// Between modules lie BPF programs, which the file may not list.
TEST_F(Kallsyms, ModulesNameNothing) {
  write(kTable);
  EXPECT_THAT(name({0xffffffffc000001a}), IsEmpty());
}

TEST_F(Kallsyms, AddressesFarFromAnyFunctionHaveNoName) {
  write(kTable);
  EXPECT_THAT(name({0x1000, 0xffffffff80ffffff, 0xffffffffc0200000, UINT64_MAX, 0}), IsEmpty());
}

TEST_F(Kallsyms, OddLinesAreSkipped) {
  write(
      "\n \nffffffff81200100\nffffffff81200100 T\nffffffff81200100 T \nzz T bad_address\n"
      "1ffffffff81200100 T too_long\nffffffff81200200  T two_spaces\n"
      "ffffffff81200300 T good\textra\nffffffff81200400 T no_newline");
  EXPECT_THAT(find({"bad_address", "too_long", "two_spaces", "good", "no_newline"}),
              UnorderedElementsAre(Pair("good", 0xffffffff81200300),
                                   Pair("no_newline", 0xffffffff81200400)));
}

TEST_F(Kallsyms, AMissingFileIsAnErrorThatNamesIt) {
  const std::vector<std::string_view> names{"oom_badness"};
  const auto found = find_symbols(proc_, names);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code().value(), ENOENT);
  EXPECT_EQ(found.error().context(), "open " + proc_ + "/kallsyms");
  const std::vector<std::uint64_t> addresses{1};
  EXPECT_FALSE(name_addresses(proc_, addresses));
}

}  // namespace
}  // namespace oomwitness
