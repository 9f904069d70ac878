// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/open_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "capture/log/compression.h"
#include "capture/log/followed_file.h"
#include "capture/log/journal.h"

namespace oomwitness {
namespace {

// A stream whose first bytes have been looked at.
class PeekedStream : public ByteStream {
 public:
  PeekedStream(std::string first, std::unique_ptr<ByteStream> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}

  Result<std::size_t> read(std::span<char> room) override {
    if (given_ == first_.size()) return rest_->read(room);
    const std::size_t size = std::min(room.size(), first_.size() - given_);
    std::copy_n(first_.data() + given_, size, room.data());
    given_ += size;
    return size;
  }
  Result<Wake> wait(std::optional<std::chrono::milliseconds> quiet_after) override {
    return rest_->wait(quiet_after);
  }
  std::uint64_t consumed() const override { return rest_->consumed(); }

 private:
  std::string first_;
  std::size_t given_ = 0;
  std::unique_ptr<ByteStream> rest_;
};

Result<std::string> first_bytes(ByteStream& stream) {
  std::string first;
  std::array<char, kMagicBytes> part{};
  while (first.size() < kMagicBytes) {
    TRY(const std::size_t got, stream.read(std::span(part).first(kMagicBytes - first.size())));
    if (got == 0) break;
    first.append(part.data(), got);
  }
  return first;
}

Result<OpenedLog> open_stream(OwnedFd fd, const std::string& name) {
  std::unique_ptr<ByteStream> stream = std::make_unique<FdStream>(std::move(fd), name);
  TRY(std::string first, first_bytes(*stream));
  const Format format = format_of(first);
  stream = std::make_unique<PeekedStream>(std::move(first), std::move(stream));
  TRY(stream, decompress(format, std::move(stream), name));
  return make_opened(std::move(stream));
}

struct OpenedFile {
  OwnedFd fd;
  bool regular = false;
  std::uint64_t bytes = 0;
};

Result<OpenedLog> open_regular(OpenedFile file, Format format, const std::string& path) {
  OpenedLog opened{nullptr, file.bytes};
  if (format == Format::kText) {
    opened.pieces = MappedPieces::open(std::move(file.fd), path);
    return opened;
  }
  std::unique_ptr<ByteStream> stream = std::make_unique<FdStream>(std::move(file.fd), path);
  TRY(stream, decompress(format, std::move(stream), path));
  opened.pieces = std::make_unique<StreamPieces>(std::move(stream));
  return opened;
}

Result<Format> format_of_file(int fd, const std::string& path) {
  std::array<char, kMagicBytes> first{};
  const ssize_t got = ::pread(fd, first.data(), first.size(), 0);
  if (got < 0) return fail(errno, "read " + path);
  return format_of({first.data(), static_cast<std::size_t>(got)});
}

JournalQuery journal_file(const std::string& path, const LogRange& range) {
  JournalQuery query;
  query.files = {path};
  query.since_unix_ns = range.since_unix_ns;
  query.until_unix_ns = range.until_unix_ns;
  return query;
}

Result<OpenedFile> open_file(const std::string& path) {
  if (path == "-") return OpenedFile{.fd = OwnedFd(::dup(STDIN_FILENO))};
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return fail(errno, "open " + path);
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0) return fail(errno, "open " + path);
  if (S_ISDIR(file.st_mode)) {
    return fail(EISDIR, "read " + path, "name the logs in it: " + path + "/kern.log*");
  }
  return OpenedFile{std::move(fd), S_ISREG(file.st_mode), static_cast<std::uint64_t>(file.st_size)};
}

}  // namespace

OpenedLog make_opened(std::unique_ptr<ByteStream> stream) {
  return {std::make_unique<StreamPieces>(std::move(stream)), 0};
}

Result<OpenedLog> open_log(const std::string& path, const LogRange& range) {
  TRY(OpenedFile file, open_file(path));
  if (!file.regular) return open_stream(std::move(file.fd), path == "-" ? "stdin" : path);
  TRY(const Format format, format_of_file(file.fd.get(), path));
  if (format == Format::kJournal) {
    TRY(auto journal, open_journal(journal_file(path, range)));
    return make_opened(std::move(journal));
  }
  return open_regular(std::move(file), format, path);
}

Result<OpenedLog> follow_log(const std::string& path, const LogRange& range, int stop_fd) {
  TRY(OpenedFile file, open_file(path));
  if (!file.regular) {
    return make_opened(
        std::make_unique<FollowedFd>(std::move(file.fd), path == "-" ? "stdin" : path, stop_fd));
  }
  TRY(const Format format, format_of_file(file.fd.get(), path));
  if (format == Format::kJournal) {
    JournalQuery query = journal_file(path, range);
    query.follow = true;
    query.stop_fd = stop_fd;
    TRY(auto journal, open_journal(query));
    return make_opened(std::move(journal));
  }
  if (format != Format::kText) return fail(EINVAL, "follow " + path + ", which is compressed");
  TRY(auto stream, FollowedFile::open(path, stop_fd));
  return make_opened(std::move(stream));
}

}  // namespace oomwitness
