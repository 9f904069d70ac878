// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a log in a file, read in pieces of any size: no crash, no more than asked for, and
// the same text, or an error all the same, whatever the pieces.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "capture/log/compression.h"

namespace oomwitness {
namespace {

// Of the text: bombs are legal, and slow under a sanitizer.
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

void check(bool holds) {
  if (!holds) std::abort();
}

class Bytes : public ByteStream {
 public:
  Bytes(std::string_view bytes, std::size_t piece) : rest_(bytes), piece_(piece) {}

  Result<std::size_t> read(std::span<char> room) override {
    const std::size_t size = std::min({room.size(), rest_.size(), piece_});
    std::copy_n(rest_.data(), size, room.data());
    rest_.remove_prefix(size);
    used_ += size;
    return size;
  }
  std::uint64_t consumed() const override { return used_; }

 private:
  std::string_view rest_;
  std::size_t piece_;
  std::uint64_t used_ = 0;
};

struct Text {
  std::string bytes;
  std::optional<std::string> error;
};

// Where it ends in an error, how much text came before may differ: libzstd decodes a small frame
// whole or not at all.
void check_same(const Text& a, const Text& b) {
  check(a.error.has_value() == b.error.has_value());
  const bool a_is_less = a.bytes.size() < b.bytes.size();
  const Text& less = a_is_less ? a : b;
  const Text& more = a_is_less ? b : a;
  check(more.bytes.starts_with(less.bytes));
  check(a.error || a.bytes == b.bytes);
}

Text unpacked(std::string_view packed, std::size_t packed_piece, std::size_t text_piece) {
  Text text;
  auto stream = decompress(format_of(packed.substr(0, kMagicBytes)),
                           std::make_unique<Bytes>(packed, packed_piece), "log");
  if (!stream) {
    text.error = stream.error().message();
    return text;
  }
  std::array<char, 4096> room{};
  const auto part = std::span(room).first(std::min(text_piece, room.size()));
  while (text.bytes.size() < kMostBytes) {
    const auto got = (*stream)->read(part);
    if (!got) {
      text.error = got.error().message();
      break;
    }
    if (*got == 0) break;
    check(*got <= part.size());
    text.bytes.append(part.data(), *got);
    check((*stream)->consumed() <= packed.size());
  }
  text.bytes.resize(std::min(text.bytes.size(), kMostBytes));
  return text;
}

}  // namespace
}  // namespace oomwitness

// The first byte: how large the pieces are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view packed(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::size_t piece = std::size_t{bytes[0]} + 1;
  const auto whole = oomwitness::unpacked(packed, packed.size() + 1, 4096);
  const auto pieces = oomwitness::unpacked(packed, piece, 4096);
  oomwitness::check_same(whole, pieces);
  if (whole.bytes.size() < 65536) {
    oomwitness::check_same(oomwitness::unpacked(packed, packed.size() + 1, piece), whole);
  }
  return 0;
}
