// SPDX-License-Identifier: BSD-2-Clause
#include "sink/prometheus/metrics_server.h"

#include <microhttpd.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <string_view>
#include <utility>

#include "sink/prometheus/listening_socket.h"
#include "sink/secret_file.h"

namespace oomwitness {
namespace {

constexpr unsigned kConnections = 16;
constexpr unsigned kTimeoutSeconds = 10;
constexpr std::size_t kRequestBytes = 16U << 10U;

struct DaemonEnd {
  void operator()(MHD_Daemon* daemon) const noexcept { ::MHD_stop_daemon(daemon); }
};

struct ResponseEnd {
  void operator()(MHD_Response* response) const noexcept { ::MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ResponseEnd>;

struct MhdFree {
  void operator()(char* text) const noexcept { ::MHD_free(text); }
};
using MhdText = std::unique_ptr<char, MhdFree>;

Response text_response(std::string text) {
  // MUST_COPY reads it only.
  return Response(
      ::MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY));
}

// How long it takes says nothing of how much is right.
bool same(std::string_view given, std::string_view wanted) {
  bool equal = given.size() == wanted.size();
  for (std::size_t i = 0; i < given.size(); ++i)
    equal &= given[i] == (wanted.empty() ? '\0' : wanted[i % wanted.size()]);
  return equal;
}

}  // namespace

class MetricsServer::Impl {
 public:
  Impl(std::function<std::string()> page, std::string login, ListeningSocket socket)
      : page_(std::move(page)), login_(std::move(login)), socket_(std::move(socket)) {}
  ~Impl() {
    daemon_.reset();
    if (!socket_.path.empty()) ::unlink(socket_.path.c_str());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // PEM; empty: without TLS.
  Status start(std::string certificate, std::string key);
  const ListeningSocket& socket() const { return socket_; }
  bool has_login() const { return !login_.empty(); }

 private:
  static MHD_Result answer(void* self, MHD_Connection* connection, const char* url,
                           const char* method, const char* version, const char* body,
                           std::size_t* body_size, void** state) noexcept;
  MHD_Result reply(MHD_Connection* connection, std::string_view url, std::string_view method) const;
  bool may_read(MHD_Connection* connection) const;

  std::function<std::string()> page_;
  std::string login_;  // "USER:PASSWORD"; empty: none is asked for
  ListeningSocket socket_;
  std::string certificate_;  // the daemon points to them
  std::string key_;
  std::unique_ptr<MHD_Daemon, DaemonEnd> daemon_;
};

Status MetricsServer::Impl::start(std::string certificate, std::string key) {
  certificate_ = std::move(certificate);
  key_ = std::move(key);
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD;
  std::array<MHD_OptionItem, 6> options{{
      {MHD_OPTION_LISTEN_SOCKET, socket_.fd.get(), nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, kConnections, nullptr},
      {MHD_OPTION_CONNECTION_TIMEOUT, kTimeoutSeconds, nullptr},
      {MHD_OPTION_END, 0, nullptr},
      {MHD_OPTION_END, 0, nullptr},
      {MHD_OPTION_END, 0, nullptr},
  }};
  if (!certificate_.empty()) {
    flags |= MHD_USE_TLS;
    options[3] = {MHD_OPTION_HTTPS_MEM_CERT, 0, certificate_.data()};
    options[4] = {MHD_OPTION_HTTPS_MEM_KEY, 0, key_.data()};
  }
  daemon_.reset(::MHD_start_daemon(flags, 0, nullptr, nullptr, &Impl::answer, this,
                                   MHD_OPTION_CONNECTION_MEMORY_LIMIT, kRequestBytes,
                                   MHD_OPTION_ARRAY, options.data(), MHD_OPTION_END));
  if (!daemon_)
    return fail("start the metrics server",
                certificate_.empty() ? "" : "is the certificate PEM, and does the key fit it?");
  return {};
}

MHD_Result MetricsServer::Impl::answer(void* self, MHD_Connection* connection, const char* url,
                                       const char* method, const char*, const char*,
                                       std::size_t* body_size, void** state) noexcept {
  // The first call has the headers only; to answer a GET then would close the connection.
  if (*state == nullptr) {
    *state = self;
    return MHD_YES;
  }
  *body_size = 0;
  try {
    return static_cast<const Impl*>(self)->reply(connection, url, method);
  } catch (const std::exception&) {
    return MHD_NO;  // out of memory: the connection ends
  }
}

MHD_Result MetricsServer::Impl::reply(MHD_Connection* connection, std::string_view url,
                                      std::string_view method) const {
  if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
    const Response response = text_response("GET only\n");
    return ::MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, response.get());
  }
  if (!may_read(connection)) {
    const Response response = text_response("a password is needed\n");
    return ::MHD_queue_basic_auth_fail_response(connection, "oomwitness", response.get());
  }
  if (url != "/metrics") {
    const Response response = text_response("see /metrics\n");
    return ::MHD_queue_response(connection, url == "/" ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND,
                                response.get());
  }
  const Response response = text_response(page_());
  if (!response) return MHD_NO;
  ::MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE,
                            "text/plain; version=0.0.4; charset=utf-8");
  return ::MHD_queue_response(connection, MHD_HTTP_OK, response.get());
}

bool MetricsServer::Impl::may_read(MHD_Connection* connection) const {
  if (login_.empty()) return true;
  char* given_password = nullptr;
  const MhdText user(::MHD_basic_auth_get_username_password(connection, &given_password));
  const MhdText password(given_password);
  if (!user || !password) return false;
  return same(std::string(user.get()) + ":" + password.get(), login_);
}

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::MetricsServer(MetricsServer&&) noexcept = default;
MetricsServer& MetricsServer::operator=(MetricsServer&&) noexcept = default;
MetricsServer::~MetricsServer() = default;

Result<MetricsServer> MetricsServer::start(const MetricsServerOptions& options,
                                           std::function<std::string()> page) {
  std::string login;
  std::string certificate;
  std::string key;
  if (!options.basic_auth_file.empty()) {
    TRY(login, read_secret(options.basic_auth_file));
    if (login.find(':') == std::string::npos)
      return fail("read " + options.basic_auth_file + ": its first line is not USER:PASSWORD");
  }
  if (!options.certificate_file.empty()) {
    TRY(certificate, read_pem(options.certificate_file));
    TRY(key, read_pem(options.key_file));
  }
  TRY(ListeningSocket socket, listen_on(options.listen));
  auto impl = std::make_unique<Impl>(std::move(page), std::move(login), std::move(socket));
  CHECK_OK(impl->start(std::move(certificate), std::move(key)));
  return MetricsServer(std::move(impl));
}

std::uint16_t MetricsServer::port() const {
  return impl_->socket().port;
}

bool MetricsServer::is_open_to_all() const {
  return !impl_->socket().loopback && !impl_->has_login();
}

}  // namespace oomwitness
