// Decides a request as a worker would, and tells every step.
#include "dataplane/explain.h"

#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "dataplane/names.h"
#include "dataplane/worker_clock.h"
#include "hawser/pipeline/decide.h"

namespace hawser::dataplane {
namespace {

using pipeline::Decision;
using pipeline::Reason;

// Messages carry UTF-8. The request's own words in them are its method, host and path or server
// name, of which the readers let pass nothing but ASCII.
void add(v1::ExplainReply& reply, std::string name, std::string_view value) {
  v1::ExplainStep& step = *reply.add_steps();
  step.set_name(std::move(name));
  step.set_value(std::string(value));
}

std::string ago(std::uint32_t then, std::uint32_t now) {
  const std::uint64_t seconds = now > then ? std::uint64_t{now - then} * 10 : 0;
  return fmt::format("{} s ago", seconds);
}

void tell_cookie(const Decision& decision, const pipeline::ServiceEntry& service, std::uint32_t now,
                 v1::ExplainReply& reply) {
  if (service.splice->by != model::AffinityBy::kCookie) return;
  if (!decision.had_cookie) {
    add(reply, "cookie", "none named " + service.splice->cookie_name);
    return;
  }
  const auto fault = decision.cookie_fault;
  if (fault == affinity::CookieFault::kNone) {
    add(reply, "cookie", "good");
  } else {
    add(reply, "cookie",
        fmt::format("{}, counts as none: {}", affinity::to_string(fault),
                    affinity::help_of(fault)));
  }
  if (decision.session.id == 0) return;
  add(reply, "session", fmt::format("{:016x}", decision.session.id));
  add(reply, "born", ago(decision.session.born, now));
  add(reply, "last refreshed", ago(decision.session.refreshed, now));
  add(reply, "chosen in epoch", std::to_string(decision.session.epoch));
}

std::string sentence(const Decision& decision, const std::string& backend,
                     const pipeline::SpliceService& splice) {
  switch (decision.reason) {
    case Reason::kRefused:
      return decision.refusal == pipeline::Refusal::kRedirected
                 ? fmt::format("answered with {} by a rule: it is sent elsewhere", decision.status)
                 : fmt::format("answered with {}: {}", decision.status,
                               info(decision.refusal).help);
    case Reason::kHome:
      return fmt::format("goes to {}: its session's home", backend);
    case Reason::kMoved:
      return fmt::format(
          "goes to {}: its session's home is gone or takes no requests, so the session moves",
          backend);
    case Reason::kFirstContact:
      return fmt::format("goes to {}: no usable cookie, so client address and user agent choose",
                         backend);
    case Reason::kByValue:
      return fmt::format("goes to {}: by the value of {}", backend,
                         splice.affinity_name.empty() ? "the server name" : splice.affinity_name);
    case Reason::kBySource:
      return fmt::format("goes to {}: by its client's address", backend);
    case Reason::kConnection:
      return fmt::format("goes to {}: where its connection is", backend);
    case Reason::kSpread:
      return fmt::format("goes to {}: not sticky, spread by hash", backend);
  }
  return {};
}

std::uint64_t unix_seconds() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return static_cast<std::uint64_t>(time.tv_sec);
}

// The main core decides with what the first worker knows; it only reads.
struct Asked {
  const v1::Explain& request;
  ServiceId id;
  const pipeline::ServiceEntry& service;
  const Parts& parts;
};

Decision decide(const Asked& asked, const pipeline::Request& request) {
  const Parts& parts = asked.parts;
  const auto& workers = parts.machine.workers();
  const pipeline::Context context{
      .snapshot = parts.snapshots.running(),
      .worker = const_cast<pipeline::WorkerState&>(workers.front()->state()),
      .neighbours = parts.machine.shared().neighbours,
      .now = {},
      .now_ms = pipeline_milliseconds(),
      .now_us = 0,
      .unix_seconds = unix_seconds()};
  const WorkerId scratch(static_cast<std::uint16_t>(workers.size()));
  return pipeline::decide(request, asked.id, asked.service, scratch, context);
}

v1::Response told(const Asked& asked, const pipeline::Request& request, v1::ExplainReply& steps) {
  const Decision decision = decide(asked, request);
  const auto& snapshot = asked.parts.snapshots.running();
  const auto& splice = *asked.service.splice;
  const std::string rule = decision.rule == l7::RuleSet::kNone
                               ? "none matches"
                               : splice.rules->rules()[decision.rule].name;
  if (splice.rules != nullptr) add(steps, "rule", rule);
  add(steps, "sticky by", model::to_string(splice.by));
  tell_cookie(decision, asked.service, affinity::cookie_time(unix_seconds()), steps);
  add(steps, "reason", pipeline::to_string(decision.reason));
  if (decision.spilled) add(steps, "bounded load", "the slot's owner is above its bound");
  const std::string backend =
      decision.reason == Reason::kRefused ? "" : snapshot.backend_names[decision.backend.value];
  steps.set_backend(backend);
  if (!backend.empty()) add(steps, "backend", backend);
  const bool resets = request.hello != nullptr && decision.reason == Reason::kRefused;
  if (decision.gives_cookie) add(steps, "set-cookie", "the response carries a fresh cookie");
  steps.set_status(resets ? 0 : decision.status);
  steps.set_reason(resets ? fmt::format("reset: {}", info(decision.refusal).help)
                          : sentence(decision, backend, splice));
  v1::Response response;
  *response.mutable_explain() = std::move(steps);
  return response;
}

v1::Response refused(v1::ExplainReply& steps, std::uint16_t status, std::string_view name,
                     std::string_view help) {
  add(steps, "refused", name);
  steps.set_status(status);
  steps.set_reason(status == 0 ? fmt::format("reset: {}", help)
                               : fmt::format("answered with {}: {}", status, help));
  v1::Response response;
  *response.mutable_explain() = std::move(steps);
  return response;
}

v1::Response explain_http(const Asked& asked, std::span<const std::uint8_t> bytes,
                          pipeline::Request request, v1::ExplainReply& steps) {
  auto head = std::make_unique<l7::RequestHead>();
  const l7::HeadResult result = l7::parse_request_head(bytes, *head);
  if (result.state == l7::HeadState::kIncomplete) {
    return refused(steps, info(pipeline::Refusal::kHeadTimeout).status, "incomplete",
                   "the head has no empty line at its end");
  }
  if (result.fault == l7::HttpFault::kHttp2 && asked.service.splice->h2c_tunnel) {
    *head = {};
    add(steps, "protocol", "HTTP/2: passed on unread");
    request.head = head.get();
    return told(asked, request, steps);
  }
  if (result.state == l7::HeadState::kRefused) {
    const auto& fault = info(result.fault);
    return refused(steps, fault.status, fault.name, fault.help);
  }
  add(steps, "method", head->method);
  add(steps, "host", head->host);
  add(steps, "path", head->path);
  request.head = head.get();
  return told(asked, request, steps);
}

v1::Response explain_tls(const Asked& asked, std::span<const std::uint8_t> bytes,
                         pipeline::Request request, v1::ExplainReply& steps) {
  auto hello = std::make_unique<l7::ClientHello>();
  const l7::HelloState state = l7::parse_client_hello(bytes, *hello);
  if (state != l7::HelloState::kComplete) {
    return refused(steps, 0, l7::to_string(state), "the first bytes are no complete ClientHello");
  }
  add(steps, "server name", hello->server_name());
  request.hello = hello.get();
  return told(asked, request, steps);
}

}  // namespace

