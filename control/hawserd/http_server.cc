// HTTP by Civetweb: connections, threads and the parsing of requests are its own; which requests
// are answered, and how, is decided here before it would look for files.
#include "http_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <exception>
#include <future>
#include <mutex>
#include <utility>

#include <civetweb.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "hawser/base/limits.h"
#include "http_host.h"

namespace hawser::control {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::chrono::milliseconds kPokePeriod{20};

// Every value of a field, as attackers send some twice.
std::vector<std::string_view> fields(const mg_request_info& request, std::string_view name) {
  std::vector<std::string_view> found;
  for (int i = 0; i < request.num_headers; ++i) {
    const mg_header& header = request.http_headers[i];
    if (mg_strcasecmp(header.name, name.data()) == 0) found.emplace_back(header.value);
  }
  return found;
}

const HttpRoute* find(std::span<const HttpRoute> routes, std::string_view path) {
  for (const HttpRoute& route : routes) {
    if (route.path == path) return &route;
  }
  return nullptr;
}

// A connection, closed at once, that wakes whoever accepts there.
void poke(const net::IpAddress& address, std::uint16_t port) {
  sockaddr_storage to{};
  socklen_t size = 0;
  if (address.is_ipv4()) {
    sockaddr_in ipv4{.sin_family = AF_INET, .sin_port = htons(port)};
    std::memcpy(&ipv4.sin_addr, address.bytes.data(), sizeof(ipv4.sin_addr));
    std::memcpy(&to, &ipv4, size = sizeof(ipv4));
  } else {
    sockaddr_in6 ipv6{.sin6_family = AF_INET6, .sin6_port = htons(port)};
    std::memcpy(&ipv6.sin6_addr, address.bytes.data(), sizeof(ipv6.sin6_addr));
    std::memcpy(&to, &ipv6, size = sizeof(ipv6));
  }
  const int descriptor = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // Whether it comes through is seen by what it wakes.
  static_cast<void>(
      connect(descriptor, static_cast<const sockaddr*>(static_cast<const void*>(&to)), size));
  close(descriptor);
}

}  // namespace

struct HttpServer::Parts {
  Parts(model::HttpListener at, HttpSources from, std::span<const HttpRoute> table)
      : listener(at), sources(std::move(from)), routes(table) {}

  // Before anything is done with a request: whom it means, and what it wants.
  bool refuse(const mg_request_info& request, HttpReply& reply) const {
    const std::vector<std::string_view> hosts = fields(request, "Host");
    const std::string_view method = request.request_method;
    const bool plain = request.request_uri != nullptr && request.request_uri[0] == '/';
    if (hosts.size() != 1 || !plain) {
      reply.refuse(400, "a request has a path and one Host field");
    } else if (!host_is_ours(hosts[0], listener.address)) {
      reply.refuse(421, fmt::format("this is {}; ask it by that address",
                                    net::endpoint_to_string(listener.address, listener.port)));
    } else if (method != "GET" && method != "HEAD") {
      reply.add_field("Allow", "GET, HEAD");
      reply.refuse(405, "only GET and HEAD are answered");
    } else {
      return false;
    }
    return true;
  }

  int answer(mg_connection* connection) const {
    const mg_request_info& request = *mg_get_request_info(connection);
    const HttpRoute* const route =
        request.local_uri_raw == nullptr ? nullptr : find(routes, request.local_uri_raw);
    HttpReply reply(connection, route == nullptr ? kText : route->content_type);
    if (refuse(request, reply)) return reply.finish();
    if (route == nullptr) {
      reply.refuse(404, "there is nothing under this path");
      return reply.finish();
    }
    try {
      route->answer(
          sources, HttpRequest(request.query_string == nullptr ? "" : request.query_string), reply);
    } catch (const std::exception& error) {
      spdlog::error("HTTP {}: {}", route->path, error.what());
      if (reply.begun()) {
        reply.abandon();
      } else {
        reply.refuse(500, "the answer could not be made; see the log of hawserd");
      }
    }
    return reply.finish();
  }

  // What Civetweb refuses itself looks like the rest.
  static int refuse(mg_connection* connection, int status, const char* sentence) {
    HttpReply reply(connection, kText);
    reply.refuse(status, sentence);
    reply.finish();
    return 0;
  }

