// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a recording: replayed twice it gives the same incidents and the same end.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "incident/json.h"
#include "pipeline/observation_json.h"
#include "pipeline/recording.h"
#include "pipeline/replay.h"

namespace oomwitness {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

// A file in memory, reached by a path.
class File {
 public:
  explicit File(std::string_view bytes) : fd_(::memfd_create("recording", MFD_CLOEXEC)) {
    check(fd_ >= 0);
    check(::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

struct Replayed {
  std::vector<std::string> incidents;
  std::string error;
  bool operator==(const Replayed&) const = default;
};

Replayed replay_all(const std::string& path) {
  Replayed out;
  const Status ended = replay(path, {}, [&](const Incident& incident) -> Status {
    out.incidents.push_back(to_json(incident));
    return {};
  });
  if (!ended) out.error = ended.error().message() + ended.error().hint();
  return out;
}

void fuzz_payloads(std::string_view bytes) {
  if (const auto facts = facts_from_json(bytes)) {
    const std::string written = facts_to_json(*facts);
    const auto again = facts_from_json(written);
    check(again && facts_to_json(*again) == written);
  }
  if (const auto seen = observation_from_json(bytes)) {
    const auto written = observation_to_json(*seen);
    check(written.has_value());
    const auto again = observation_from_json(*written);
    check(again && *observation_to_json(*again) == *written);
  }
  const auto names = symbols_from_json(bytes);
  check(names.has_value() || !names.error().message().empty());
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(input), size);
  oomwitness::fuzz_payloads(bytes);
  const oomwitness::File file(bytes);
  oomwitness::check(oomwitness::replay_all(file.path()) == oomwitness::replay_all(file.path()));
  return 0;
}
