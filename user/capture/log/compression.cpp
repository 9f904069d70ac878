// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/compression.h"

#include <array>
#include <utility>

#include "capture/log/decoders.h"

namespace oomwitness {
namespace {

using namespace std::string_view_literals;

constexpr std::array kMagics = {
    std::pair{"\x1f\x8b"sv, Format::kGzip},
    std::pair{"\xfd"
              "7zXZ\0"sv,
              Format::kXz},
    std::pair{"\x28\xb5\x2f\xfd"sv, Format::kZstd},
    std::pair{"LPKSHHRH"sv, Format::kJournal},
    std::pair{"BZh"sv, Format::kBzip2},
    std::pair{"\x04\x22\x4d\x18"sv, Format::kLz4},
    std::pair{"\x5d\0\0\x80\0"sv, Format::kLzma},
    std::pair{"PK\x03\x04"sv, Format::kZip},
};

Error not_read(const std::string& name, const std::string& what, const std::string& tool) {
  return {std::make_error_code(std::errc::not_supported), "read " + name + ", a file of " + what,
          "give its text: " + tool + " FILE | oomwitness analyze -"};
}

}  // namespace

Format format_of(std::string_view first_bytes) {
  // A zstd file may begin with a skippable frame: 0x184D2A5? little-endian.
  if (first_bytes.size() >= 4 && (static_cast<unsigned char>(first_bytes[0]) & 0xf0U) == 0x50 &&
      first_bytes.substr(1).starts_with("\x2a\x4d\x18"sv)) {
    return Format::kZstd;
  }
  for (const auto& [magic, format] : kMagics) {
    if (first_bytes.starts_with(magic)) return format;
  }
  return Format::kText;
}

Result<std::unique_ptr<ByteStream>> decompress(Format format, std::unique_ptr<ByteStream> stream,
                                               const std::string& name) {
  switch (format) {
    case Format::kText: return stream;
    case Format::kGzip: return gzip_decoder(std::move(stream), name);
    case Format::kXz: return xz_decoder(std::move(stream), name);
    case Format::kZstd: return zstd_decoder(std::move(stream), name);
    case Format::kBzip2: return tl::make_unexpected(not_read(name, "bzip2", "bzcat"));
    case Format::kLz4: return tl::make_unexpected(not_read(name, "lz4", "lz4cat"));
    case Format::kLzma: return tl::make_unexpected(not_read(name, "lzma", "xzcat"));
    case Format::kZip: return tl::make_unexpected(not_read(name, "zip", "unzip -p"));
    case Format::kJournal:
      return tl::make_unexpected(
          not_read(name, "systemd's journal", "journalctl -k -o short-iso-precise --file"));
  }
  return fail("read " + name);
}

}  // namespace oomwitness
