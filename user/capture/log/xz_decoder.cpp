// SPDX-License-Identifier: BSD-2-Clause
#include <lzma.h>

#include "capture/log/decoders.h"

namespace oomwitness {
namespace {

class XzDecoder : public ByteStream {
 public:
  XzDecoder(std::unique_ptr<ByteStream> from, const std::string& name) {
    packed_.from = std::move(from);
    packed_.name = name;
  }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;
  XzDecoder(XzDecoder&&) = delete;
  XzDecoder& operator=(XzDecoder&&) = delete;
  ~XzDecoder() override { ::lzma_end(&state_); }

  Status start() {
    if (::lzma_stream_decoder(&state_, kMostDecoderBytes, LZMA_CONCATENATED) != LZMA_OK) {
      return fail(ENOMEM, "decompress " + packed_.name);
    }
    return {};
  }

  Result<std::size_t> read(std::span<char> room) override;
  std::uint64_t consumed() const override { return packed_.from->consumed(); }

 private:
  Packed packed_;
  lzma_stream state_ = LZMA_STREAM_INIT;
  bool done_ = false;
};

Error failure_of(lzma_ret status, const std::string& name) {
  switch (status) {
    case LZMA_BUF_ERROR: return cut_short(name);
    case LZMA_MEMLIMIT_ERROR:
      return {std::make_error_code(std::errc::not_enough_memory),
              "decompress " + name + " within 128 MiB",
              "give its text: xzcat FILE | oomwitness analyze -"};
    case LZMA_FORMAT_ERROR: return damaged(name, "other bytes behind its end");
    case LZMA_OPTIONS_ERROR: return damaged(name, "or compressed in an unknown way");
    default: return damaged(name, "its data or its check sum");
  }
}

Result<std::size_t> XzDecoder::read(std::span<char> room) {
  state_.next_out = reinterpret_cast<std::uint8_t*>(room.data());
  state_.avail_out = room.size();
  while (!done_ && !packed_.failure && state_.avail_out == room.size()) {
    CHECK_OK(packed_.fill());
    state_.next_in = reinterpret_cast<const std::uint8_t*>(packed_.bytes.data() + packed_.begin);
    state_.avail_in = packed_.end - packed_.begin;
    const lzma_ret status = ::lzma_code(&state_, packed_.ended ? LZMA_FINISH : LZMA_RUN);
    packed_.begin = packed_.end - state_.avail_in;
    done_ = status == LZMA_STREAM_END;
    if (status != LZMA_OK && !done_) packed_.failure = failure_of(status, packed_.name);
  }
  return packed_.given(room.size() - state_.avail_out);
}

}  // namespace

Result<std::unique_ptr<ByteStream>> xz_decoder(std::unique_ptr<ByteStream> from,
                                               const std::string& name) {
  auto decoder = std::make_unique<XzDecoder>(std::move(from), name);
  CHECK_OK(decoder->start());
  return std::unique_ptr<ByteStream>(std::move(decoder));
}

}  // namespace oomwitness
