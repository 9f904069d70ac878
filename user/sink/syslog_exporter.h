// SPDX-License-Identifier: BSD-2-Clause
// Incidents to a syslog daemon, here or elsewhere.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "sink/exporter.h"
#include "sink/syslog_message.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

enum class SyslogTransport { kUnix, kUdp, kTcp };

struct SyslogTarget {
  SyslogTransport transport = SyslogTransport::kUnix;
  std::string path = "/dev/log";  // kUnix: a datagram or a stream socket
  std::string host;               // kUdp, kTcp: a name or an address
  std::string port = "514";
  std::chrono::milliseconds timeout = std::chrono::seconds(10);  // to connect, and for each write

  bool operator==(const SyslogTarget&) const = default;
};

// "unix:/dev/log", "udp://loghost:514", "tcp://[::1]:601"; the port may be left out.
Result<SyslogTarget> parse_syslog_target(const std::string& text);

// Over UDP nobody learns what was lost; over TCP (octet-counted frames, RFC 6587) what the kernel
// took counts as sent.
class SyslogExporter : public Exporter {
 public:
  // `local_offset_s`: of the local time at a UTC second; for SyslogFormat::kLocal.
  SyslogExporter(std::string name, SyslogTarget target, SyslogStyle style,
                 std::function<std::int64_t(std::int64_t)> local_offset_s);

  const std::string& name() const override { return name_; }
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) override;
  void reopen() override { reopen_ = true; }

 private:
  Status connect(const std::stop_token& stop);
  Status connect_unix();
  Status connect_network(const std::stop_token& stop);
  Status write(std::string frame, const std::stop_token& stop);
  std::string frame_of(const Incident& incident) const;

  std::string name_;
  SyslogTarget target_;
  SyslogStyle style_;
  std::function<std::int64_t(std::int64_t)> local_offset_s_;
  OwnedFd socket_;
  bool stream_ = false;
  std::atomic<bool> reopen_ = false;
};

}  // namespace oomwitness
