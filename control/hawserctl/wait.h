// --wait: polls hawserd until something has come true or the deadline has passed.
#pragma once

#include <cstdint>
#include <functional>

#include "arguments.h"
#include "client.h"
#include "failure.h"

namespace hawser::ctl {

// Until the dataplane has confirmed the newest snapshot; the value is its epoch. A hawserd that
// restarts meanwhile is waited for.
[[nodiscard]] Outcome<std::uint64_t> wait_confirmed(const Client& client, Client::Time deadline);

// How far a drain is.
struct DrainStep {
  std::uint64_t flows = 0;       // live, without those that are over
  double released = 0;           // of the sessions, 0..1
  std::uint64_t until_unix = 0;  // its deadline; 0: none
};
// Called at each poll.
using DrainProgress = std::function<void(const DrainStep& step)>;

// Until the backend, draining and confirmed so by the dataplane, has no live flow. Fails when it is
// given traffic again meanwhile. The value is the epoch.
[[nodiscard]] Outcome<std::uint64_t> wait_drained(const Client& client, const BackendName& name,
                                                  Client::Time deadline,
                                                  const DrainProgress& progress);

}  // namespace hawser::ctl
