// Handlers: each request of the control socket and its answer.
#pragma once

#include "dataplane/capture_desk.h"
#include "dataplane/flow_desk.h"
#include "dataplane/parts.h"
#include "dataplane/reply.h"

namespace hawser::dataplane {

class Handlers : public RequestHandler {
 public:
  // What `parts` refers to must outlive this.
  explicit Handlers(const Parts& parts)
      : parts_(parts),
        desk_(parts.machine.workers()),
        captures_(parts.machine.shared(), parts.machine.workers().size()) {}

  [[nodiscard]] Reply handle(const v1::Request& request, bool read_only) override;

 private:
  [[nodiscard]] v1::Response hello(bool read_only) const;
  [[nodiscard]] v1::Response apply(const v1::Apply& request, bool read_only);
  [[nodiscard]] v1::Response preview(const v1::Preview& request, bool read_only) const;
  [[nodiscard]] v1::Response get_snapshot(bool read_only) const;
  [[nodiscard]] v1::Response refusal() const;
  [[nodiscard]] v1::Response status() const;
  [[nodiscard]] v1::Response counters(const v1::Counters& request) const;
  [[nodiscard]] Reply flows(const v1::Flows& request);
  [[nodiscard]] Reply capture(const v1::Capture& request, bool read_only);

  Parts parts_;
  FlowDesk desk_;
  CaptureDesk captures_;
};

}  // namespace hawser::dataplane
