// SPDX-License-Identifier: BSD-2-Clause
#include "cli/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace oomwitness {

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(errno, fd == STDOUT_FILENO ? "write to stdout" : "write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void print_error(const Error& error) {
  std::string text = "error: " + error.message() + "\n";
  if (!error.hint().empty()) text += "hint: " + error.hint() + "\n";
  // Where stderr is gone too there is nobody to tell.
  [[maybe_unused]] const auto written = write_all(STDERR_FILENO, text);
}

bool wants_color(int fd) {
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): before threads
  return ::isatty(fd) == 1 && (no_color == nullptr || *no_color == '\0');
}

bool wants_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before threads
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale(value);
    return locale.find("UTF-8") != std::string_view::npos ||
           locale.find("utf8") != std::string_view::npos;
  }
  return false;
}

}  // namespace oomwitness