  static Parts& of(const mg_connection* connection) {
    return *static_cast<Parts*>(mg_get_user_data(mg_get_context(connection)));
  }

  // Why it does not start is told here alone, by the first message.
  int note(const char* message) {
    const std::lock_guard lock(mutex);
    if (context == nullptr && complaint.empty()) complaint = message;
    spdlog::debug("HTTP: {}", message);
    return 1;
  }

  Result<void> start();

  const model::HttpListener listener;
  const HttpSources sources;
  const std::span<const HttpRoute> routes;
  std::mutex mutex;
  std::string complaint;
  mg_context* context = nullptr;
};

Result<void> HttpServer::Parts::start() {
  const std::string where = net::endpoint_to_string(listener.address, listener.port);
  const std::string threads = std::to_string(limits::kHttpThreads);
  const std::string waiting = std::to_string(limits::kHttpWaiting);
  const std::string timeout = std::to_string(limits::kHttpTimeoutMilliseconds);
  const std::string size = std::to_string(limits::kMaxHttpRequestBytes);
  // A connection that is kept open would keep a thread. Without document_root there are no files.
  std::array<const char*, 23> options{"listening_ports",
                                      where.c_str(),
                                      "num_threads",
                                      threads.c_str(),
                                      "connection_queue",
                                      waiting.c_str(),
                                      "listen_backlog",
                                      waiting.c_str(),
                                      "request_timeout_ms",
                                      timeout.c_str(),
                                      "max_request_size",
                                      size.c_str(),
                                      "enable_keep_alive",
                                      "no",
                                      "enable_directory_listing",
                                      "no",
                                      "enable_auth_domain_check",
                                      "no",
                                      "access_control_allow_origin",
                                      "",
                                      "access_control_allow_methods",
                                      "",
                                      nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = [](mg_connection* c) { return of(c).answer(c); };
  callbacks.http_error = &Parts::refuse;
  callbacks.log_message = [](const mg_connection* c, const char* message) {
    return of(c).note(message);
  };
  mg_init_data init{&callbacks, this, options.data()};
  std::array<char, 256> text{};
  unsigned code = 0;
  mg_error_data error{&code, text.data(), text.size()};
  mg_context* const started = mg_start2(&init, &error);
  const std::lock_guard lock(mutex);
  if (started == nullptr) {
    return fail(fmt::format("cannot listen on {}: {}", where,
                            complaint.empty() ? text.data() : complaint.c_str()));
  }
  context = started;
  return {};
}

std::vector<std::string> HttpRequest::values(const std::string& name) const {
  std::vector<std::string> found;
  std::string value(query_.size() + 1, '\0');
  for (std::size_t i = 0;; ++i) {
    const int length =
        mg_get_var2(query_.data(), query_.size(), name.c_str(), value.data(), value.size(), i);
    if (length < 0) return found;
    found.push_back(value.substr(0, static_cast<std::size_t>(length)));
  }
}

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const model::HttpListener& listener,
                                                      HttpSources sources,
                                                      std::span<const HttpRoute> routes) {
  mg_init_library(MG_FEATURES_DEFAULT);
  // Whatever becomes of it, the destructor takes the library back.
  std::unique_ptr<HttpServer> server(
      new HttpServer(std::make_unique<Parts>(listener, std::move(sources), routes)));
  const Result<void> started = server->parts_->start();
  if (!started) return started.error();
  return server;
}

HttpServer::~HttpServer() {
  if (mg_context* const context = parts_->context) {
    // It looks only every two seconds whether it should stop, or when somebody connects.
    const std::uint16_t at = port();
    std::future<void> stopped = std::async(std::launch::async, [=] { mg_stop(context); });
    while (stopped.wait_for(kPokePeriod) != std::future_status::ready) {
      poke(parts_->listener.address, at);
    }
  }
  mg_exit_library();
}

std::uint16_t HttpServer::port() const {
  std::array<mg_server_port, 1> ports{};
  mg_get_server_ports(parts_->context, 1, ports.data());
  return static_cast<std::uint16_t>(ports[0].port);
}

}  // namespace hawser::control
