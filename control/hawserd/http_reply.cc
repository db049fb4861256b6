// The answer to one HTTP request, sent with the fields that keep browsers careful.
#include "http_reply.h"

#include <cstring>

#include <civetweb.h>
#include <fmt/format.h>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

using Clock = std::chrono::steady_clock;

// What is no page loads nothing, nobody frames or keeps what is answered, and what is text stays
// text.
constexpr std::string_view kNoPage = "default-src 'none'; frame-ancestors 'none'";
constexpr std::string_view kFields =
    "Cache-Control: no-store\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Connection: close\r\n";

const mg_request_info& request_of(const mg_connection* connection) {
  return *mg_get_request_info(connection);
}

bool equals(const char* text, const char* wanted) {
  return text != nullptr && std::strcmp(text, wanted) == 0;
}

}  // namespace

HttpReply::HttpReply(mg_connection* connection, std::string_view content_type)
    : connection_(connection),
      content_type_(content_type),
      policy_(kNoPage),
      deadline_(Clock::now() + std::chrono::seconds(limits::kHttpAnswerSeconds)),
      head_only_(equals(request_of(connection).request_method, "HEAD")),
      chunked_(equals(request_of(connection).http_version, "1.1")) {}

bool HttpReply::write(std::string_view text) {
  if (lost_ || (head_only_ && begun_)) return false;
  body_ += text;
  if (body_.size() > limits::kHttpPart) send_part();
  return !lost_ && !(head_only_ && begun_);
}

void HttpReply::refuse(int status, std::string_view sentence) {
  status_ = status;
  content_type_ = "text/plain; charset=utf-8";
  body_ = fmt::format("{}\n", sentence);
}

void HttpReply::add_field(std::string_view name, std::string_view value) {
  fields_ += fmt::format("{}: {}\r\n", name, value);
}

std::string HttpReply::head(std::string_view length_field) const {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}{}Content-Security-Policy: {}\r\n{}\r\n", status_,
      mg_get_response_code_text(connection_, status_), content_type_, length_field, fields_,
      policy_, kFields);
}

void HttpReply::begin(std::string_view length_field) {
  begun_ = true;
  send(head(length_field));
}

void HttpReply::send_part() {
  if (!begun_) begin(chunked_ ? "Transfer-Encoding: chunked\r\n" : "");
  if (!head_only_ && !body_.empty()) {
    if (chunked_) {
      body_.insert(0, fmt::format("{:x}\r\n", body_.size()));
      body_ += "\r\n";
    }
    send(body_);
  }
  body_.clear();
}

int HttpReply::finish() {
  if (!begun_) {
    begin(fmt::format("Content-Length: {}\r\n", body_.size()));
    if (!head_only_) send(body_);
  } else {
    send_part();
    if (chunked_ && !head_only_) send("0\r\n\r\n");
  }
  return status_;
}

void HttpReply::abandon() {
  lost_ = true;
}

// Civetweb gives up on a client that does not take these bytes within kHttpTimeoutMilliseconds.
void HttpReply::send(std::string_view bytes) {
  if (lost_) return;
  const int sent = mg_write(connection_, bytes.data(), bytes.size());
  lost_ = sent != static_cast<int>(bytes.size()) || Clock::now() > deadline_;
}

}  // namespace hawser::control
