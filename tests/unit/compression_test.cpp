// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/compression.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>

#include "packed.h"

namespace oomwitness {
namespace {

using ::testing::HasSubstr;

// Bytes from memory, at most `step` at a time.
class TextStream : public ByteStream {
 public:
  TextStream(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}
  Result<std::size_t> read(std::span<char> room) override {
    const std::size_t size = std::min({room.size(), step_, text_.size() - at_});
    std::copy_n(text_.data() + at_, size, room.data());
    at_ += size;
    return size;
  }

 private:
  std::string text_;
  std::size_t step_;
  std::size_t at_ = 0;
};

struct Unpacked {
  std::string text;
  std::string error;  // empty: none
};

Unpacked unpack(const std::string& packed, std::size_t step = 1U << 20U, std::size_t room = 4096) {
  auto stream = decompress(format_of(std::string_view(packed).substr(0, kMagicBytes)),
                           std::make_unique<TextStream>(packed, step), "a.log");
  if (!stream) return {"", stream.error().message()};
  Unpacked unpacked;
  std::string part(room, '\0');
  for (;;) {
    const auto got = (*stream)->read(part);
    if (!got) {
      unpacked.error = got.error().message();
      return unpacked;
    }
    if (*got == 0) return unpacked;
    unpacked.text.append(part, 0, *got);
  }
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "line " + std::to_string(i * i) + " of a log\n";
  return text;
}

struct Packer {
  const char* name;
  std::string (*pack)(std::string_view);
};

class Compression : public ::testing::TestWithParam<Packer> {
 protected:
  static std::string pack(std::string_view text) { return GetParam().pack(text); }
};

TEST_P(Compression, GivesTheTextBack) {
  const std::string text = sample();
  for (const std::size_t step : {1U, 7U, 65536U}) {
    for (const std::size_t room : {1U, 1000U, 1U << 20U}) {
      const Unpacked unpacked = unpack(pack(text), step, room);
      EXPECT_EQ(unpacked.error, "");
      EXPECT_EQ(unpacked.text, text) << step << " " << room;
    }
  }
  EXPECT_EQ(unpack(pack("")).text, "");
  EXPECT_EQ(unpack(pack("")).error, "");
}

TEST_P(Compression, SeveralMembersAreOneText) {
  const Unpacked unpacked = unpack(pack("a\n") + pack("") + pack("b\n"), 3);
  EXPECT_EQ(unpacked.error, "");
  EXPECT_EQ(unpacked.text, "a\nb\n");
}

TEST_P(Compression, CutShortGivesWhatItHasAndSaysSo) {
  const std::string text = sample();
  const std::string packed = pack(text);
  for (std::size_t keep = kMagicBytes; keep < packed.size(); keep += 1 + packed.size() / 97) {
    const Unpacked unpacked = unpack(packed.substr(0, keep));
    EXPECT_EQ(unpacked.error, "decompress a.log: it is cut short") << keep;
    EXPECT_TRUE(text.starts_with(unpacked.text)) << keep;
  }
  EXPECT_GT(unpack(packed.substr(0, packed.size() - 1)).text.size(), text.size() / 2);
}

TEST_P(Compression, DamageIsAnErrorAndNoCrash) {
  const std::string packed = pack(sample());
  std::size_t noticed = 0;
  for (std::size_t at = kMagicBytes; at < packed.size(); at += 1 + packed.size() / 211) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const Unpacked unpacked = unpack(damaged);
    if (unpacked.text != sample()) {
      EXPECT_NE(unpacked.error, "") << at;
      ++noticed;
    }
  }
  EXPECT_GT(noticed, 0U);
}

// However much is asked for at once: a decoder that meets damage may have made text before it.
TEST_P(Compression, TextBeforeDamageIsGivenAtWhateverSize) {
  std::string packed = pack(sample());
  packed.replace(packed.size() * 3 / 4, 16, 16, '\xee');
  const Unpacked little = unpack(packed, 1U << 20U, 7);
  EXPECT_THAT(little.error, HasSubstr("it is damaged"));
  const Unpacked much = unpack(packed, 1U << 20U, 1U << 20U);
  EXPECT_EQ(much.text, little.text);
  EXPECT_EQ(much.error, little.error);
}

INSTANTIATE_TEST_SUITE_P(
    Tools, Compression,
    ::testing::Values(Packer{"gzip", gzip},
                      Packer{"xz", [](std::string_view text) { return xz(text); }},
                      Packer{"zstd", [](std::string_view text) { return zstd(text); }}),
    [](const auto& seen) { return seen.param.name; });

TEST(CompressedLog, ZerosBehindGzipAreIgnored) {
  const Unpacked unpacked = unpack(gzip("a\n") + std::string(1000, '\0'));
  EXPECT_EQ(unpacked.error, "");
  EXPECT_EQ(unpacked.text, "a\n");
}

TEST(CompressedLog, OtherBytesBehindTheEndAreDamage) {
  EXPECT_THAT(unpack(gzip("a\n") + "garbage").error, HasSubstr("damaged"));
  EXPECT_THAT(unpack(xz("a\n") + "garbage and garbage").error, HasSubstr("damaged"));
  EXPECT_THAT(unpack(zstd("a\n") + "garbage").error, HasSubstr("damaged"));
}

TEST(CompressedLog, WhatNeedsTooMuchMemoryIsRefused) {
  EXPECT_THAT(unpack(xz("a\n", 256U << 20U)).error, HasSubstr("within 128 MiB"));
  EXPECT_THAT(unpack(zstd("a\n", 28)).error, HasSubstr("within 128 MiB"));
}

TEST(CompressedLog, FormatsAreToldByTheirFirstBytes) {
  EXPECT_EQ(format_of(gzip("a")), Format::kGzip);
  EXPECT_EQ(format_of(xz("a")), Format::kXz);
  EXPECT_EQ(format_of(zstd("a")), Format::kZstd);
  EXPECT_EQ(format_of("\x50\x2a\x4d\x18...."), Format::kZstd);
  EXPECT_EQ(format_of("LPKSHHRH"), Format::kJournal);
  EXPECT_EQ(format_of("BZh91AY"), Format::kBzip2);
  EXPECT_EQ(format_of("PK\x03\x04"), Format::kZip);
  EXPECT_EQ(format_of(""), Format::kText);
  EXPECT_EQ(format_of("\x1f"), Format::kText);
  EXPECT_EQ(format_of("Nov 23 0"), Format::kText);
}

TEST(CompressedLog, FormatsThatAreNotReadAreNotTakenForText) {
  for (const Format format :
       {Format::kBzip2, Format::kLz4, Format::kLzma, Format::kZip, Format::kJournal}) {
    const auto stream = decompress(format, std::make_unique<TextStream>("", 1), "a.log");
    ASSERT_FALSE(stream);
    EXPECT_THAT(stream.error().hint(), HasSubstr("oomwitness analyze -"));
  }
}

}  // namespace
}  // namespace oomwitness
