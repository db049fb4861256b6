// An HTTP client that sends exactly the bytes it is given, over a real socket.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace hawser::control {

// One connection to 127.0.0.1.
class HttpConnection {
 public:
  explicit HttpConnection(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* const target = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    EXPECT_EQ(connect(descriptor_, target, sizeof(address)), 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~HttpConnection() { close(descriptor_); }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has heard enough
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // All that comes until the server closes.
  [[nodiscard]] std::string receive() const {
    std::string all;
    std::string part(1U << 16, '\0');
    for (;;) {
      const ssize_t got = recv(descriptor_, part.data(), part.size(), 0);
      if (got <= 0) return all;
      all.append(part, 0, static_cast<std::size_t>(got));
    }
  }

 private:
  int descriptor_;
};

inline std::string converse(std::uint16_t port, std::string_view request) {
  const HttpConnection connection(port);
  connection.send(request);
  return connection.receive();
}

inline std::string get(std::uint16_t port, const std::string& path) {
  return converse(port, "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
}

// 0 when there is none.
inline int status_of(const std::string& answer) {
  return answer.rfind("HTTP/1.1 ", 0) == 0 ? std::stoi(answer.substr(9, 3)) : 0;
}

inline std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace hawser::control
