// SPDX-License-Identifier: BSD-2-Clause
// The hook table against the programs of the object. Opening the object needs no privilege.
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "capture/bpf/skeleton.h"
#include "capture/hook_table.h"

namespace oomwitness {
namespace {

std::vector<std::string> programs_in_table() {
  std::vector<std::string> names;
  for (const HookRow& row : hook_table()) {
    for (const Way& way : row.ways) {
      for (const std::string_view name : way.programs) names.emplace_back(name);
    }
  }
  return names;
}

TEST(Hooks, EveryProgramIsInTheTableOnce) {
  auto opened = Opened::open();
  ASSERT_TRUE(opened) << opened.error().message();
  std::vector<std::string> names;
  bpf_program* program = nullptr;
  bpf_object__for_each_program (program, (*opened)->obj) {
    names.emplace_back(bpf_program__name(program));
  }
  EXPECT_THAT(programs_in_table(), testing::UnorderedElementsAreArray(names));
}

TEST(Hooks, NothingLoadsUntilChosen) {
  auto opened = Opened::open();
  ASSERT_TRUE(opened) << opened.error().message();
  bpf_program* program = nullptr;
  bpf_object__for_each_program (program, (*opened)->obj) {
    EXPECT_FALSE(bpf_program__autoload(program)) << bpf_program__name(program);
  }
}

// A way is loaded by the kind of hook it is named after, as `doctor` and --hook tell users.
TEST(Hooks, WaysAreNamedAfterTheirProgramsSections) {
  auto opened = Opened::open();
  ASSERT_TRUE(opened) << opened.error().message();
  for (const HookRow& row : hook_table()) {
    for (const Way& way : row.ways) {
      const bpf_program* program = opened->program(way.programs.back().data());
      ASSERT_NE(program, nullptr) << way.programs.back();
      const std::string section = bpf_program__section_name(program);
      const std::string kind = section.substr(0, section.find('/'));
      EXPECT_NE(way.name.find(kind), std::string_view::npos) << way.name << " is " << section;
    }
  }
}

}  // namespace
}  // namespace oomwitness
