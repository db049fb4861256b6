// FlowListing: the answer to a Flows request, streamed as workers find rows.
#pragma once

#include <memory>
#include <string>

#include "dataplane/flow_desk.h"
#include "dataplane/reply.h"
#include "dataplane/snapshots.h"
#include "hawser/base/result.h"

namespace hawser::dataplane {

class FlowListing : public ReplyStream {
 public:
  // Resolves the names of `request` in the running snapshot; an unknown one is an error that names
  // the nearest. `desk` and `snapshots` must outlive the listing.
  [[nodiscard]] static Result<std::unique_ptr<ReplyStream>> create(const v1::Flows& request,
                                                                   const Snapshots& snapshots,
                                                                   FlowDesk& desk);
  ~FlowListing() override;

  [[nodiscard]] Step step() override;

 private:
  FlowListing(FlowFilter filter, std::uint32_t limit, const Snapshots& snapshots, FlowDesk& desk);
  void add_row(const WorkerRow& row, v1::FlowsReply& reply) const;

  FlowFilter filter_;
  std::uint32_t rows_left_;
  const Snapshots& snapshots_;
  FlowDesk& desk_;
  bool asked_ = false;
  bool done_ = false;
};

}  // namespace hawser::dataplane
