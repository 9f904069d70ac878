// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/pieces.h"

#include <algorithm>
#include <cstring>

namespace oomwitness {
namespace {

constexpr std::size_t kReadBytes = 1U << 20U;

}  // namespace

StreamPieces::StreamPieces(std::unique_ptr<ByteStream> stream)
    : stream_(std::move(stream)), buffer_(kReadBytes) {}

Result<std::string_view> StreamPieces::next(std::size_t again) {
  again = std::min(again, size_);
  std::memmove(buffer_.data(), buffer_.data() + size_ - again, again);
  size_ = again;
  if (buffer_.size() - again < kReadBytes / 2) buffer_.resize(again + kReadBytes);
  TRY(const std::size_t got, stream_->read(std::span(buffer_).subspan(again)));
  size_ += got;
  return std::string_view(buffer_.data(), size_);
}

}  // namespace oomwitness
