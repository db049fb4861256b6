// gRPC service Observe: views of the controller joined with the dataplane's answers.
#include "service_observe.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "name_checks.h"
#include "problems.h"
#include "rows.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

std::uint64_t now_unix() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

grpc::Status unavailable(const Error& error) {
  return {grpc::StatusCode::UNAVAILABLE, error.message};
}

std::string dataplane_error(const DataplaneView& dataplane) {
  if (!dataplane.connected) return dataplane.error;
  return dataplane.refused == Epoch(0) ? std::string() : dataplane.refusal;
}

// What is wrong with a question about a request; nothing when the dataplane can answer it.
std::string fault_of(const wire::Explain& question, const model::Service& service) {
  if (service.forward != model::Forward::kSplice) {
    return fmt::format(
        "service {} forwards by {}: its requests are not read, so there is nothing "
        "to explain; `hawserctl flows` shows where its connections are",
        service.name, to_string(service.forward));
  }
  const Result<net::IpAddress> client = net::address_from_bytes(question.client());
  if (!client) return "the client: " + client.error().message;
  if (client->family != service.address.family) {
    return fmt::format("the client {} is of another family than service {} at {}",
                       net::to_string(*client), service.name, net::to_string(service.address));
  }
  if (question.client_port() > UINT16_MAX) return "the client's port is above 65535";
  if (question.head().empty()) return "the head of the request is empty";
  if (question.head().size() > limits::kMaxExplainHead) {
    return fmt::format("the head of the request has {} bytes, at most {} are taken",
                       question.head().size(), limits::kMaxExplainHead);
  }
  return {};
}

}  // namespace

grpc::Status ObserveService::GetVersion(grpc::ServerContext* /*context*/,
                                        const v1::VersionRequest* /*request*/,
                                        v1::VersionReply* reply) {
  reply->set_hawserd(HAWSER_VERSION);
  reply->set_dataplane(controller_.dataplane().version);
  return grpc::Status::OK;
}

grpc::Status ObserveService::GetStatus(grpc::ServerContext* /*context*/,
                                       const v1::StatusRequest* /*request*/,
                                       v1::StatusReply* reply) {
  const View view = controller_.view();
  const std::uint64_t now = now_unix();
  const Result<wire::StatusReply> status = query_.status();
  const Result<wire::CountersReply> counters = query_.counters();
  reply->set_version(HAWSER_VERSION);
  reply->set_uptime_seconds(now > view.started_unix ? now - view.started_unix : 0);
  reply->set_configuration_file(view.configuration_file);
  reply->set_dataplane_connected(view.dataplane.connected);
  reply->set_dataplane_error(dataplane_error(view.dataplane));
  reply->set_desired_epoch(view.desired.value);
  reply->set_applied_epoch(view.dataplane.applied.value);
  if (status) *reply->mutable_dataplane() = *status;
  if (counters) watch_.note_counters(*counters, now);
  for (const Problem& problem : find_problems(view, status, counters, watch_.rises(), now)) {
    v1::Problem& row = *reply->add_problems();
    row.set_severity(std::string(to_string(problem.severity)));
    row.set_message(problem.message);
  }
  const model::Configuration& configuration = view.runtime.configuration();
  reply->set_services(static_cast<std::uint32_t>(configuration.services.size()));
  std::size_t backends = 0;
  for (const model::Service& service : configuration.services) backends += service.backends.size();
  reply->set_backends(static_cast<std::uint32_t>(backends));
  reply->set_backends_serving(backends_serving(view));
  for (const model::Port& port : configuration.ports) {
    v1::PortSettings& row = *reply->add_port_settings();
    row.set_name(port.name);
    row.set_vlan(port.vlan);
    row.set_mtu(port.mtu);
  }
  for (v1::Drift& row : drift_rows(view)) *reply->add_drift() = std::move(row);
  if (!counters) return grpc::Status::OK;
  std::uint64_t flows = 0;
  for (const wire::BackendCounters& counter : counters->backends()) flows += counter.flows();
  reply->set_flows(flows);
  return grpc::Status::OK;
}

grpc::Status ObserveService::ListServices(grpc::ServerContext* /*context*/,
                                          const v1::ServicesRequest* request,
                                          v1::ServicesReply* reply) {
  const View view = controller_.view();
  grpc::Status known = check_names(view.runtime, request->service(), "");
  if (!known.ok()) return known;
  const wire::CountersReply counters = query_.counters().value_or(wire::CountersReply());
  for (v1::ServiceRow& row : service_rows(view, counters, request->service())) {
    *reply->add_services() = std::move(row);
  }
  return grpc::Status::OK;
}

grpc::Status ObserveService::ListBackends(grpc::ServerContext* /*context*/,
                                          const v1::BackendsRequest* request,
                                          v1::BackendsReply* reply) {
  const View view = controller_.view();
  grpc::Status known = check_names(view.runtime, request->service(), request->backend());
  if (!known.ok()) return known;
  const wire::CountersReply counters = query_.counters().value_or(wire::CountersReply());
  for (v1::BackendRow& row : backend_rows(view, counters, request->service(), request->backend())) {
    *reply->add_backends() = std::move(row);
  }
  return grpc::Status::OK;
}

