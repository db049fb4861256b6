// BackendCounters, BackendTimes: what one worker knows of one backend.
//
// Layout: the first cache line is written for each packet, the second when a connection or a
// request begins or fails. Times are apart, since they are many lines and few backends need them.
// Threading: one worker writes, anyone reads. Cost: an add to a line that the worker owns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hawser/stats/counter.h"
#include "hawser/stats/histogram.h"

namespace hawser::stats {

struct alignas(64) BackendCounters {
  Counter flows;      // live now, exact
  Counter ended;      // of those: only kept for what may still be on its way
  Counter new_flows;  // ever
  Counter packets_in;
  Counter bytes_in;  // frames without FCS
  Counter packets_out;
  Counter bytes_out;

  // How it takes TCP connections, where its answers come by here (nat, splice). Each new flow there
  // is one attempt to connect, and counts at most once as one of the first two.
  alignas(64) Counter refused;  // reset in answer to a SYN
  Counter timed_out;            // a SYN that it did not answer in time
  Counter reset;                // reset after its SYN-ACK, before it was of any use
  Counter aborted;              // reset later: may be the application's habit
  Counter server_errors;        // responses 5xx (splice, HTTP)
  Counter requests;             // that were passed to it (splice, HTTP)

  // Flows that are load to the backend.
  [[nodiscard]] std::uint64_t load() const noexcept { return flows.read() - ended.read(); }
  // For an id that goes to another backend: nobody writes now.
  void clear() noexcept {
    for (Counter* counter :
         {&flows, &ended, &new_flows, &packets_in, &bytes_in, &packets_out, &bytes_out, &refused,
          &timed_out, &reset, &aborted, &server_errors, &requests}) {
      counter->clear();
    }
  }
};
static_assert(sizeof(BackendCounters) == 128 && offsetof(BackendCounters, refused) == 64);

struct alignas(64) BackendTimes {
  Histogram handshake;  // from the SYN to the SYN-ACK, as they pass here
  Histogram response;   // from the request, or the connection made for it, to the response's head

  void clear() noexcept {
    handshake.clear();
    response.clear();
  }
};

}  // namespace hawser::stats
