// SPDX-License-Identifier: BSD-2-Clause
// The thread that empties the BPF ring. It copies and does nothing else: no allocation, no file,
// no sink can keep it from the next record.
#pragma once

#include <memory>

#include "capture/bpf/tracer.h"
#include "pipeline/record_queue.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

class RingReader {
 public:
  // The tracer's handler must push into `queue`. Both outlive the reader.
  static Result<std::unique_ptr<RingReader>> start(Tracer& tracer);
  ~RingReader();
  RingReader(const RingReader&) = delete;
  RingReader& operator=(const RingReader&) = delete;

  // Readable after records came; read 8 bytes to rearm it.
  int news_fd() const noexcept;
  // Ends the thread; what is in the ring by then has been handed over.
  void stop();

 private:
  struct State;
  explicit RingReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace oomwitness