v1::Response explain(const v1::Explain& request, const Parts& parts) {
  const pipeline::Snapshot& snapshot = parts.snapshots.running();
  const Result<ServiceId> id = find_service(request.service(), snapshot);
  if (!id) return error_response(id.error().message);
  const pipeline::ServiceEntry& service = snapshot.services[id->value];
  if (service.splice == nullptr) {
    return error_response(
        fmt::format("service \"{}\" is not spliced: its connections are not read, only forwarded",
                    request.service()));
  }
  const auto client = net::address_from_bytes(request.client());
  if (!client) return error_response("client: " + client.error().message);
  if (client->family != service.address.family) {
    return error_response("the client's address is not of the service's family");
  }
  v1::ExplainReply steps;
  add(steps, "service", request.service());
  add(steps, "epoch", std::to_string(snapshot.epoch.value));
  add(steps, "client", net::to_string(*client));
  const std::span<const std::uint8_t> bytes(
      reinterpret_cast<const std::uint8_t*>(request.head().data()), request.head().size());
  const Asked asked{request, *id, service, parts};
  const pipeline::Request question{
      .client = *client,
      .client_port = net::Big16(static_cast<std::uint16_t>(request.client_port()))};
  return service.splice->layer7 == model::Layer7::kTls
             ? explain_tls(asked, bytes, question, steps)
             : explain_http(asked, bytes, question, steps);
}

}  // namespace hawser::dataplane
