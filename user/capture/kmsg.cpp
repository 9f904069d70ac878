// SPDX-License-Identifier: BSD-2-Clause
#include "capture/kmsg.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <utility>

namespace oomwitness {

namespace {

// CONSOLE_EXT_LOG_MAX and PRINTK_MESSAGE_MAX are 8192 or less: a record fits.
constexpr std::size_t kRecordBytes = 16384;
constexpr int kMaxRecords = 16384;
constexpr int kMaxRefusals = 64;  // in a row

template <typename T>
std::optional<T> cut_number(std::string_view& text, char end) {
  T value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<std::size_t>(stop - text.data());
  if (error != std::errc{} || used >= text.size() || text[used] != end) return std::nullopt;
  text.remove_prefix(used + 1);
  return value;
}

// msg_print_ext_body writes what is not printable ASCII, and the backslash, as \xNN.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    unsigned byte = 0;
    if (text.size() >= 4 && text.starts_with("\\x") &&
        std::from_chars(text.data() + 2, text.data() + 4, byte, 16).ptr == text.data() + 4) {
      out += static_cast<char>(byte);
      text.remove_prefix(4);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

// EPIPE: the record we stood at has been overwritten. EINVAL: one does not fit the buffer. Both
// times the kernel has moved on, and the next sequence number tells how far.
bool is_passing(int error) {
  return error == EINTR || error == EPIPE || error == EINVAL;
}

}  // namespace

std::optional<KmsgRecord> parse_kmsg_record(std::string_view raw) {
  const auto priority = cut_number<std::uint32_t>(raw, ',');
  const auto sequence = priority ? cut_number<std::uint64_t>(raw, ',') : std::nullopt;
  const auto usec = sequence ? cut_number<std::uint64_t>(raw, ',') : std::nullopt;
  // Flags and, with CONFIG_PRINTK_CALLER, "caller=T1"; more may come.
  const std::size_t body = raw.find(';');
  if (!usec || body == std::string_view::npos) return std::nullopt;
  if (*usec > std::numeric_limits<std::uint64_t>::max() / 1000) return std::nullopt;
  raw.remove_prefix(body + 1);
  return KmsgRecord{.facility = *priority >> 3U,
                    .sequence = *sequence,
                    .at_ns = *usec * 1000,
                    .text = unescape(raw.substr(0, raw.find('\n')))};
}

Result<Kmsg> Kmsg::open(const std::string& path, From from) {
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) {
    const int error = errno;
    return fail(error, "open " + path,
                error == EPERM || error == EACCES
                    ? "run as root or with CAP_SYSLOG: kernel.dmesg_restrict hides the kernel's log"
                    : "");
  }
  // Opened, it stands at the oldest message.
  if (from == From::kNow && ::lseek(fd.get(), 0, SEEK_END) < 0)
    return fail(errno, "seek to the end of " + path);
  return Kmsg(std::move(fd), ::read);
}

Kmsg::Kmsg(OwnedFd fd, Read read) : fd_(std::move(fd)), read_(std::move(read)) {}

void Kmsg::begin_at(std::uint64_t sequence) {
  begin_ = sequence;
  if (sequence > 0) expected_ = sequence;
}

void Kmsg::count_gap(std::uint64_t sequence) {
  if (expected_ && sequence > *expected_) {
    lost_ += sequence - *expected_;
  } else if (!expected_ && overrun_) {
    ++lost_;  // at least: nothing read yet tells where we were
  }
  overrun_ = false;
  if (!first_) first_ = sequence;
  expected_ = sequence + 1;
}

void Kmsg::give(std::string_view raw, const Take& take, const Take& foreign) {
  const auto record = parse_kmsg_record(raw);
  if (!record) return;  // its number is missing: counted with the next
  if (record->sequence < begin_) return;
  count_gap(record->sequence);
  const Take& taker = record->facility == 0 ? take : foreign;
  if (taker) taker(record->at_ns, record->text);
}

Status Kmsg::drain(const Take& take, const Take& foreign) {
  std::array<char, kRecordBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  int refusals = 0;
  for (int records = 0; records < kMaxRecords;) {
    const ssize_t size = read_(fd_.get(), buffer.data(), buffer.size());
    if (size == 0) return {};
    if (size < 0) {
      const int error = errno;
      if (error == EAGAIN) return {};
      if (!is_passing(error) || ++refusals > kMaxRefusals) {
        return fail(error, "read the kernel's log");
      }
      overrun_ = overrun_ || error != EINTR;
      continue;
    }
    refusals = 0;
    ++records;
    give({buffer.data(), static_cast<std::size_t>(size)}, take, foreign);
  }
  return {};
}

}  // namespace oomwitness
