// SPDX-License-Identifier: BSD-2-Clause
#include "store/packed_json.h"

#include <zstd.h>

#include <cerrno>

namespace oomwitness {
namespace {

constexpr int kLevel = 1;  // at each kill: the next levels take twice the time for some percent
constexpr unsigned long long kMostBytes = 64ULL << 20U;

tl::unexpected<Error> damaged(const char* why) {
  return fail(EUCLEAN, std::string("an incident of the store cannot be read: ") + why);
}

}  // namespace

JsonPacker::JsonPacker() : context_(ZSTD_createCCtx()) {}

void JsonPacker::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

std::string JsonPacker::pack(std::string_view json) const {
  std::string packed(ZSTD_compressBound(json.size()), '\0');
  // With room for the worst case it fails only without memory; what is empty is damaged when read.
  const std::size_t size =
      context_ ? ZSTD_compressCCtx(context_.get(), packed.data(), packed.size(), json.data(),
                                   json.size(), kLevel)
               : ZSTD_compress(packed.data(), packed.size(), json.data(), json.size(), kLevel);
  packed.resize(ZSTD_isError(size) != 0 ? 0 : size);
  return packed;
}

Result<std::string> unpack_json(std::string_view packed) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
    return damaged("it is not what was written");
  if (size > kMostBytes) return damaged("it says that it is larger than any incident");
  std::string json(size, '\0');
  const std::size_t got = ZSTD_decompress(json.data(), json.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0) return damaged(ZSTD_getErrorName(got));
  if (got != size) return damaged("it is cut");
  return json;
}

}  // namespace oomwitness
