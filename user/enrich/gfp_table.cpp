// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/gfp_table.h"

#include <fcntl.h>

#include <array>
#include <charconv>
#include <limits>

#include "enrich/bounded_read.h"
#include "enrich/gfp_expr.h"
#include "enrich/text_scan.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMaxNames = 256;
constexpr std::string_view kEvent = "events/kmem/mm_page_alloc/format";
constexpr std::array<std::string_view, 2> kTracefs = {"sys/kernel/tracing/",
                                                      "sys/kernel/debug/tracing/"};

// The list of `__print_flags(<expression with gfp_flags>, "|", LIST)`: LIST and what follows.
Result<std::string_view> find_flag_list(std::string_view format) {
  const auto fmt = format.find("print fmt:");
  if (fmt == std::string_view::npos) return fail("parse gfp flags: no 'print fmt:'");
  std::string_view rest = format.substr(fmt);
  constexpr std::string_view kCall = "__print_flags(";
  for (auto call = rest.find(kCall); call != std::string_view::npos; call = rest.find(kCall)) {
    rest.remove_prefix(call + kCall.size());
    std::string_view arguments = rest;
    const std::string_view flags = next_piece(arguments, ',');
    const std::string_view separator = trim(next_piece(arguments, ','));
    if (flags.ends_with("gfp_flags") && separator == "\"|\"") return arguments;
  }
  return fail("parse gfp flags: no __print_flags() of gfp_flags");
}

// One "{ EXPRESSION, "NAME" }" off the front of `rest`.
Result<GfpName> next_flag(std::string_view& rest) {
  // No constant expression holds a comma, so the first one ends it.
  const auto comma = rest.find(',');
  const auto open = rest.find('"', comma == std::string_view::npos ? rest.size() : comma);
  if (open == std::string_view::npos || !trim(rest.substr(comma + 1, open - comma - 1)).empty())
    return fail("parse gfp flags: an entry without a name");
  const auto close = rest.find('"', open + 1);
  if (close == std::string_view::npos) return fail("parse gfp flags: a name does not end");
  const std::string_view name = rest.substr(open + 1, close - open - 1);
  TRY(const auto value, evaluate_flag_expression(rest.substr(0, comma)));
  if (value > std::numeric_limits<std::uint32_t>::max())
    return fail("parse gfp flags: " + std::string(name) + " does not fit gfp_t");
  rest = trim(rest.substr(close + 1));
  if (!eat_prefix(rest, "}")) return fail("parse gfp flags: an entry does not end");
  return GfpName{static_cast<std::uint32_t>(value), std::string(name)};
}

// Newer kernels write the array's terminator out: "{ 0, ((void *)0) }".
bool is_terminator(std::string_view rest) {
  const auto comma = rest.find(',');
  return comma != std::string_view::npos && trim(rest.substr(0, comma)) == "0" &&
         trim(rest.substr(comma + 1)).starts_with("((void *)0)");
}

}  // namespace

std::vector<std::string> GfpTable::decode(std::uint32_t mask) const {
  std::vector<std::string> flags;
  for (const GfpName& known : names_) {
    if (mask == 0) break;
    if ((mask & known.mask) != known.mask) continue;
    flags.push_back(known.name);
    mask &= ~known.mask;
  }
  if (mask != 0) {
    std::array<char, 8> digits{};
    char* const begin = digits.data();
    const char* const end = std::to_chars(begin, begin + digits.size(), mask, 16).ptr;
    flags.push_back("0x" + std::string(static_cast<const char*>(begin), end));
  }
  return flags;
}

Result<GfpTable> parse_gfp_format(std::string_view format) {
  TRY(auto rest, find_flag_list(format));
  std::vector<GfpName> names;
  while (rest = trim(rest), eat_prefix(rest, "{")) {
    if (is_terminator(rest)) break;
    if (names.size() == kMaxNames) return fail("parse gfp flags: more names than there can be");
    TRY(auto entry, next_flag(rest));
    // A flag that this kernel's configuration leaves out is 0: no mask can be said to have it.
    if (entry.mask != 0) names.push_back(std::move(entry));
    rest = trim(rest);
    if (!eat_prefix(rest, ",")) break;
  }
  if (names.empty()) return fail("parse gfp flags: the list is empty");
  return GfpTable(std::move(names));
}

Result<GfpTable> read_gfp_table(const Roots& roots) {
  Result<GfpTable> last = fail("no tracefs");
  for (const std::string_view mount : kTracefs) {
    const std::string path = roots.under_root(std::string(mount).append(kEvent));
    const auto format = read_at_most(AT_FDCWD, path, kMaxStateFileBytes);
    if (format) return parse_gfp_format(format->content);
    last = tl::make_unexpected(
        Error(format.error())
            .with_hint("gfp flags need tracefs: mount -t tracefs tracefs /sys/kernel/tracing"));
  }
  return last;
}

}  // namespace oomwitness
