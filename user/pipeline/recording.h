// SPDX-License-Identifier: BSD-2-Clause
// A recording: everything the incidents of a session were made of, so that the same incidents can
// be made again anywhere. A file of frames: eight bytes of magic, then {u32 type, u32 size, u64
// now_ns, payload} in this machine's byte order. docs/recording.md describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assemble/assembler.h"
#include "assemble/observation.h"
#include "enrich/gfp_table.h"
#include "support/result.h"

namespace oomwitness {

// What a session knows before its first observation.
struct SessionFacts {
  AssemblerConfig assembler;  // without decode_gfp: `gfp` has the table
  std::vector<GfpName> gfp;   // empty: this kernel's table could not be read
};

using SymbolNames =
    std::map<std::uint64_t, std::string>;  // kernel address -> "name+0x1a"; "": none

enum class FrameType : std::uint32_t {
  kFacts = 1,        // SessionFacts, JSON; the first frame
  kRecord = 2,       // a BPF record as it came, argv redacted
  kObservation = 3,  // a user-space observation, JSON
  kSymbols = 4,      // SymbolNames, JSON
  kEnd = 5,          // the session ended here; with a payload: at its count
};

struct Frame {
  FrameType type = FrameType::kEnd;
  std::uint64_t now_ns = 0;  // when the session took it
  std::vector<std::byte> payload;
};

class RecordingWriter {
 public:
  // A new file of mode 0600; an existing one is replaced.
  static Result<RecordingWriter> create(const std::string& path, const SessionFacts& facts,
                                        std::uint64_t now_ns);
  Status record(std::uint64_t now_ns, std::span<const std::byte> record);
  Status observation(std::uint64_t now_ns, const Observation& observation);
  Status symbols(std::uint64_t now_ns, const SymbolNames& names);
  // `enough`: the session stopped at its count, with other kills still open and not reported.
  Status end(std::uint64_t now_ns, bool enough);

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  RecordingWriter(std::string path, std::unique_ptr<std::FILE, Close> file)
      : path_(std::move(path)), file_(std::move(file)) {}
  Status write(FrameType type, std::uint64_t now_ns, std::span<const std::byte> payload);

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

class RecordingReader {
 public:
  // Reads the magic and the facts.
  static Result<RecordingReader> open(const std::string& path);
  const SessionFacts& facts() const noexcept { return facts_; }
  // The next frame; after kEnd there is none. An error where the file is cut or damaged.
  Result<Frame> next();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  RecordingReader(std::string path, std::unique_ptr<std::FILE, Close> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  SessionFacts facts_;
};

std::string facts_to_json(const SessionFacts& facts);
Result<SessionFacts> facts_from_json(std::string_view text);
Result<SymbolNames> symbols_from_json(std::string_view text);

}  // namespace oomwitness
