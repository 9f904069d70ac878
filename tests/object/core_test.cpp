// SPDX-License-Identifier: BSD-2-Clause
// The programs as libbpf relocates them: the same with an excerpt of a kernel's BTF as with all of
// it. Other kernels' BTF files can be named in OW_BTF_FILES, separated by colons: relocating comes
// before loading, which then may fail.
#include <linux/bpf.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "capture/bpf/btf_excerpt.h"
#include "capture/bpf/btf_file.h"
#include "capture/bpf/kernel_probe.h"
#include "capture/bpf/skeleton.h"

namespace oomwitness {
namespace {

using Programs = std::map<std::string, std::vector<std::uint64_t>>;

Programs instructions(const bpf_object* object) {
  Programs programs;
  bpf_program* program = nullptr;
  bpf_object__for_each_program (program, object) {
    auto& words = programs[bpf_program__name(program)];
    const std::span<const bpf_insn> code(bpf_program__insns(program),
                                         bpf_program__insn_cnt(program));
    for (bpf_insn insn : code) {
      // A map's descriptor is this process's affair.
      if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && insn.src_reg != 0) insn.imm = 0;
      std::uint64_t word = 0;
      static_assert(sizeof(word) == sizeof(insn));
      std::memcpy(&word, &insn, sizeof(word));
      words.push_back(word);
    }
  }
  return programs;
}

int quiet(libbpf_print_level, const char*, va_list) noexcept {
  return 0;
}

struct Relocated {
  Programs before;
  Programs after;
};

Relocated relocate(const std::string& btf_path) {
  LIBBPF_OPTS(bpf_object_open_opts, options);
  options.btf_custom_path = btf_path.c_str();
  auto opened = Opened::open(&options);
  if (!opened) return {};
  bpf_object* object = (*opened)->obj;
  bpf_program* program = nullptr;
  bpf_object__for_each_program (program, object) bpf_program__set_autoload(program, true);
  Relocated result{.before = instructions(object), .after = {}};
  static_cast<void>(bpf_object__load(object));
  result.after = instructions(object);
  return result;
}

class CoreOutcome : public testing::TestWithParam<std::string> {};

TEST_P(CoreOutcome, IsTheSameWithAnExcerpt) {
  if (::geteuid() != 0) GTEST_SKIP() << "loading BPF needs root";
  if (::access(GetParam().c_str(), R_OK) != 0) GTEST_SKIP() << "no " << GetParam();
  libbpf_set_print(quiet);
  auto opened = Opened::open();
  ASSERT_TRUE(opened) << opened.error().message();
  auto file = ExcerptFile::create();
  ASSERT_TRUE(file) << file.error().message();
  const auto bytes = BtfFile::open(GetParam());
  ASSERT_TRUE(bytes) << bytes.error().message();
  const auto kernel = RawBtf::parse(bytes->bytes());
  ASSERT_TRUE(kernel) << kernel.error().message();
  const auto filled = file->fill(*kernel, bpf_object__btf((*opened)->obj));
  ASSERT_TRUE(filled) << filled.error().message();

  const auto full = relocate(GetParam());
  const auto excerpt = relocate(file->path());
  ASSERT_FALSE(full.before.empty());
  for (const auto& [name, code] : full.after) {
    EXPECT_NE(code, full.before.at(name)) << name << ": nothing was relocated, see libbpf's log";
    EXPECT_TRUE(code == excerpt.after.at(name)) << name;
  }
}

std::vector<std::string> btf_files() {
  std::vector<std::string> files{kKernelBtf};
  const char* more = std::getenv("OW_BTF_FILES");
  std::istringstream list(more == nullptr ? "" : more);
  for (std::string file; std::getline(list, file, ':');) files.push_back(file);
  return files;
}

INSTANTIATE_TEST_SUITE_P(Kernels, CoreOutcome, testing::ValuesIn(btf_files()));

}  // namespace
}  // namespace oomwitness
