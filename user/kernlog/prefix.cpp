// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/prefix.h"

#include <utility>

#include "kernlog/prefix_peeler.h"

namespace oomwitness {

namespace {

constexpr int kMostLayers = 6;

}  // namespace

Prefix Peeler::take() {
  for (int layer = 0; layer < kMostLayers && peel(); ++layer) {
  }
  out_.text = scan_.rest();
  return out_;
}

bool Peeler::peel() {
  Scan blank(trimmed_left(scan_.rest()));
  if (blank.done()) return false;
  const Scan before = std::exchange(scan_, blank);
  const bool found = peel_here(blank.rest().front());
  if (!found) scan_ = before;
  return found;
}

bool Peeler::peel_here(char first) {
  // Behind these comes what the kernel itself prints.
  if (out_.uptime_ns != 0) return false;
  if (out_.kernel_tag) return first == '[' && take_bracket();
  switch (first) {
    case '<': return take_priority();
    case '>': return take_quote();
    case '[': return take_bracket();
    default: break;
  }
  if (is_digit(first)) return take_kmsg() || take_dated();
  return take_tag() || take_dated() || take_decoded();
}

bool Peeler::take_quote() {
  while (scan_.skip(">")) scan_.skip_blanks();
  return true;
}

Prefix parse_prefix(std::string_view line) {
  return Peeler(line).take();
}

namespace {

// "host kernel: " or "host program[1]: " may stand at the front.
bool may_name_host(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == 0 || blank == std::string_view::npos) return false;
  const std::string_view rest = text.substr(blank + 1);
  return rest.starts_with("kernel") || rest.substr(0, rest.find(' ')).ends_with("]:");
}

// The most common line of all, "[ 1234.567890] text", without any detour.
bool take_plain_dmesg(std::string_view line, Prefix& out) {
  if (!line.starts_with('[')) return false;
  Scan scan(line.substr(1));
  if (!take_uptime(scan, out.uptime_ns) || !scan.skip("] ")) return false;
  if (scan.rest().starts_with('[') || may_name_host(scan.rest())) return false;
  out.text = scan.rest();
  return out.stamped = true;
}

}  // namespace

Prefix PrefixParser::parse(std::string_view line) {
  if (Prefix plain; take_plain_dmesg(line, plain)) return plain;
  if (!front_.empty() && line.starts_with(front_)) {
    Prefix known = known_;
    known.host = line.substr(host_at_, host_size_);
    return Peeler(line.substr(front_.size()), known).take();
  }
  front_.clear();
  Peeler peeler(line);
  if (peeler.peel_one()) {
    const Prefix& found = peeler.so_far();
    const std::string_view front = line.substr(0, line.size() - peeler.rest().size());
    // What counts from the boot, or tells who printed, changes with every line; what does not name
    // the kernel leaves the program to be told by what follows.
    const bool settled = found.kernel_tag || front.ends_with("] ");
    if (found.wall && settled && found.uptime_ns == 0 && found.caller.empty() &&
        !found.user_space) {
      front_ = front;
      known_ = found;
      host_size_ = found.host.size();
      host_at_ = found.host.empty() ? 0 : static_cast<std::size_t>(found.host.data() - line.data());
      known_.host = known_.text = {};
    }
  }
  return peeler.take();
}

std::size_t find_uptime(std::string_view line) {
  for (std::size_t at = line.find('['); at != std::string_view::npos; at = line.find('[', at + 1)) {
    Scan scan(line.substr(at + 1));
    std::uint64_t ns = 0;
    if (take_uptime(scan, ns) && scan.rest().starts_with(']')) return at;
  }
  return std::string_view::npos;
}

}  // namespace oomwitness
