// SPDX-License-Identifier: BSD-2-Clause
// One decompressor a library; compression.h chooses.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "capture/log/byte_stream.h"

namespace oomwitness {

// More than any default of the tools needs (xz -9: 65 MiB, zstd -22: 128 MiB), and a bound for
// files made to hurt.
inline constexpr std::size_t kMostDecoderBytes = std::size_t{128} << 20U;

// The compressed bytes not used yet, and where more come from.
struct Packed {
  std::unique_ptr<ByteStream> from;
  std::string name;
  std::array<char, 1U << 16U> bytes{};
  std::size_t begin = 0;
  std::size_t end = 0;
  bool ended = false;

  // What ended the text; it is told when all that came before has been given.
  std::optional<Error> failure;

  bool empty() const { return begin == end; }
  // Gets more when all is used.
  Status fill();
  // For read(): `count` bytes of text, or why there are none.
  Result<std::size_t> given(std::size_t count) const;
};

Error cut_short(const std::string& name);
Error damaged(const std::string& name, const char* why);

Result<std::unique_ptr<ByteStream>> gzip_decoder(std::unique_ptr<ByteStream> from,
                                                 const std::string& name);
Result<std::unique_ptr<ByteStream>> xz_decoder(std::unique_ptr<ByteStream> from,
                                               const std::string& name);
Result<std::unique_ptr<ByteStream>> zstd_decoder(std::unique_ptr<ByteStream> from,
                                                 const std::string& name);

}  // namespace oomwitness
