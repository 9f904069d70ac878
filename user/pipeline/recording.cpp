// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/recording.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "pipeline/observation_json.h"

namespace oomwitness {
namespace {

constexpr std::array<char, 8> kMagic{'o', 'o', 'm', 'w', 'r', 'e', 'c', '1'};
constexpr std::uint32_t kLargestFrame = 4U << 20U;
constexpr const char* kHowMade = "recordings are made with `oomwitness trace --record FILE`";

struct FrameHeader {
  std::uint32_t type = 0;
  std::uint32_t size = 0;
  std::uint64_t now_ns = 0;
};

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> as_payload(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

Result<RecordingWriter> RecordingWriter::create(const std::string& path, const SessionFacts& facts,
                                                std::uint64_t now_ns) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(errno, "create the recording " + path);
  // A file that was there before may be readable by all.
  struct stat there {};
  if (::fstat(fd, &there) == 0 && S_ISREG(there.st_mode) && ::fchmod(fd, 0600) != 0) {
    const int err = errno;
    ::close(fd);
    return fail(err, "keep the recording " + path + " to its owner");
  }
  std::unique_ptr<std::FILE, Close> file(::fdopen(fd, "w"));
  if (!file) {
    const int err = errno;
    ::close(fd);
    return fail(err, "create the recording " + path);
  }
  if (std::fwrite(kMagic.data(), 1, kMagic.size(), file.get()) != kMagic.size()) {
    return fail(errno, "write the recording " + path);
  }
  RecordingWriter writer(path, std::move(file));
  CHECK_OK(writer.write(FrameType::kFacts, now_ns, as_payload(facts_to_json(facts))));
  return writer;
}

Status RecordingWriter::write(FrameType type, std::uint64_t now_ns,
                              std::span<const std::byte> payload) {
  const FrameHeader header{.type = static_cast<std::uint32_t>(type),
                           .size = static_cast<std::uint32_t>(payload.size()),
                           .now_ns = now_ns};
  if (std::fwrite(&header, sizeof(header), 1, file_.get()) != 1 ||
      std::fwrite(payload.data(), 1, payload.size(), file_.get()) != payload.size() ||
      std::fflush(file_.get()) != 0) {
    return fail(errno, "write the recording " + path_);
  }
  return {};
}

Status RecordingWriter::record(std::uint64_t now_ns, std::span<const std::byte> record) {
  return write(FrameType::kRecord, now_ns, record);
}

Status RecordingWriter::observation(std::uint64_t now_ns, const Observation& observation) {
  TRY(const auto text, observation_to_json(observation));
  return write(FrameType::kObservation, now_ns, as_payload(text));
}

Status RecordingWriter::end(std::uint64_t now_ns, bool enough) {
  return write(FrameType::kEnd, now_ns, as_payload(enough ? "enough" : ""));
}

Result<RecordingReader> RecordingReader::open(const std::string& path) {
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file) return fail(errno, "open the recording " + path, kHowMade);
  std::array<char, kMagic.size()> magic{};
  if (std::fread(magic.data(), 1, magic.size(), file.get()) != magic.size() || magic != kMagic) {
    return fail("open the recording " + path + ": not a recording of oomwitness", kHowMade);
  }
  RecordingReader reader(path, std::move(file));
  TRY(const auto first, reader.next());
  if (first.type != FrameType::kFacts) {
    return fail("read the recording " + path + ": it does not start with its session's facts");
  }
  TRY(reader.facts_, facts_from_json(as_text(first.payload)));
  return reader;
}

Result<Frame> RecordingReader::next() {
  const auto broken = [&](const char* how) {
    return fail("read the recording " + path_ + ": " + how,
                "the recorder was interrupted or the file damaged; what came before is shown");
  };
  FrameHeader header;
  const std::size_t got = std::fread(&header, 1, sizeof(header), file_.get());
  if (got != sizeof(header)) return broken("it is cut short");
  if (header.size > kLargestFrame) return broken("a frame is larger than any can be");
  Frame frame{.type = static_cast<FrameType>(header.type), .now_ns = header.now_ns};
  frame.payload.resize(header.size);
  if (std::fread(frame.payload.data(), 1, header.size, file_.get()) != header.size) {
    return broken("it is cut short");
  }
  if (header.type < static_cast<std::uint32_t>(FrameType::kFacts) ||
      header.type > static_cast<std::uint32_t>(FrameType::kEnd)) {
    return broken("it has a frame of unknown type");
  }
  return frame;
}

}  // namespace oomwitness
