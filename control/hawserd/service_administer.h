// gRPC service Administer: what operators change.
#pragma once

#include "control.grpc.pb.h"
#include "controller.h"

namespace hawser::control {

// Thread-safe. `controller` outlives it.
class AdministerService final : public v1::Administer::Service {
 public:
  explicit AdministerService(Controller& controller) : controller_(controller) {}

  grpc::Status SetWeight(grpc::ServerContext* context, const v1::SetWeightRequest* request,
                         v1::ChangeReply* reply) override;
  grpc::Status SetMode(grpc::ServerContext* context, const v1::SetModeRequest* request,
                       v1::ChangeReply* reply) override;
  grpc::Status Reload(grpc::ServerContext* context, const v1::ReloadRequest* request,
                      v1::ReloadReply* reply) override;
  grpc::Status RotateKeys(grpc::ServerContext* context, const v1::RotateKeysRequest* request,
                          v1::RotateKeysReply* reply) override;

 private:
  Controller& controller_;
};

}  // namespace hawser::control
