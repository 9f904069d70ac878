// SPDX-License-Identifier: BSD-2-Clause
#include "capture/kallsyms.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace oomwitness {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
struct CFree {
  void operator()(char* line) const noexcept { std::free(line); }  // NOLINT: getline's buffer
};

struct Symbol {
  std::uint64_t address = 0;
  bool text = false;
  bool module = false;
  std::string_view name;
};

// "ffffffff81000000 T _text\n", modules append "\t[name]" (kernel/kallsyms.c, s_show).
bool parse(std::string_view line, Symbol& out) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos || line.size() < space + 4) return false;
  const auto [end, err] = std::from_chars(line.data(), line.data() + space, out.address, 16);
  if (err != std::errc{} || end != line.data() + space) return false;
  const char type = line[space + 1];
  out.text = type == 't' || type == 'T' || type == 'w' || type == 'W';
  out.name = line.substr(space + 3);
  out.module = out.name.find('\t') != std::string_view::npos;
  out.name = out.name.substr(0, out.name.find_first_of("\t\n"));
  return true;
}

template <typename Visit>
Status each_symbol(const std::string& proc, Visit visit) {
  const std::string path = proc + "/kallsyms";
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
  if (!file) return fail(errno, "open " + path);
  char* raw = nullptr;
  std::size_t room = 0;
  std::unique_ptr<char, CFree> owner;
  for (;;) {
    const ssize_t length = ::getline(&raw, &room, file.get());
    owner.release();  // NOLINT(bugprone-unused-return-value): getline may have moved it
    owner.reset(raw);
    if (length < 0) break;
    Symbol symbol;
    if (parse({raw, static_cast<std::size_t>(length)}, symbol) && !visit(symbol)) break;
  }
  if (std::ferror(file.get()) != 0) return fail(errno, "read " + path);
  return {};
}

}  // namespace

Result<std::map<std::string, std::uint64_t>> find_symbols(const std::string& proc,
                                                          std::span<const std::string_view> names) {
  std::map<std::string, std::uint64_t> found;
  CHECK_OK(each_symbol(proc, [&](const Symbol& symbol) {
    if (symbol.address != 0 && std::find(names.begin(), names.end(), symbol.name) != names.end()) {
      found.emplace(symbol.name, symbol.address);
    }
    return found.size() < names.size();
  }));
  return found;
}

Result<std::map<std::uint64_t, std::string>> name_addresses(
    const std::string& proc, std::span<const std::uint64_t> addresses) {
  struct Best {
    std::uint64_t start = 0;
    std::string name;
  };
  std::map<std::uint64_t, Best> best;
  for (const std::uint64_t address : addresses) best[address];
  // Not sorted by address: module symbols follow the kernel's own.
  CHECK_OK(each_symbol(proc, [&](const Symbol& symbol) {
    if (!symbol.text || symbol.address == 0 || symbol.module) return true;
    for (auto it = best.lower_bound(symbol.address); it != best.end(); ++it) {
      if (symbol.address > it->second.start)
        it->second = {symbol.address, std::string(symbol.name)};
    }
    return true;
  }));
  std::map<std::uint64_t, std::string> names;
  constexpr std::uint64_t kLongestFunction = 1U << 16U;
  for (const auto& [address, symbol] : best) {
    if (symbol.start == 0 || address - symbol.start > kLongestFunction) continue;
    char offset[2 + 16 + 1];
    std::snprintf(offset, sizeof(offset), "0x%llx",
                  static_cast<unsigned long long>(address - symbol.start));
    names.emplace(address, symbol.name + "+" + offset);
  }
  return names;
}

}  // namespace oomwitness
