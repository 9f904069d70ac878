// SPDX-License-Identifier: BSD-2-Clause
// A log that is being written: sleeps until it grows (inotify(7)), goes on in its successor when
// it is renamed away, and begins anew when it is truncated (logrotate's copytruncate).
#pragma once

#include <string>

#include "capture/log/byte_stream.h"

namespace oomwitness {

class FollowedFile : public ByteStream {
 public:
  // Begins with what the file holds. `stop_fd`: readable when the user wants no more; -1: none.
  static Result<std::unique_ptr<ByteStream>> open(std::string path, int stop_fd);

  FollowedFile(std::string path, OwnedFd inotify, OwnedFd file, int stop_fd)
      : path_(std::move(path)),
        inotify_(std::move(inotify)),
        file_(std::move(file)),
        stop_fd_(stop_fd) {}

  Result<std::size_t> read(std::span<char> room) override;
  Result<Wake> wait(std::optional<std::chrono::milliseconds> quiet_after) override;
  bool take_gap() override { return std::exchange(gap_, false); }
  std::uint64_t consumed() const override { return consumed_; }

 private:
  Result<bool> has_more();
  void look_for_successor();
  Status drain_events();

  std::string path_;
  OwnedFd inotify_;
  OwnedFd file_;
  OwnedFd successor_;  // has the name now, but nothing in it yet
  int stop_fd_;
  std::uint64_t offset_ = 0;
  std::uint64_t consumed_ = 0;
  bool gap_ = false;
};

}  // namespace oomwitness
