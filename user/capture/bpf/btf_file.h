// SPDX-License-Identifier: BSD-2-Clause
// The bytes of a BTF file, in memory as long as this lives.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "support/result.h"

namespace oomwitness {

class BtfFile {
 public:
  static Result<BtfFile> open(const std::string& path);

  std::span<const std::byte> bytes() const noexcept { return {mapping_.get(), used_}; }

 private:
  struct Unmap {
    std::size_t size = 0;
    void operator()(std::byte* address) const noexcept;
  };
  BtfFile(std::byte* mapping, std::size_t size, std::size_t used)
      : mapping_(mapping, Unmap{size}), used_(used) {}

  std::unique_ptr<std::byte, Unmap> mapping_;
  std::size_t used_;
};

}  // namespace oomwitness
