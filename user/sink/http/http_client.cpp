// SPDX-License-Identifier: BSD-2-Clause
#include "sink/http/http_client.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include <curl/curl.h>

#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMostOfReply = 64U << 10U;

// Both handles are void: the deleter tells them apart.
struct EasyEnd {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct MultiEnd {
  void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
};
struct HeadersEnd {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyEnd>;
using Multi = std::unique_ptr<CURLM, MultiEnd>;
using Headers = std::unique_ptr<curl_slist, HeadersEnd>;

// curl_write_callback
std::size_t keep_reply(char* bytes, std::size_t size, std::size_t count, void* body) noexcept {
  auto& kept = *static_cast<std::string*>(body);
  const std::size_t length = size * count;
  // Reserved before: this cannot throw. What is beyond is read and dropped.
  kept.append(bytes, std::min(length, kMostOfReply - kept.size()));
  return length;
}

Result<Headers> header_list(const std::vector<std::string>& headers) {
  Headers list;
  // "Expect:" without a value: no waiting for a 100 that many servers never send.
  for (const char* const first : {"Expect:", "User-Agent: oomwitness"})
    list.reset(curl_slist_append(list.release(), first));
  for (const std::string& header : headers) {
    curl_slist* const longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) return fail(ENOMEM, "prepare an HTTP request");
    // The head stays the same: only the first append makes one.
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

void set_where(CURL* easy, const HttpRequest& request, const HttpOptions& options) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, options.proxy.c_str());  // "": not the environment's
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);  // kills are rare, idle connections die
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.certificate_file.empty())
    curl_easy_setopt(easy, CURLOPT_SSLCERT, options.certificate_file.c_str());
  if (!options.key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, options.key_file.c_str());
}

// Until the transfer has ended, one way or the other.
Result<CURLcode> transfer(CURLM* multi, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  for (;;) {
    int running = 0;
    if (const CURLMcode failed = curl_multi_perform(multi, &running); failed != CURLM_OK)
      return fail(std::string("libcurl: ") + curl_multi_strerror(failed));
    if (running == 0) break;
    if (stop.stop_requested()) return fail(ECANCELED, "HTTP request");
    constexpr int kLongestWaitMs = 1000;  // curl itself cuts it to its next timeout
    curl_multi_poll(multi, nullptr, 0, kLongestWaitMs, nullptr);
  }
  int left = 0;
  const CURLMsg* const message = curl_multi_info_read(multi, &left);
  if (message == nullptr) return fail("libcurl: the transfer has no result");
  return message->data.result;
}

Error without_reply(const HttpRequest& request, CURLcode code, const char* detail) {
  const std::size_t host = request.url.find("://");
  const std::size_t end =
      request.url.find_first_of("/?#", host == std::string::npos ? 0 : host + 3);
  // Between scheme and host may stand a user and a password.
  std::string place = request.url.substr(0, end);
  if (const std::size_t at = place.rfind('@'); at != std::string::npos)
    place.erase(host + 3, at + 1 - (host + 3));
  return Error({}, "POST " + escape_for_terminal(place) + ": " +
                       escape_for_terminal(*detail != '\0' ? detail : curl_easy_strerror(code)));
}

}  // namespace

Result<HttpReply> HttpClient::post(const HttpRequest& request, const std::stop_token& stop) const {
  const Easy easy(curl_easy_init());
  const Multi multi(curl_multi_init());
  if (!easy || !multi) return fail(ENOMEM, "prepare an HTTP request");
  TRY(const Headers headers, header_list(request.headers));
  HttpReply reply;
  reply.body.reserve(kMostOfReply);
  std::array<char, CURL_ERROR_SIZE> detail{};
  CURL* const handle = easy.get();
  set_where(handle, request, options_);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &keep_reply);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &reply.body);
  curl_multi_add_handle(multi.get(), handle);
  const Result<CURLcode> code = transfer(multi.get(), stop);
  curl_multi_remove_handle(multi.get(), handle);
  if (!code) return tl::make_unexpected(code.error());
  if (*code != CURLE_OK) return tl::make_unexpected(without_reply(request, *code, detail.data()));
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply.status);
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
    reply.retry_after = std::chrono::seconds(seconds);
  reply.body.shrink_to_fit();
  return reply;
}

bool is_worth_retrying(long status) {
  constexpr std::array<long, 4> kRefusals{400, 413, 415, 422};
  return std::find(kRefusals.begin(), kRefusals.end(), status) == kRefusals.end();
}

std::string describe_reply(const HttpReply& reply) {
  constexpr std::size_t kEnough = 200;
  std::string out = "HTTP " + std::to_string(reply.status);
  if (!reply.body.empty())
    out += ": " + escape_for_terminal(reply.body.substr(0, kEnough), Charset::kAscii);
  return out;
}

}  // namespace oomwitness
