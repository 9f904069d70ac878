// SPDX-License-Identifier: BSD-2-Clause
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "capture/log/decoders.h"

namespace oomwitness {
namespace {

class GzipDecoder : public ByteStream {
 public:
  GzipDecoder(std::unique_ptr<ByteStream> from, const std::string& name) {
    packed_.from = std::move(from);
    packed_.name = name;
  }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;
  GzipDecoder(GzipDecoder&&) = delete;
  GzipDecoder& operator=(GzipDecoder&&) = delete;
  ~GzipDecoder() override {
    if (ready_) ::inflateEnd(&state_);
  }

  Status start() {
    constexpr int kGzipOnly = 15 + 16;  // zlib.h, inflateInit2: the largest window, a gzip header
    ready_ = ::inflateInit2(&state_, kGzipOnly) == Z_OK;
    if (!ready_) return fail(ENOMEM, "decompress " + packed_.name);
    return {};
  }

  Result<std::size_t> read(std::span<char> room) override;
  std::uint64_t consumed() const override { return packed_.from->consumed(); }

 private:
  Result<bool> next_member();

  Packed packed_;
  z_stream state_{};
  bool ready_ = false;
  bool between_ = false;  // a member has ended
};

// Whether another member follows. Zeros may: some write whole blocks.
Result<bool> GzipDecoder::next_member() {
  for (;;) {
    CHECK_OK(packed_.fill());
    if (packed_.ended) return false;
    if (packed_.bytes[packed_.begin] != '\0') break;
    ++packed_.begin;
  }
  ::inflateReset(&state_);
  between_ = false;
  return true;
}

Result<std::size_t> GzipDecoder::read(std::span<char> room) {
  const auto size =
      static_cast<uInt>(std::min<std::size_t>(room.size(), std::numeric_limits<uInt>::max()));
  state_.next_out = reinterpret_cast<Bytef*>(room.data());
  state_.avail_out = size;
  while (state_.avail_out == size && !packed_.failure) {
    if (between_) {
      TRY(const bool more, next_member());
      if (!more) return std::size_t{0};
    }
    CHECK_OK(packed_.fill());
    // Even without more to take, it may have more to give.
    state_.next_in = reinterpret_cast<Bytef*>(packed_.bytes.data() + packed_.begin);
    state_.avail_in = static_cast<uInt>(packed_.end - packed_.begin);
    const int status = ::inflate(&state_, Z_NO_FLUSH);
    packed_.begin = packed_.end - state_.avail_in;
    between_ = status == Z_STREAM_END;
    if (status == Z_BUF_ERROR && packed_.ended) packed_.failure = cut_short(packed_.name);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      packed_.failure = damaged(packed_.name, state_.msg != nullptr ? state_.msg : "not gzip");
    }
  }
  return packed_.given(size - state_.avail_out);
}

}  // namespace

Result<std::unique_ptr<ByteStream>> gzip_decoder(std::unique_ptr<ByteStream> from,
                                                 const std::string& name) {
  auto decoder = std::make_unique<GzipDecoder>(std::move(from), name);
  CHECK_OK(decoder->start());
  return std::unique_ptr<ByteStream>(std::move(decoder));
}

}  // namespace oomwitness
