// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/replay.h"

#include <string_view>
#include <utility>

#include "pipeline/observation_json.h"

namespace oomwitness {
namespace {

std::string_view as_text(const Frame& frame) {
  return {reinterpret_cast<const char*>(frame.payload.data()), frame.payload.size()};
}

Status take(const Frame& frame, IncidentStream& stream) {
  switch (frame.type) {
    case FrameType::kRecord: {
      TRY(const auto observation, stream.take_record(frame.payload, frame.now_ns));
      stream.take_unnamed();  // the recording has the answers
      return {};
    }
    case FrameType::kObservation: {
      TRY(const auto observation, observation_from_json(as_text(frame)));
      stream.take(observation, frame.now_ns);
      return {};
    }
    case FrameType::kSymbols: {
      TRY(const auto names, symbols_from_json(as_text(frame)));
      stream.add_symbols(names);
      return {};
    }
    default: return fail("a recording has its session's facts once");
  }
}

}  // namespace

Status replay(const std::string& path, Wanted wanted, IncidentStream::Sink sink) {
  TRY(auto reader, RecordingReader::open(path));
  IncidentStream stream(reader.facts(), std::move(wanted), std::move(sink));
  std::uint64_t now_ns = 0;
  for (;;) {
    auto frame = reader.next();
    if (frame) now_ns = frame->now_ns;
    if (!frame || frame->type == FrameType::kEnd) {
      const bool stopped_at_count = frame && !frame->payload.empty();
      if (!stopped_at_count) stream.flush(now_ns);
      CHECK_OK(stream.status());
      if (!frame) return tl::make_unexpected(std::move(frame).error());
      return {};
    }
    if (auto taken = take(*frame, stream); !taken) {
      stream.flush(now_ns);
      return tl::make_unexpected(std::move(taken).error().during("replay " + path));
    }
    if (stream.done()) return stream.status();
  }
}

}  // namespace oomwitness
