// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/log_reader.h"

#include <utility>

#include "kernlog/log_parser.h"
#include "kernlog/scan.h"

namespace oomwitness {

class LogReader::Impl {
 public:
  explicit Impl(LogReaderOptions options) : options_(std::move(options)) {}

  void line(std::string_view raw) {
    if (raw.ends_with('\r')) raw.remove_suffix(1);
    Scan scan(raw);
    std::uint64_t at_ns = 0;
    if (scan.skip("[")) {
      scan.skip_blanks();
      const auto seconds = scan.number<std::uint64_t>();
      if (seconds && scan.skip(".")) {
        const auto us = scan.number<std::uint64_t>();
        if (us && scan.skip("] ")) {
          at_ns = *seconds * 1'000'000'000 + *us * 1000;
          raw = scan.rest();
        }
      }
    }
    parser_.line(at_ns, raw);
  }

  LogParser parser_;

 private:
  LogReaderOptions options_;
};

LogReader::LogReader(LogReaderOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

void LogReader::line(std::string_view raw) {
  impl_->line(raw);
}
std::vector<LogReport> LogReader::take() {
  return impl_->parser_.take();
}
bool LogReader::idle() const {
  return !impl_->parser_.settled();
}
void LogReader::skipped() {
  impl_->parser_.flush();
}
void LogReader::flush() {
  impl_->parser_.flush();
}
std::uint64_t LogReader::forged() const {
  return 0;
}

}  // namespace oomwitness
