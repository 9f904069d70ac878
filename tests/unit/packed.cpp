// SPDX-License-Identifier: BSD-2-Clause
#include "packed.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdint>

#include <gtest/gtest.h>

namespace oomwitness {

std::string gzip(std::string_view text) {
  constexpr int kGzip = 15 + 16;
  z_stream state{};
  EXPECT_EQ(::deflateInit2(&state, 6, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string in(text);
  std::string out(::deflateBound(&state, text.size()) + 64, '\0');
  state.next_in = reinterpret_cast<Bytef*>(in.data());
  state.avail_in = static_cast<uInt>(in.size());
  state.next_out = reinterpret_cast<Bytef*>(out.data());
  state.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&state, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - state.avail_out);
  ::deflateEnd(&state);
  return out;
}

std::string xz(std::string_view text, std::uint32_t dictionary_bytes) {
  lzma_options_lzma options{};
  ::lzma_lzma_preset(&options, 0);
  if (dictionary_bytes != 0) options.dict_size = dictionary_bytes;
  const std::array<lzma_filter, 2> filters{
      {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};
  std::string out(::lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(::lzma_stream_buffer_encode(const_cast<lzma_filter*>(filters.data()), LZMA_CHECK_CRC32,
                                        nullptr, reinterpret_cast<const std::uint8_t*>(text.data()),
                                        text.size(), reinterpret_cast<std::uint8_t*>(out.data()),
                                        &size, out.size()),
            LZMA_OK);
  out.resize(size);
  return out;
}

std::string unxz(std::string_view packed) {
  constexpr std::size_t kMost = std::size_t{16} << 20U;
  std::string out(kMost, '\0');
  std::uint64_t memory = UINT64_MAX;
  std::size_t in_at = 0;
  std::size_t out_at = 0;
  EXPECT_EQ(::lzma_stream_buffer_decode(
                &memory, 0, nullptr, reinterpret_cast<const std::uint8_t*>(packed.data()), &in_at,
                packed.size(), reinterpret_cast<std::uint8_t*>(out.data()), &out_at, out.size()),
            LZMA_OK);
  out.resize(out_at);
  return out;
}

std::string zstd(std::string_view text, int window_log) {
  ZSTD_CCtx* context = ::ZSTD_createCCtx();
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (window_log != 0) {
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  // As a stream: with a known size the window would be no larger than the text.
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer packed{out.data(), out.size(), 0};
  while (in.pos < in.size) ::ZSTD_compressStream2(context, &packed, &in, ZSTD_e_continue);
  EXPECT_EQ(::ZSTD_compressStream2(context, &packed, &in, ZSTD_e_end), 0U);
  out.resize(packed.pos);
  ::ZSTD_freeCCtx(context);
  return out;
}

}  // namespace oomwitness
