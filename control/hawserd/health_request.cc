// One health check by libcurl: how it is asked and how its end is read.
#include "health_request.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

// libcurl's options are variadic C; the types are those its manual asks for.
template <typename T>
void set(CURL* handle, CURLoption option, T value) {
  curl_easy_setopt(handle, option, value);  // NOLINT(bugprone-*,cppcoreguidelines-pro-type-vararg)
}

std::string took_text(CURL* handle) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(handle, CURLINFO_TOTAL_TIME_T, &microseconds);
  return fmt::format("in {} ms", (microseconds + 500) / 1000);
}

std::string system_error(long number) {
  switch (number) {
    case ECONNREFUSED:
      return "connection refused";
    case EHOSTUNREACH:
      return "no route to host";
    case ENETUNREACH:
      return "network unreachable";
    case ECONNRESET:
      return "connection reset";
    case ETIMEDOUT:
      return "connection timed out";
    default:
      return std::strerror(static_cast<int>(number));
  }
}

}  // namespace

HealthRequest::HealthRequest(const CheckTarget& target)
    : target_(target), handle_(curl_easy_init()) {
  const std::string where = net::endpoint_to_string(target_.address, target_.port);
  const std::string path = target_.check.type == model::CheckType::kHttp ? target_.check.path : "/";
  set(handle_, CURLOPT_URL, ("http://" + where + path).c_str());
  set(handle_, CURLOPT_PRIVATE, this);
  set(handle_, CURLOPT_NOSIGNAL, 1L);
  // Neither an environment's proxy nor an earlier connection stands between us and the backend.
  set(handle_, CURLOPT_PROXY, "");
  set(handle_, CURLOPT_FRESH_CONNECT, 1L);
  set(handle_, CURLOPT_FORBID_REUSE, 1L);
  set(handle_, CURLOPT_TIMEOUT_MS, static_cast<long>(target_.check.timeout_ms));
  set(handle_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(target_.check.timeout_ms));
  if (target_.check.type == model::CheckType::kHttp) {
    set_up_http();
  } else {
    set(handle_, CURLOPT_CONNECT_ONLY, 1L);
  }
}

HealthRequest::~HealthRequest() {
  curl_easy_cleanup(handle_);
  curl_slist_free_all(headers_);
}

void HealthRequest::set_up_http() {
  if (!target_.check.host.empty()) {
    headers_ = curl_slist_append(headers_, ("Host: " + target_.check.host).c_str());
  }
  headers_ = curl_slist_append(headers_, "Connection: close");
  set(handle_, CURLOPT_HTTPHEADER, headers_);
  set(handle_, CURLOPT_USERAGENT, "hawser-check/" HAWSER_VERSION);
  set(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle_, CURLOPT_PATH_AS_IS, 1L);
  set(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle_, CURLOPT_WRITEFUNCTION, &HealthRequest::write);
  set(handle_, CURLOPT_WRITEDATA, this);
}

// Stops the transfer once as much of the body is here as is looked at.
std::size_t HealthRequest::write(const char* data, std::size_t size, std::size_t count,
                                 void* request) {
  auto* self = static_cast<HealthRequest*>(request);
  const std::size_t room = limits::kMaxCheckBody - self->body_.size();
  const std::size_t bytes = size * count;
  self->body_.append(data, std::min(room, bytes));
  self->body_full_ =
      self->body_.size() == limits::kMaxCheckBody || self->target_.check.body.empty();
  return self->body_full_ ? CURL_WRITEFUNC_ERROR : bytes;
}

Outcome HealthRequest::outcome(CURLcode code) const {
  const bool stopped = code == CURLE_WRITE_ERROR && body_full_;
  if (code != CURLE_OK && !stopped) return {.passed = false, .text = failure_text(code)};
  const std::string took = took_text(handle_);
  if (target_.check.type == model::CheckType::kHttp) return http_outcome(took);
  return {.passed = true, .text = "connected " + took};
}

Outcome HealthRequest::http_outcome(const std::string& took) const {
  const model::Check& check = target_.check;
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  if (status < check.status_low || status > check.status_high) {
    const std::string range = check.status_low == check.status_high
                                  ? fmt::format("{}", check.status_low)
                                  : fmt::format("{} to {}", check.status_low, check.status_high);
    return {.passed = false, .text = fmt::format("{}, expected {}", status, range)};
  }
  if (body_.find(check.body) == std::string::npos) {
    return {.passed = false,
            .text = fmt::format("{}, but the body lacks \"{}\"", status, check.body)};
  }
  return {.passed = true, .text = fmt::format("{} {}", status, took)};
}

std::string HealthRequest::failure_text(CURLcode code) const {
  long number = 0;
  curl_easy_getinfo(handle_, CURLINFO_OS_ERRNO, &number);
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return fmt::format("no answer in {} ms", target_.check.timeout_ms);
  }
  if (code == CURLE_GOT_NOTHING) return "closed without an answer";
  if (code == CURLE_COULDNT_CONNECT && number != 0) return system_error(number);
  if (code == CURLE_RECV_ERROR) return "connection reset";
  if (code == CURLE_UNSUPPORTED_PROTOCOL) return "the answer is no HTTP/1";
  std::string text = curl_easy_strerror(code);
  if (number != 0) text += ": " + system_error(number);
  return text;
}

}  // namespace hawser::control