grpc::Status ObserveService::GetCounters(grpc::ServerContext* /*context*/,
                                         const v1::CountersRequest* /*request*/,
                                         v1::CountersReply* reply) {
  const Result<wire::CountersReply> counters = query_.counters();
  if (!counters) return unavailable(counters.error());
  *reply->mutable_counters() = *counters;
  return grpc::Status::OK;
}

grpc::Status ObserveService::ListFlows(grpc::ServerContext* context, const wire::Flows* request,
                                       grpc::ServerWriter<wire::FlowsReply>* writer) {
  grpc::Status known =
      check_names(controller_.view().runtime, request->service(), request->backend());
  if (!known.ok()) return known;
  if (!request->client().empty()) {
    const Result<net::Prefix> client = net::parse_prefix(request->client());
    if (!client) return {grpc::StatusCode::INVALID_ARGUMENT, client.error().message};
  }
  const Result<void> listed = query_.flows(*request, [&](const wire::FlowsReply& part) {
    return !context->IsCancelled() && writer->Write(part);
  });
  return listed ? grpc::Status::OK : unavailable(listed.error());
}

grpc::Status ObserveService::Explain(grpc::ServerContext* /*context*/, const wire::Explain* request,
                                     wire::ExplainReply* reply) {
  const View view = controller_.view();
  const Result<const model::Service*> service = view.runtime.find_service(request->service());
  if (!service) return {grpc::StatusCode::NOT_FOUND, service.error().message};
  const std::string fault = fault_of(*request, **service);
  if (!fault.empty()) return {grpc::StatusCode::INVALID_ARGUMENT, fault};
  if (!view.dataplane.connected) {
    return unavailable(fail("the dataplane is not connected: " + view.dataplane.error));
  }
  const Result<wire::Response> answer = query_.explain(*request);
  if (!answer) return unavailable(answer.error());
  // It has no such service: the newest snapshot has not been taken yet, or was refused.
  if (answer->has_error()) {
    return {grpc::StatusCode::FAILED_PRECONDITION,
            "the dataplane cannot explain it: " + answer->error().message()};
  }
  *reply = answer->explain();
  return grpc::Status::OK;
}

grpc::Status ObserveService::ListKeys(grpc::ServerContext* /*context*/,
                                      const v1::KeysRequest* /*request*/, v1::KeysReply* reply) {
  *reply = keys_reply(controller_.keys());
  return grpc::Status::OK;
}

grpc::Status ObserveService::ListHistory(grpc::ServerContext* /*context*/,
                                         const v1::HistoryRequest* request,
                                         v1::HistoryReply* reply) {
  const std::uint32_t asked =
      request->limit() == 0 ? limits::kDefaultHistoryEntries : request->limit();
  const std::uint32_t limit = std::min(asked, limits::kMaxHistoryEntries);
  // One more than is told, to know whether there are more.
  const Result<std::vector<HistoryEntry>> found =
      controller_.history({request->service(), request->backend()}, limit + 1);
  if (!found) return {grpc::StatusCode::INTERNAL, found.error().message};
  // What has a history may be gone from the file; what has none must be in it.
  if (found->empty()) {
    return check_names(controller_.view().runtime, request->service(), request->backend());
  }
  reply->set_truncated(found->size() > limit);
  const std::size_t told = std::min<std::size_t>(found->size(), limit);
  for (std::size_t at = 0; at < told; ++at) *reply->add_history() = history_row((*found)[at]);
  return grpc::Status::OK;
}

grpc::Status ObserveService::StreamEvents(grpc::ServerContext* context,
                                          const v1::EventsRequest* request,
                                          grpc::ServerWriter<v1::Event>* writer) {
  constexpr std::size_t kBatch = 256;
  const View view = controller_.view();
  grpc::Status known = check_names(view.runtime, request->service(), request->backend());
  if (!known.ok()) return known;
  const EventLog& events = controller_.events();
  const std::uint64_t newest = events.newest();
  // A number from before a restart of hawserd means nothing any more: from the beginning.
  std::uint64_t after = request->after() > newest ? 0 : request->after();
  if (request->last() != 0 && newest - after > request->last()) after = newest - request->last();
  while (!context->IsCancelled()) {
    const auto patience = std::chrono::milliseconds(request->follow() ? 500 : 0);
    const std::vector<FleetEvent> found = events.after(after, kBatch, patience);
    if (found.empty() && !request->follow()) break;
    for (const FleetEvent& event : found) {
      after = event.sequence;
      const bool wanted = (request->service().empty() || event.service == request->service()) &&
                          (request->backend().empty() || event.backend == request->backend());
      if (wanted && !writer->Write(event_row(event))) return grpc::Status::OK;
    }
    if (!request->follow() && after >= newest) break;
    if (found.empty() && events.is_stopped()) break;
  }
  return grpc::Status::OK;
}

}  // namespace hawser::control
