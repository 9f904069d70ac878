// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "capture/log/pieces.h"

namespace oomwitness {
namespace {

constexpr std::size_t kWindowBytes = 2U << 20U;

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

// The window that is mapped. A signal handler is told nothing but an address, so this cannot be
// a parameter.
std::atomic<std::uintptr_t> guarded_begin{0};
std::atomic<std::uintptr_t> guarded_end{0};

// Behind the end of a file that has shrunk there is no page: put zeros there. next() finds out.
void on_sigbus(int /*signal*/, siginfo_t* what, void* /*context*/) {
  const auto at = reinterpret_cast<std::uintptr_t>(what->si_addr);
  if (at >= guarded_begin && at < guarded_end) {
    const std::size_t page = page_bytes();
    auto* begin = static_cast<char*>(what->si_addr) - at % page;
    if (::mmap(begin, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == begin) {
      return;
    }
  }
  std::signal(SIGBUS, SIG_DFL);  // not ours: it comes again, and then takes its course
}

void guard_against_shrinking() {
  page_bytes();  // not for the first time in the handler
  struct sigaction action {};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

std::unique_ptr<Pieces> MappedPieces::open(OwnedFd fd, std::string name) {
  struct stat file {};
  // Files of procfs have no size and no pages.
  const bool mappable = ::fstat(fd.get(), &file) == 0 && S_ISREG(file.st_mode) && file.st_size > 0;
  if (mappable) {
    void* page = ::mmap(nullptr, 1, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (page != MAP_FAILED) {
      ::munmap(page, 1);
      guard_against_shrinking();
      return std::make_unique<MappedPieces>(std::move(fd), std::move(name));
    }
  }
  return std::make_unique<StreamPieces>(std::make_unique<FdStream>(std::move(fd), std::move(name)));
}

MappedPieces::MappedPieces(OwnedFd fd, std::string name)
    : fd_(std::move(fd)), name_(std::move(name)) {
  ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

MappedPieces::~MappedPieces() {
  unmap();
}

void MappedPieces::unmap() {
  guarded_begin = guarded_end = 0;
  if (window_ != nullptr) ::munmap(window_, window_bytes_);
  window_ = nullptr;
}

Result<std::uint64_t> MappedPieces::size_now() const {
  struct stat file {};
  if (::fstat(fd_.get(), &file) != 0) return fail(errno, "read " + name_);
  return static_cast<std::uint64_t>(file.st_size);
}

Status MappedPieces::map(std::uint64_t begin, std::uint64_t end) {
  unmap();
  window_bytes_ = end - begin;
  void* window =
      ::mmap(nullptr, window_bytes_, PROT_READ, MAP_SHARED, fd_.get(), static_cast<off_t>(begin));
  if (window == MAP_FAILED) return fail(errno, "map " + name_);
  window_ = static_cast<char*>(window);
  guarded_begin = reinterpret_cast<std::uintptr_t>(window_);
  guarded_end = guarded_begin + window_bytes_;
  ::madvise(window_, window_bytes_, MADV_POPULATE_READ);  // a fault a page would cost more
  return {};
}

Result<std::string_view> MappedPieces::next(std::size_t again) {
  TRY(const std::uint64_t size, size_now());
  if (size < end_) {
    return fail("read " + name_ + ": it shrank while it was read",
                "a log that is being rotated: run again, or use --follow");
  }
  const std::uint64_t begin = end_ - std::min<std::uint64_t>(again, end_);
  const std::uint64_t mapped = begin - begin % page_bytes();
  end_ = std::min(size, end_ + kWindowBytes);
  if (end_ == mapped) return std::string_view();
  CHECK_OK(map(mapped, end_));
  return std::string_view(window_ + (begin - mapped), end_ - begin);
}

}  // namespace oomwitness
