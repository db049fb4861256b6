// One health check in flight: a curl handle, what came back, and the words for it.
#pragma once

#include <chrono>
#include <string>

#include <curl/curl.h>

#include "health.h"

namespace hawser::control {

// The outcome of one check.
struct Outcome {
  bool passed = false;
  std::string text;
};

class HealthRequest {
 public:
  explicit HealthRequest(const CheckTarget& target);
  ~HealthRequest();
  HealthRequest(const HealthRequest&) = delete;
  HealthRequest& operator=(const HealthRequest&) = delete;

  [[nodiscard]] CURL* handle() const { return handle_; }
  // After curl finished the transfer with `code`.
  [[nodiscard]] Outcome outcome(CURLcode code) const;

 private:
  static std::size_t write(const char* data, std::size_t size, std::size_t count, void* request);
  void set_up_http();
  [[nodiscard]] Outcome http_outcome(const std::string& took) const;
  [[nodiscard]] std::string failure_text(CURLcode code) const;

  CheckTarget target_;
  CURL* handle_;
  curl_slist* headers_ = nullptr;
  std::string body_;
  bool body_full_ = false;
};

}  // namespace hawser::control
