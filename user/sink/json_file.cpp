// SPDX-License-Identifier: BSD-2-Clause
#include "sink/json_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace oomwitness {
namespace {

constexpr std::size_t kTail = 1U << 20U;  // longer than any incident
constexpr std::string_view kOurs = "{\"schema\":\"oomwitness/incident/";

std::filesystem::path numbered(const std::filesystem::path& path, unsigned number) {
  return path.string() + "." + std::to_string(number);
}

// Returns how much was written before the error, if there was one (errno).
std::size_t write_fully(int fd, std::string_view text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  return done;
}

}  // namespace

JsonFile::JsonFile(std::string name, JsonFileOptions options)
    : name_(std::move(name)), options_(std::move(options)) {}

ExportOutcome JsonFile::send(std::span<const ExportItem> batch, const std::stop_token&) {
  std::string lines;
  for (const ExportItem& item : batch) lines.append(item.json) += '\n';
  if (const Status written = write_batch(lines); !written) {
    file_ = OwnedFd();
    return try_later(batch, 0, written.error().message());
  }
  return all_sent(batch);
}

Status JsonFile::write_batch(const std::string& lines) {
  if (reopen_.exchange(false) || file_.get() < 0 || !is_still_there()) CHECK_OK(open());
  if (options_.rotate_bytes > 0 && size_ > 0 && size_ + lines.size() > options_.rotate_bytes)
    CHECK_OK(rotate());
  if (write_fully(file_.get(), lines) < lines.size()) {
    const int error = errno;
    // Half a line would join with the next one. A pipe keeps it: nothing can be done there.
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0 && errno != EINVAL)
      return fail(errno, "take back what was written to " + options_.path.string());
    return fail(error, "write to " + options_.path.string(),
                error == ENOSPC ? "free some space: it goes on by itself" : "");
  }
  if (options_.sync && ::fdatasync(file_.get()) != 0 && errno != EINVAL && errno != EROFS)
    return fail(errno, "fdatasync " + options_.path.string());
  size_ += lines.size();
  return {};
}

Status JsonFile::open() {
  const std::string path = options_.path.string();
  // Not a FIFO without a reader, which would hang; not through a link that somebody laid.
  constexpr int kHow = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  OwnedFd file(::open(path.c_str(), kHow));
  if (file.get() < 0 && errno == ENOENT) {
    file = OwnedFd(::open(path.c_str(), kHow | O_CREAT | O_EXCL, options_.mode));
    // Whatever the umask: the group is to read it. A file that was there keeps its mode.
    if (file.get() >= 0 && ::fchmod(file.get(), options_.mode) != 0)
      return fail(errno, "chmod " + path);
  }
  if (file.get() < 0)
    return fail(errno, "open " + path,
                errno == ENOENT ? "make the folder, writable for the agent's user" : "");
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return fail(errno, "fstat " + path);
  file_ = std::move(file);
  size_ = static_cast<std::uint64_t>(found.st_size);
  return mend_end();
}

// A crash may have left a part of a line.
Status JsonFile::mend_end() {
  if (size_ == 0) return {};
  const std::uint64_t length = std::min<std::uint64_t>(size_, kTail);
  std::string tail(length, '\0');
  const ssize_t got = ::pread(file_.get(), tail.data(), length, static_cast<off_t>(size_ - length));
  if (got < 0 || static_cast<std::uint64_t>(got) != length)
    return fail(got < 0 ? errno : EIO, "read the end of " + options_.path.string());
  if (tail.back() == '\n') return {};
  const std::size_t newline = tail.rfind('\n');
  const std::string_view rest =
      std::string_view(tail).substr(newline == std::string::npos ? 0 : newline + 1);
  const bool ours = rest.starts_with(kOurs) || kOurs.starts_with(rest);
  // A line of ours comes again whole; anything else is not ours to cut.
  if (!ours || (newline == std::string::npos && length < size_)) {
    if (write_fully(file_.get(), "\n") != 1)
      return fail(errno, "write to " + options_.path.string());
    ++size_;
    return {};
  }
  size_ -= rest.size();
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0)
    return fail(errno, "cut the broken last line off " + options_.path.string());
  return {};
}

Status JsonFile::rotate() {
  std::error_code failed;
  if (options_.keep == 0) std::filesystem::remove(options_.path, failed);
  for (unsigned number = options_.keep; number > 0; --number) {
    const std::filesystem::path from =
        number == 1 ? options_.path : numbered(options_.path, number - 1);
    std::filesystem::rename(from, numbered(options_.path, number), failed);
    if (failed == std::errc::no_such_file_or_directory) failed.clear();
    if (failed) break;
  }
  if (failed) return tl::make_unexpected(Error(failed, "rotate " + options_.path.string()));
  return open();
}

// logrotate moves a file away without a word to us where nobody sends SIGHUP.
bool JsonFile::is_still_there() const {
  struct stat ours {};
  struct stat named {};
  return ::fstat(file_.get(), &ours) == 0 && ::stat(options_.path.c_str(), &named) == 0 &&
         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

}  // namespace oomwitness
