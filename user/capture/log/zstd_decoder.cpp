// SPDX-License-Identifier: BSD-2-Clause
#include <zstd.h>
#include <zstd_errors.h>

#include "capture/log/decoders.h"

namespace oomwitness {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
};

// The library's own limit for the window is kMostDecoderBytes (ZSTD_WINDOWLOG_LIMIT_DEFAULT).
class ZstdDecoder : public ByteStream {
 public:
  ZstdDecoder(std::unique_ptr<ByteStream> from, const std::string& name)
      : context_(::ZSTD_createDCtx()) {
    packed_.from = std::move(from);
    packed_.name = name;
  }

  bool ready() const { return context_ != nullptr; }
  Result<std::size_t> read(std::span<char> room) override;
  std::uint64_t consumed() const override { return packed_.from->consumed(); }

 private:
  Packed packed_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  bool between_ = true;  // no frame is open
};

Error failure_of(std::size_t status, const std::string& name) {
  if (::ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge) {
    return {std::make_error_code(std::errc::not_enough_memory),
            "decompress " + name + " within 128 MiB",
            "give its text: zstdcat --long=31 FILE | oomwitness analyze -"};
  }
  return damaged(name, ::ZSTD_getErrorName(status));
}

Result<std::size_t> ZstdDecoder::read(std::span<char> room) {
  ZSTD_outBuffer out{room.data(), room.size(), 0};
  while (out.pos == 0 && !packed_.failure) {
    CHECK_OK(packed_.fill());
    ZSTD_inBuffer in{packed_.bytes.data() + packed_.begin, packed_.end - packed_.begin, 0};
    if (packed_.ended && between_) return std::size_t{0};
    const std::size_t status = ::ZSTD_decompressStream(context_.get(), &out, &in);
    packed_.begin += in.pos;
    if (::ZSTD_isError(status) != 0) {
      packed_.failure = failure_of(status, packed_.name);
      break;
    }
    between_ = status == 0;
    if (packed_.ended && out.pos == 0) packed_.failure = cut_short(packed_.name);
  }
  return packed_.given(out.pos);
}

}  // namespace

Result<std::unique_ptr<ByteStream>> zstd_decoder(std::unique_ptr<ByteStream> from,
                                                 const std::string& name) {
  auto decoder = std::make_unique<ZstdDecoder>(std::move(from), name);
  if (!decoder->ready()) return fail(ENOMEM, "decompress " + name);
  return std::unique_ptr<ByteStream>(std::move(decoder));
}

}  // namespace oomwitness
