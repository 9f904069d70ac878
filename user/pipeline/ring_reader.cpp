// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/ring_reader.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <thread>
#include <utility>

namespace oomwitness {
namespace {

void ring_bell(int fd) {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full: then the bell rings already.
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof(one));
}

}  // namespace

struct RingReader::State {
  Tracer* tracer = nullptr;
  OwnedFd news;
  OwnedFd quit;
  std::thread thread;

  void run() const {
    for (;;) {
      std::array<pollfd, 2> fds{{{tracer->ring_fd(), POLLIN, 0}, {quit.get(), POLLIN, 0}}};
      if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
      const auto handled = tracer->drain();
      if (handled && *handled > 0) ring_bell(news.get());
      if ((fds[1].revents & POLLIN) != 0) return;
    }
  }
};

RingReader::RingReader(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<RingReader>> RingReader::start(Tracer& tracer) {
  auto state = std::make_unique<State>();
  state->tracer = &tracer;
  state->news = OwnedFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  state->quit = OwnedFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (state->news.get() < 0 || state->quit.get() < 0) return fail(errno, "make an eventfd");
  // Signals are the main thread's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  state->thread = std::thread([raw = state.get()] { raw->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return std::unique_ptr<RingReader>(new RingReader(std::move(state)));
}

RingReader::~RingReader() {
  stop();
}

int RingReader::news_fd() const noexcept {
  return state_->news.get();
}

void RingReader::stop() {
  if (!state_->thread.joinable()) return;
  ring_bell(state_->quit.get());
  state_->thread.join();
}

}  // namespace oomwitness
