// SPDX-License-Identifier: BSD-2-Clause
// An HTTP server on loopback that answers as it is told and keeps what it was sent.
#pragma once

#include <microhttpd.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>

namespace oomwitness {

struct ReceivedRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;  // names as they were sent
  std::string body;
};

struct PlannedReply {
  unsigned status = 200;
  std::string body;
  std::map<std::string, std::string> headers;
};

class HttpReceiver {
 public:
  // PEM; empty: plain HTTP.
  explicit HttpReceiver(std::string certificate = "", std::string key = "")
      : certificate_(std::move(certificate)), key_(std::move(key)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD;
    MHD_OptionItem tls[] = {
        {MHD_OPTION_END, 0, nullptr}, {MHD_OPTION_END, 0, nullptr}, {MHD_OPTION_END, 0, nullptr}};
    if (!certificate_.empty()) {
      flags |= MHD_USE_TLS;
      tls[0] = {MHD_OPTION_HTTPS_MEM_CERT, 0, certificate_.data()};
      tls[1] = {MHD_OPTION_HTTPS_MEM_KEY, 0, key_.data()};
    }
    daemon_.reset(::MHD_start_daemon(flags, 0, nullptr, nullptr, &HttpReceiver::on_request, this,
                                     MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
                                     &HttpReceiver::on_completed, this, MHD_OPTION_ARRAY, tls,
                                     MHD_OPTION_END));
  }
  bool runs() const { return daemon_ != nullptr; }
  std::string url() const {
    const MHD_DaemonInfo* info = ::MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_BIND_PORT);
    return (certificate_.empty() ? "http://127.0.0.1:" : "https://127.0.0.1:") +
           std::to_string(info->port);
  }
  // The next requests get these, in order; after them, 200.
  void plan(PlannedReply reply) {
    const std::lock_guard lock(mutex_);
    planned_.push_back(std::move(reply));
  }
  std::vector<ReceivedRequest> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(received_, {});
  }

 private:
  struct End {
    void operator()(MHD_Daemon* daemon) const noexcept { ::MHD_stop_daemon(daemon); }
  };

  static MHD_Result keep_header(void* into, MHD_ValueKind, const char* name, const char* value) {
    (*static_cast<std::map<std::string, std::string>*>(into))[name] = value != nullptr ? value : "";
    return MHD_YES;
  }
  static void on_completed(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
    delete static_cast<ReceivedRequest*>(*state);
    *state = nullptr;
  }
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char*, const char* body, std::size_t* size,
                               void** state) {
    if (*state == nullptr) {
      auto request = std::make_unique<ReceivedRequest>(ReceivedRequest{method, url, {}, {}});
      ::MHD_get_connection_values(connection, MHD_HEADER_KIND, &HttpReceiver::keep_header,
                                  &request->headers);
      *state = request.release();
      return MHD_YES;
    }
    auto* request = static_cast<ReceivedRequest*>(*state);
    if (*size > 0) {
      request->body.append(body, *size);
      *size = 0;
      return MHD_YES;
    }
    return static_cast<HttpReceiver*>(self)->answer(connection, *request);
  }
  MHD_Result answer(MHD_Connection* connection, const ReceivedRequest& request) {
    PlannedReply reply;
    {
      const std::lock_guard lock(mutex_);
      received_.push_back(request);
      if (!planned_.empty()) {
        reply = std::move(planned_.front());
        planned_.pop_front();
      }
    }
    MHD_Response* response = ::MHD_create_response_from_buffer(reply.body.size(), reply.body.data(),
                                                               MHD_RESPMEM_MUST_COPY);
    for (const auto& [name, value] : reply.headers)
      ::MHD_add_response_header(response, name.c_str(), value.c_str());
    const MHD_Result queued = ::MHD_queue_response(connection, reply.status, response);
    ::MHD_destroy_response(response);
    return queued;
  }

  std::string certificate_;
  std::string key_;
  std::mutex mutex_;
  std::deque<PlannedReply> planned_;
  std::vector<ReceivedRequest> received_;
  std::unique_ptr<MHD_Daemon, End> daemon_;  // last: its thread uses the rest
};

}  // namespace oomwitness
