// SPDX-License-Identifier: BSD-2-Clause
#include "capture/bpf/libbpf_log.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace oomwitness {
namespace {

// libbpf_set_print takes a bare function: the collector has to be found from the thread.
thread_local LibbpfLog* collector = nullptr;

[[gnu::format(printf, 2, 0)]] int print(libbpf_print_level level, const char* format,
                                        va_list args) noexcept {
  // Two thousand debug lines a start help nobody but libbpf's authors.
  if (collector == nullptr || level == LIBBPF_DEBUG) return 0;
  if (!collector->wants(level == LIBBPF_WARN)) return 0;
  std::array<char, 2048> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, args);
  if (length <= 0) return 0;
  const auto used = std::min(static_cast<std::size_t>(length), line.size() - 1);
  collector->add(level == LIBBPF_WARN, {line.data(), used});
  return length;
}

// "prog 'decision_fentry': BPF program load failed: ..." -> decision_fentry
std::string_view program_in(std::string_view line) {
  constexpr std::string_view kBefore = "prog '";
  const auto begin = line.find(kBefore);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin + kBefore.size());
  return line.substr(0, line.find('\''));
}

}  // namespace

LibbpfLog::LibbpfLog(std::function<void(std::string_view)> echo) : echo_(std::move(echo)) {
  collector = this;
  libbpf_set_print(print);
}

LibbpfLog::~LibbpfLog() {
  collector = nullptr;
}

void LibbpfLog::clear() {
  program_.clear();
  cause_.clear();
}

void LibbpfLog::add(bool warning, std::string_view line) {
  if (echo_) echo_(line);
  if (!warning) return;
  if (const auto name = program_in(line); !name.empty()) program_ = name;
  if (cause_.empty()) cause_ = line.substr(0, line.find('\n'));
}

}  // namespace oomwitness
