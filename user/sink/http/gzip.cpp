// SPDX-License-Identifier: BSD-2-Clause
#include <zlib.h>

#include <memory>

#include "sink/http/http_client.h"

namespace oomwitness {

Result<std::string> gzip(const std::string& bytes) {
  constexpr int kGzipWindow = MAX_WBITS + 16;  // zlib.h: 16 more write a gzip header
  constexpr int kMemory = 8;                   // zlib's default
  z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(ENOMEM, "compress");
  const auto end = [](z_stream* s) noexcept { ::deflateEnd(s); };
  const std::unique_ptr<z_stream, decltype(end)> ended(&stream, end);
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  std::string in = bytes;  // zlib takes it as not const, and leaves it as it is
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): zlib's bytes are unsigned
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) return fail(ENOMEM, "compress");
  out.resize(stream.total_out);
  return out;
}

}  // namespace oomwitness
