// SPDX-License-Identifier: BSD-2-Clause
// Compressed logs, told by their first bytes whatever their name (gzip: RFC 1952; xz:
// xz-file-format.txt; zstd: RFC 8878).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "capture/log/byte_stream.h"
#include "support/result.h"

namespace oomwitness {

enum class Format {
  kText,
  kGzip,
  kXz,
  kZstd,
  kJournal,  // a file of systemd's journal
  kBzip2,
  kLz4,
  kLzma,
  kZip,
};

// How many of a file's first bytes tell.
inline constexpr std::size_t kMagicBytes = 8;

Format format_of(std::string_view first_bytes);

// What kText, kGzip, kXz or kZstd holds as text. Several members in a row are one text. Errors,
// when reading: damage (EBADMSG), a file that is cut short (ENODATA), one that needs more than 128
// MiB to decompress (ENOMEM). All other formats are refused with a hint.
Result<std::unique_ptr<ByteStream>> decompress(Format format, std::unique_ptr<ByteStream> stream,
                                               const std::string& name);

}  // namespace oomwitness
