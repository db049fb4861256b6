// gRPC service Administer: what operators change.
#pragma once

#include <mutex>

#include "control.grpc.pb.h"
#include "controller.h"
#include "dataplane_client.h"

namespace hawser::control {

// Thread-safe. `controller` outlives it.
class AdministerService final : public v1::Administer::Service {
 public:
  AdministerService(Controller& controller, DataplaneQuery query)
      : controller_(controller), query_(std::move(query)) {}

  grpc::Status SetWeight(grpc::ServerContext* context, const v1::SetWeightRequest* request,
                         v1::ChangeReply* reply) override;
  grpc::Status SetMode(grpc::ServerContext* context, const v1::SetModeRequest* request,
                       v1::ChangeReply* reply) override;
  grpc::Status Reload(grpc::ServerContext* context, const v1::ReloadRequest* request,
                      v1::ReloadReply* reply) override;
  grpc::Status RotateKeys(grpc::ServerContext* context, const v1::RotateKeysRequest* request,
                          v1::RotateKeysReply* reply) override;
  grpc::Status Capture(grpc::ServerContext* context, const dataplane::v1::Capture* request,
                       grpc::ServerWriter<dataplane::v1::CaptureReply>* writer) override;

 private:
  Controller& controller_;
  DataplaneQuery query_;
  std::timed_mutex capturing_;
};

}  // namespace hawser::control
