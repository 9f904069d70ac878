// SPDX-License-Identifier: BSD-2-Clause
#include "sink/html/packed_records.h"

#include <zlib.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "incident/json.h"

namespace oomwitness {
namespace {

constexpr int kGzip = 15 + 16;  // zlib.h, deflateInit2: the largest window, a gzip header
constexpr int kMemLevel = 8;    // zlib's own default

class Packer {
 public:
  Packer() {
    ready_ = ::deflateInit2(&state_, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, kMemLevel,
                            Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  Packer(Packer&&) = delete;
  Packer& operator=(Packer&&) = delete;
  ~Packer() {
    if (ready_) ::deflateEnd(&state_);
  }

  void add(std::string text, int flush) {
    if (!ready_) return;
    state_.next_in = reinterpret_cast<Bytef*>(text.data());  // zlib's type for bytes
    state_.avail_in = static_cast<uInt>(text.size());
    std::array<char, 65536> room{};
    do {
      state_.next_out = reinterpret_cast<Bytef*>(room.data());
      state_.avail_out = static_cast<uInt>(room.size());
      ::deflate(&state_, flush);
      out_.append(room.data(), room.size() - state_.avail_out);
    } while (state_.avail_out == 0);
  }
  std::string take() && {
    add({}, Z_FINISH);
    return std::move(out_);
  }

 private:
  z_stream state_{};
  bool ready_ = false;
  std::string out_;
};

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i)
      three = three << 8U | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += at + i > bytes.size() ? '=' : kAlphabet[three >> (18 - 6 * i) & 63U];
  }
  return out;
}

std::string packed_records(const std::vector<Incident>& incidents) {
  Packer packer;
  for (const Incident& incident : incidents) packer.add(to_json(incident) + "\n", Z_NO_FLUSH);
  return "data:application/gzip;base64," + base64(std::move(packer).take());
}

}  // namespace oomwitness
