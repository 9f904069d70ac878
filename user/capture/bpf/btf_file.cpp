// SPDX-License-Identifier: BSD-2-Clause
#include "capture/bpf/btf_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "support/owned_fd.h"

namespace oomwitness {
namespace {

std::byte* map(std::size_t size, int protection, int flags, int fd) {
  void* address = ::mmap(nullptr, size, protection, MAP_PRIVATE | flags, fd, 0);
  return address == MAP_FAILED ? nullptr : static_cast<std::byte*>(address);
}

}  // namespace

void BtfFile::Unmap::operator()(std::byte* address) const noexcept {
  ::munmap(address, size);
}

// Mapped where that works (BTF in sysfs: "btf: Allow mmap of vmlinux btf", v6.16). Else sysfs hands
// out a page a read, and taking all of the buffer's page faults at once saves half of the time.
Result<BtfFile> BtfFile::open(const std::string& path) {
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) return fail(errno, "open " + path);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (std::byte* file = map(size, PROT_READ, 0, fd.get())) return BtfFile(file, size, size);
  std::byte* buffer = map(size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_POPULATE, -1);
  if (buffer == nullptr) return fail(errno, "memory for " + path);
  BtfFile file(buffer, size, 0);
  while (file.used_ < size) {
    const ssize_t n = ::read(fd.get(), buffer + file.used_, size - file.used_);
    if (n < 0) return fail(errno, "read " + path);
    if (n == 0) break;
    file.used_ += static_cast<std::size_t>(n);
  }
  return file;
}

}  // namespace oomwitness
