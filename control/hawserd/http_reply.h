// The answer to one HTTP request: collected, and sent in parts when it becomes long.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

struct mg_connection;

namespace hawser::control {

// One thread. Nothing is sent before write() has kHttpPart bytes together, or finish().
class HttpReply {
 public:
  HttpReply(mg_connection* connection, std::string_view content_type);
  HttpReply(const HttpReply&) = delete;
  HttpReply& operator=(const HttpReply&) = delete;

  // More of the body. False: nobody wants more (HEAD, the client went away or is too slow), so that
  // whoever makes a long answer can stop.
  bool write(std::string_view text);
  // Instead of what was written: a status from 400 and one sentence as text. Only before the first
  // part was sent, which write() does by itself only when more than kHttpPart bytes are together.
  void refuse(int status, std::string_view sentence);
  // One more field of the head, such as Allow. Before the first part was sent.
  void add_field(std::string_view name, std::string_view value);
  // Instead of the Content-Security-Policy that lets a browser load nothing; `policy` stays. Before
  // the first part was sent.
  void set_policy(std::string_view policy) { policy_ = policy; }
  // Once, at the end. Returns the status that was sent.
  int finish();
  // Instead of finish(): the client must notice that the answer is not whole.
  void abandon();
  [[nodiscard]] bool begun() const { return begun_; }
  [[nodiscard]] bool head_only() const { return head_only_; }

 private:
  [[nodiscard]] std::string head(std::string_view length_field) const;
  void begin(std::string_view length_field);
  void send_part();
  void send(std::string_view bytes);

  mg_connection* connection_;
  std::string content_type_;
  std::string fields_;
  std::string_view policy_;
  std::string body_;
  std::chrono::steady_clock::time_point deadline_;
  int status_ = 200;
  bool head_only_;
  bool chunked_;  // HTTP/1.0 knows no chunks: there the end of the connection ends the answer
  bool begun_ = false;
  bool lost_ = false;
};

}  // namespace hawser::control
