// One connection to the dataplane's socket: frames of dataplane.proto with deadlines.
#pragma once

#include <chrono>
#include <string>

#include "dataplane.pb.h"
#include "hawser/base/result.h"

namespace hawser::control {

// Blocking; one thread at a time. After an error the connection is of no more use.
class DataplaneConnection {
 public:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] static Result<DataplaneConnection> open(const std::string& path);

  DataplaneConnection(DataplaneConnection&& other) noexcept;
  DataplaneConnection& operator=(DataplaneConnection&& other) noexcept;
  DataplaneConnection(const DataplaneConnection&) = delete;
  DataplaneConnection& operator=(const DataplaneConnection&) = delete;
  ~DataplaneConnection();

  [[nodiscard]] Result<void> send(const dataplane::v1::Request& request,
                                  Clock::time_point deadline);
  // Only answers with this id count. An Error message of the dataplane is a response here, not an
  // error.
  [[nodiscard]] Result<dataplane::v1::Response> receive(std::uint64_t id,
                                                        Clock::time_point deadline);
  // Sends and receives one of each; gives the request its id.
  [[nodiscard]] Result<dataplane::v1::Response> call(dataplane::v1::Request& request,
                                                     Clock::time_point deadline);

  // Has something come, or the end, within `time`?
  [[nodiscard]] bool is_readable(std::chrono::milliseconds time) const;

  // Waits until `wake_descriptor` is readable; an error when the dataplane closed the connection.
  [[nodiscard]] Result<void> idle(int wake_descriptor) const;

 private:
  DataplaneConnection(int descriptor, std::string path)
      : descriptor_(descriptor), path_(std::move(path)) {}
  [[nodiscard]] Result<void> await(short events, Clock::time_point deadline) const;
  [[nodiscard]] Result<void> read(char* to, std::size_t size, Clock::time_point deadline) const;

  int descriptor_ = -1;
  std::string path_;
  std::uint64_t last_id_ = 0;
};

}  // namespace hawser::control
