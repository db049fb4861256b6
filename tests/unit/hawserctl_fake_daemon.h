// A gRPC server that answers hawserctl as a test wants it to.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/server_context.h>

#include "api.h"
#include "hawserctl_samples.h"

namespace hawser::ctl {

// hawserd as the tests want it to be. Fields are set before a command runs; `polls` counts.
class FakeDaemon final : public rpc::Observe::Service, public rpc::Administer::Service {
 public:
  grpc::Status answer;  // of the next calls that change something, and of lists
  rpc::StatusReply status = good_status();
  rpc::ChangeReply change;
  rpc::ReloadReply reload;
  std::vector<std::uint64_t> flows_left;  // of web/b1 in successive polls; the last one stays
  std::string state = "draining";
  std::uint32_t confirm_after = 0;  // polls of GetStatus until the epoch is applied
  std::atomic<std::uint32_t> status_polls = 0;
  std::atomic<std::uint32_t> backend_polls = 0;
  std::atomic<std::uint32_t> counter_polls = 0;
  std::uint32_t counters_fail = 0;  // so many times first
  rpc::SetWeightRequest last_weight;
  rpc::SetModeRequest last_mode;
  path::Flows last_flows;
  rpc::BackendsRequest last_backends;
  bool truncated = false;
  rpc::ServicesReply services = one_service();
  path::ExplainReply explanation;
  path::Explain last_explain;
  rpc::KeysReply keys;
  rpc::HistoryReply history;
  rpc::HistoryRequest last_history;
  rpc::RotateKeysReply rotation;
  rpc::RotateKeysRequest last_rotation;
  std::vector<path::CaptureReply> captured;  // with `answer` behind them, or `last` in the last
  path::Capture last_capture;
  bool capture_waits = false;  // until it is cancelled
  rpc::ReloadRequest last_reload;
  std::vector<rpc::Event> events;
  rpc::EventsRequest last_events;
  bool holds = false;             // a followed stream goes on until the caller leaves
  grpc::Status end_of_events;     // of a stream that has no more
  std::uint64_t closing = 0;      // of web/b1's flows
  path::ServiceCounters spliced;  // with a name: of the service in GetCounters

  grpc::Status GetVersion(grpc::ServerContext*, const rpc::VersionRequest*,
                          rpc::VersionReply* reply) override {
    reply->set_hawserd("0.1.0");
    reply->set_dataplane("0.1.0");
    return answer;
  }
  grpc::Status GetStatus(grpc::ServerContext*, const rpc::StatusRequest*,
                         rpc::StatusReply* reply) override {
    *reply = status;
    if (++status_polls <= confirm_after) reply->set_applied_epoch(reply->desired_epoch() - 1);
    return answer.error_code() == grpc::NOT_FOUND ? answer : grpc::Status::OK;
  }
  grpc::Status ListServices(grpc::ServerContext*, const rpc::ServicesRequest*,
                            rpc::ServicesReply* reply) override {
    *reply = services;
    return answer;
  }
  grpc::Status ListBackends(grpc::ServerContext*, const rpc::BackendsRequest* request,
                            rpc::BackendsReply* reply) override {
    last_backends = *request;
    if (flows_left.empty()) {
      *reply = two_backends();
      return answer;
    }
    ++backend_polls;
    *reply->add_backends() = backend_row("web", "b1");
    reply->mutable_backends(0)->set_state(state);
    reply->mutable_backends(0)->set_flows(0);  // as when hawserd cannot ask the dataplane
    return answer;
  }
  grpc::Status GetCounters(grpc::ServerContext*, const rpc::CountersRequest*,
                           rpc::CountersReply* reply) override {
    path::NamedCounter& counter = *reply->mutable_counters()->add_verdicts();
    counter.set_name("drop_no_service");
    counter.set_kind("drop");
    counter.set_help("nobody serves this");
    counter.set_packets(12345);
    if (!spliced.service().empty()) *reply->mutable_counters()->add_services() = spliced;
    const std::uint32_t poll = counter_polls++;
    if (!flows_left.empty()) {
      path::BackendCounters& backend = *reply->mutable_counters()->add_backends();
      backend.set_service("web");
      backend.set_backend("b1");
      backend.set_flows(flows_left[std::min<std::size_t>(poll, flows_left.size() - 1)]);
      backend.set_closing_flows(closing);
    }
    return poll < counters_fail ? grpc::Status(grpc::UNAVAILABLE, "no answer") : answer;
  }
  grpc::Status ListFlows(grpc::ServerContext*, const path::Flows* request,
                         grpc::ServerWriter<path::FlowsReply>* writer) override {
    last_flows = *request;
    for (int part = 0; part < 3; ++part) {
      path::FlowsReply reply;
      path::Flow& flow = *reply.add_flows();
      flow.set_client("192.0.2." + std::to_string(part) + ":4000");
      flow.set_service("web");
      flow.set_backend("b1");
      flow.set_state("established");
      reply.set_last(part == 2);
      reply.set_truncated(part == 2 && truncated);
      writer->Write(reply);
    }
    return answer;
  }
  grpc::Status Explain(grpc::ServerContext*, const path::Explain* request,
                       path::ExplainReply* reply) override {
    last_explain = *request;
    *reply = explanation;
    return answer;
  }
  grpc::Status ListKeys(grpc::ServerContext*, const rpc::KeysRequest*,
                        rpc::KeysReply* reply) override {
    *reply = keys;
    return answer;
  }
  grpc::Status ListHistory(grpc::ServerContext*, const rpc::HistoryRequest* request,
                           rpc::HistoryReply* reply) override {
    last_history = *request;
    *reply = history;
    return answer;
  }
  grpc::Status RotateKeys(grpc::ServerContext*, const rpc::RotateKeysRequest* request,
                          rpc::RotateKeysReply* reply) override {
    last_rotation = *request;
    *reply = rotation;
    return answer;
  }
  grpc::Status Capture(grpc::ServerContext* context, const path::Capture* request,
                       grpc::ServerWriter<path::CaptureReply>* writer) override {
    last_capture = *request;
    while (capture_waits && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    for (std::size_t i = 0; i < captured.size(); ++i) {
      captured[i].set_last(answer.ok() && i + 1 == captured.size());
      writer->Write(captured[i]);
    }
    return answer;
  }
  grpc::Status SetWeight(grpc::ServerContext*, const rpc::SetWeightRequest* request,
                         rpc::ChangeReply* reply) override {
    last_weight = *request;
    *reply = change;
    return answer;
  }
  grpc::Status SetMode(grpc::ServerContext*, const rpc::SetModeRequest* request,
                       rpc::ChangeReply* reply) override {
    last_mode = *request;
    *reply = change;
    return answer;
  }
  grpc::Status StreamEvents(grpc::ServerContext* context, const rpc::EventsRequest* request,
                            grpc::ServerWriter<rpc::Event>* writer) override {
    last_events = *request;
    for (const rpc::Event& event : events) writer->Write(event);
    while (request->follow() && holds && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return end_of_events;
  }
  grpc::Status Reload(grpc::ServerContext*, const rpc::ReloadRequest* request,
                      rpc::ReloadReply* reply) override {
    last_reload = *request;
    *reply = reload;
    return answer;
  }
};

}  // namespace hawser::ctl
