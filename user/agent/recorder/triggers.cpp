// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder/triggers.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "agent/recorder/folder.h"

namespace oomwitness {
namespace {

// A twentieth of two seconds lost to memory. Without CAP_SYS_RESOURCE the window must be a multiple
// of two seconds (kernel commit d82caa273565).
constexpr char kTrigger[] = "some 100000 2000000";

}  // namespace

Result<Triggers> Triggers::make(std::size_t most) {
  OwnedFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (epoll.get() < 0) return fail(errno, "epoll_create1");
  return Triggers(std::move(epoll), most);
}

Triggers::Triggers(OwnedFd epoll, std::size_t most) : epoll_(std::move(epoll)), most_(most) {
  armed_.reserve(most);
}

Status Triggers::arm(int folder_fd, const char* path, std::size_t owner) {
  const auto failed = [path] { return fail(errno, std::string("watch ") + path); };
  if (armed_.size() == most_) return fail(ENOSPC, std::string("watch ") + path);
  OwnedFd file = open_below(folder_fd, path, O_RDWR | O_NONBLOCK);
  if (file.get() < 0) return failed();
  // First what only such files can do: a trigger must not be written into any other.
  epoll_event event{};
  event.events = EPOLLPRI;
  event.data.u64 = owner;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, file.get(), &event) != 0) return failed();
  // With its NUL, as the kernel's documentation has it.
  if (::write(file.get(), kTrigger, sizeof(kTrigger)) < 0) return failed();
  armed_.push_back({owner, std::move(file)});
  return {};
}

void Triggers::disarm(std::size_t owner) {
  std::erase_if(armed_, [owner](const Armed& armed) { return armed.owner == owner; });
}

bool Triggers::has(std::size_t owner) const {
  return std::any_of(armed_.begin(), armed_.end(),
                     [owner](const Armed& armed) { return armed.owner == owner; });
}

bool Triggers::fired() {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  bool any = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    if ((event.events & EPOLLERR) != 0)
      disarm(event.data.u64);
    else
      any = true;
  }
  return any;
}

}  // namespace oomwitness
