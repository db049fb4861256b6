// The verbs that ask what happens to one request, and why: why, trace.
#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "request_checks.h"
#include "request_head.h"
#include "verbs.h"
#include "views.h"

namespace hawser::ctl {
namespace {

// For documentation (RFC 5737, RFC 3849): nobody's address, so nobody is meant by it.
constexpr std::string_view kDefaultIpv4 = "192.0.2.1";
constexpr std::string_view kDefaultIpv6 = "2001:db8::1";
constexpr std::uint16_t kDefaultPort = 50000;

constexpr std::string_view kHttpOnly = "PATH, --method, --host, --header and --cookie";
constexpr std::string_view kTlsOnly = "--sni and --alpn";

Failure usage(std::string what, std::string advice) {
  return {ExitCode::kUsage, std::move(what), std::move(advice)};
}

// "192.0.2.80:80" -> "192.0.2.80": browsers leave out the port that everybody knows.
std::string default_host(const std::string& address) {
  constexpr std::string_view kHttpPort = ":80";
  return address.substr(0, address.size() - (address.ends_with(kHttpPort) ? kHttpPort.size() : 0));
}

Outcome<std::string> http_head(const Arguments& arguments, const rpc::ServiceRow& service) {
  if (arguments.has("--sni") || arguments.has("--alpn")) {
    return usage(fmt::format("{} are for tls services, {} is {}", kTlsOnly, service.name(),
                             service.protocol()),
                 fmt::format("say {}", kHttpOnly));
  }
  RequestParts parts;
  if (arguments.has("--method")) parts.method = arguments.text("--method");
  if (arguments.has("PATH")) parts.target = arguments.text("PATH");
  parts.host = arguments.has("--host") ? arguments.text("--host") : default_host(service.address());
  parts.headers = arguments.texts("--header");
  parts.cookies = arguments.texts("--cookie");
  return request_head(parts);
}

Outcome<std::string> tls_head(const Arguments& arguments, const rpc::ServiceRow& service) {
  for (const char* name : {"PATH", "--method", "--host", "--header", "--cookie"}) {
    if (!arguments.has(name)) continue;
    return usage(fmt::format("{} is for http services, {} is tls: it reads nothing behind the "
                             "client's first message",
                             name, service.name()),
                 fmt::format("say {}", kTlsOnly));
  }
  const std::vector<std::string> protocols = arguments.texts("--alpn");
  std::size_t bytes = 0;
  for (const std::string& protocol : protocols) bytes += 1 + protocol.size();
  if (bytes > limits::kMaxAlpnBytes) {
    return usage(fmt::format("the protocols of --alpn have {} bytes with their lengths, the "
                             "balancer looks at {}",
                             bytes, limits::kMaxAlpnBytes),
                 "give fewer");
  }
  return client_hello(arguments.text("--sni"), protocols);
}

Outcome<std::string> head_of(const Session& session, const rpc::ServiceRow& service) {
  const Arguments& arguments = session.arguments;
  if (arguments.has("--file")) return read_head(arguments.text("--file"), session.console.in);
  return service.protocol() == "tls" ? tls_head(arguments, service) : http_head(arguments, service);
}

Outcome<Endpoint> client_of(const Arguments& arguments, const rpc::ServiceRow& service) {
  const bool ipv6 = service.address().starts_with("[");
  std::string text(ipv6 ? kDefaultIpv6 : kDefaultIpv4);
  if (arguments.has("--client")) text = arguments.text("--client");
  const Result<Endpoint> parsed = parse_endpoint(text);
  if (!parsed) return usage("--client: " + parsed.error().message, "");
  if (parsed->address.is_ipv4() == ipv6) {
    return usage(fmt::format("--client {} and service {} at {} are of different families", text,
                             service.name(), service.address()),
                 fmt::format("give an {} address", ipv6 ? "IPv6" : "IPv4"));
  }
  Endpoint client = *parsed;
  if (client.port == 0) client.port = kDefaultPort;
  return client;
}

Outcome<path::ExplainReply> ask(const Session& session) {
  const std::string name = session.arguments.text("SERVICE");
  const auto services = session.client.services(name, session.deadline);
  if (!services) return services.failure();
  if (services->services_size() != 1) {
    return Failure{ExitCode::kFailed, fmt::format("hawserd does not tell of service {}", name), ""};
  }
  const rpc::ServiceRow& service = services->services(0);
  const auto client = client_of(session.arguments, service);
  if (!client) return client.failure();
  auto head = head_of(session, service);
  if (!head) return head.failure();
  path::Explain question;
  question.set_service(name);
  question.set_client(net::address_to_bytes(client->address));
  question.set_client_port(client->port);
  question.set_head(*std::move(head));
  return session.client.explain(question, session.deadline);
}

}  // namespace

Verdict run_why(const Session& session) {
  const auto reply = ask(session);
  if (!reply) return reply.failure();
  session.print(why_view(*reply, session.arguments.text("SERVICE"), session.paint),
                to_json(*reply));
  return ExitCode::kOk;
}

Verdict run_trace(const Session& session) {
  const auto reply = ask(session);
  if (!reply) return reply.failure();
  session.print(trace_view(*reply, session.arguments.text("SERVICE"), session.paint),
                to_json(*reply));
  return ExitCode::kOk;
}

}  // namespace hawser::ctl
