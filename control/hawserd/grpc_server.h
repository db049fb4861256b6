// Serves gRPC on the admin socket and on its read-only twin.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "controller.h"
#include "file_lock.h"
#include "hawser/base/result.h"
#include "hawser/model/configuration.h"
#include "watch.h"

namespace hawser::control {

class GrpcServer {
 public:
  // Fails when a live daemon answers on the socket; removes a stale one. `controller` outlives
  // the server.
  [[nodiscard]] static Result<std::unique_ptr<GrpcServer>> start(
      const model::Control& settings, const std::string& dataplane_socket, Controller& controller);
  // Lets running calls end for a second, then removes the sockets.
  ~GrpcServer();
  // Calls the read-only socket as anybody would: whether a thread of the server answers in time.
  // From one thread.
  [[nodiscard]] bool answers(std::chrono::milliseconds time) const;
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // What is seen of the dataplane over time; as long as the server.
  [[nodiscard]] Watch& watch();

 private:
  struct Parts;
  explicit GrpcServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// `/run/hawser/hawserd-ro.sock` for `/run/hawser/hawserd.sock`.
[[nodiscard]] std::string read_only_twin(const std::string& socket);

}  // namespace hawser::control
