// SPDX-License-Identifier: BSD-2-Clause
// One HTTP POST at a time, through libcurl. No environment is read (proxies, .netrc), no redirect
// followed, every certificate verified.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "incident/incident.h"
#include "support/result.h"

namespace oomwitness {

struct HttpOptions {
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  // of the whole exchange
  std::string ca_file;                                           // PEM; empty: the system's
  std::string certificate_file;  // PEM, of the client; empty: none is shown
  std::string key_file;
  std::string proxy;  // empty: none

  bool operator==(const HttpOptions&) const = default;
};

struct HttpRequest {
  std::string url;                   // http or https
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
};

struct HttpReply {
  long status = 0;
  std::string body;  // the first 64 KiB
  Opt<std::chrono::seconds> retry_after;
};

class HttpClient {
 public:
  explicit HttpClient(HttpOptions options) : options_(std::move(options)) {}

  // An error: there was no reply. Never has the URL's path or query, which may be a secret.
  Result<HttpReply> post(const HttpRequest& request, const std::stop_token& stop) const;

 private:
  HttpOptions options_;
};

// Whether sending the same again may help (RFC 9110; an outage, a wrong token, a full server), as
// opposed to a request that the server has understood and refuses (400, 413, 415, 422).
bool is_worth_retrying(long status);

// "HTTP 503: no room", the beginning of the body escaped.
std::string describe_reply(const HttpReply& reply);

// gzip (RFC 1952). An error only when memory is out.
Result<std::string> gzip(const std::string& bytes);

}  // namespace oomwitness
