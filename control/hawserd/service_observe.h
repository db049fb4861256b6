// gRPC service Observe: answers questions, changes nothing.
#pragma once

#include "control.grpc.pb.h"
#include "controller.h"
#include "dataplane_client.h"
#include "watch.h"

namespace hawser::control {

// Thread-safe. `controller` and `watch` outlive it.
class ObserveService final : public v1::Observe::Service {
 public:
  ObserveService(const Controller& controller, DataplaneQuery query, Watch& watch)
      : controller_(controller), query_(std::move(query)), watch_(watch) {}

  grpc::Status GetVersion(grpc::ServerContext* context, const v1::VersionRequest* request,
                          v1::VersionReply* reply) override;
  grpc::Status GetStatus(grpc::ServerContext* context, const v1::StatusRequest* request,
                         v1::StatusReply* reply) override;
  grpc::Status ListServices(grpc::ServerContext* context, const v1::ServicesRequest* request,
                            v1::ServicesReply* reply) override;
  grpc::Status ListBackends(grpc::ServerContext* context, const v1::BackendsRequest* request,
                            v1::BackendsReply* reply) override;
  grpc::Status GetCounters(grpc::ServerContext* context, const v1::CountersRequest* request,
                           v1::CountersReply* reply) override;
  grpc::Status ListFlows(grpc::ServerContext* context, const dataplane::v1::Flows* request,
                         grpc::ServerWriter<dataplane::v1::FlowsReply>* writer) override;
  grpc::Status Explain(grpc::ServerContext* context, const dataplane::v1::Explain* request,
                       dataplane::v1::ExplainReply* reply) override;
  grpc::Status ListKeys(grpc::ServerContext* context, const v1::KeysRequest* request,
                        v1::KeysReply* reply) override;
  grpc::Status StreamEvents(grpc::ServerContext* context, const v1::EventsRequest* request,
                            grpc::ServerWriter<v1::Event>* writer) override;
  grpc::Status ListHistory(grpc::ServerContext* context, const v1::HistoryRequest* request,
                           v1::HistoryReply* reply) override;

 private:
  const Controller& controller_;
  DataplaneQuery query_;
  Watch& watch_;
};

}  // namespace hawser::control
