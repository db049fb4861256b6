// Keeps the dataplane told: connects, adopts what runs, applies the newest snapshot, reconnects.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "dataplane.pb.h"
#include "hawser/base/result.h"
#include "hawser/base/strong.h"
#include "hawser/model/desired.h"

namespace hawser::control {

// Whoever decides what the dataplane is told. All calls come from the client's thread.
class DataplaneListener {
 public:
  virtual ~DataplaneListener() = default;
  // `running` is the snapshot in force; none when the dataplane has none yet.
  virtual void connected(const dataplane::v1::HelloReply& hello,
                         const std::optional<model::Desired>& running) = 0;
  virtual void disconnected(const std::string& error) = 0;
  // The snapshot to apply now, none while the newest one was applied or refused.
  virtual std::optional<model::Desired> pending() = 0;
  virtual void applied(Epoch epoch, const dataplane::v1::ApplyReply& reply) = 0;
  virtual void refused(Epoch epoch, const std::string& reason) = 0;
};

class DataplaneClient {
 public:
  // Starts the thread. `listener` outlives the client.
  DataplaneClient(std::string socket, DataplaneListener& listener);
  // Closes the connection; the dataplane goes on with what it has.
  ~DataplaneClient();
  DataplaneClient(const DataplaneClient&) = delete;
  DataplaneClient& operator=(const DataplaneClient&) = delete;

  // Something is pending. From any thread; several wakes may become one snapshot.
  void wake();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

// Questions to the dataplane, each on a connection of its own with a deadline of two seconds for
// every answer (a preview, for which tables may be built: thirty), so that a slow one delays no
// snapshot. From any thread.
class DataplaneQuery {
 public:
  explicit DataplaneQuery(std::string socket) : socket_(std::move(socket)) {}

  [[nodiscard]] Result<dataplane::v1::StatusReply> status() const;
  [[nodiscard]] Result<dataplane::v1::CountersReply> counters() const;
  // Neither of backends nor of services: quick, however many there are.
  [[nodiscard]] Result<dataplane::v1::CountersReply> counters_in_all() const;
  // Of backends that ever failed to take a connection or a request, and of nothing else.
  [[nodiscard]] Result<dataplane::v1::CountersReply> failing_backends() const;
  // Hands over each part of the listing; stops when `take` returns false.
  [[nodiscard]] Result<void> flows(
      const dataplane::v1::Flows& filter,
      const std::function<bool(const dataplane::v1::FlowsReply&)>& take) const;
  // What `candidate` would change; an error is also what the dataplane would refuse it for. `base`
  // is what the caller believes runs: of services that the two share little is sent. The epoch and
  // the flow key of `candidate` do not count.
  [[nodiscard]] Result<dataplane::v1::PreviewReply> preview(const model::Desired& base,
                                                            const model::Desired& candidate) const;
  // The reply, or the dataplane's own words why there is none (`error`).
  [[nodiscard]] Result<dataplane::v1::Response> explain(
      const dataplane::v1::Explain& question) const;
  // Hands over each part of a capture; ends soon after `is_over` says so, or when `take` returns
  // false. The last reply, or the dataplane's own words why there are no more (`error`).
  [[nodiscard]] Result<dataplane::v1::Response> capture(
      const dataplane::v1::Capture& wanted, const std::function<bool()>& is_over,
      const std::function<bool(const dataplane::v1::CaptureReply&)>& take) const;

 private:
  [[nodiscard]] Result<dataplane::v1::CountersReply> ask_counters(
      dataplane::v1::Request& request) const;
  [[nodiscard]] Result<dataplane::v1::Response> ask(dataplane::v1::Request& request,
                                                    std::chrono::seconds time) const;

  std::string socket_;
};

}  // namespace hawser::control
