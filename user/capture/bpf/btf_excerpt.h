// SPDX-License-Identifier: BSD-2-Clause
// The part of the kernel's BTF that the CO-RE relocations of an object look at.
//
// libbpf searches all of the kernel's ~100,000 types once for each type that an object relocates
// against: tens of milliseconds. It searches an excerpt of a few hundred in no time.
#pragma once

#include <bpf/btf.h>

#include <cstddef>
#include <string>
#include <vector>

#include "capture/bpf/raw_btf.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

// BTF, ready to be written to a file, on which field, enumerator, type size and type existence
// relocations of `object` come out as on `kernel`. Not covered, and tests/object sees that no
// program has them: the kernel's type ids, and typedefs of pointers or functions. Types that only
// modules have are absent. Fails on anything in `kernel` that is cut short, out of range or
// unknown.
Result<std::vector<std::byte>> excerpt_btf(const RawBtf& kernel, const btf* object);

// A file in memory, for bpf_object_open_opts.btf_custom_path. libbpf opens it only when it loads,
// so the object can be opened with it before there is anything in it.
class ExcerptFile {
 public:
  static Result<ExcerptFile> create();

  const std::string& path() const noexcept { return path_; }
  // Puts the excerpt of the kernel's BTF for `object` in it.
  Status fill(const RawBtf& kernel, const btf* object) const;

 private:
  explicit ExcerptFile(OwnedFd fd);
  OwnedFd fd_;
  std::string path_;
};

}  // namespace oomwitness
