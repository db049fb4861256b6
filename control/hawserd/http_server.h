// Answers GET and HEAD over HTTP, by a table of routes; whoever reaches it may read, nobody can
// change anything.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controller.h"
#include "dataplane_client.h"
#include "hawser/base/result.h"
#include "hawser/model/configuration.h"
#include "http_reply.h"
#include "metrics_scrape.h"
#include "watch.h"

namespace hawser::control {

// What answers are made from. All of it is thread-safe.
struct HttpSources {
  const Controller& controller;
  DataplaneQuery query;
  Watch& watch;
  ScrapeTotals& totals;
};

class HttpRequest {
 public:
  explicit HttpRequest(std::string query) : query_(std::move(query)) {}
  // Of every `name=value` behind the question mark, decoded, in their order.
  [[nodiscard]] std::vector<std::string> values(const std::string& name) const;

 private:
  std::string query_;
};

// A path that is answered. `answer` is called on any of kHttpThreads threads, several at once.
struct HttpRoute {
  std::string_view path;  // the whole of it, without the query
  std::string_view content_type;
  void (*answer)(const HttpSources& sources, const HttpRequest& request, HttpReply& reply);
};

class HttpServer {
 public:
  // `routes` and what `sources` refers to outlive the server. The error says why it cannot listen.
  // Port 0: any that is free, for tests.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(
      const model::HttpListener& listener, HttpSources sources, std::span<const HttpRoute> routes);
  // Closes all connections, those under way too.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser::control
