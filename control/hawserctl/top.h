// What `top` shows: rates between two samples of the backends, sorted and laid out.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api.h"
#include "json.h"
#include "table.h"

namespace hawser::ctl {

struct Sample {
  std::chrono::steady_clock::time_point at;
  rpc::BackendsReply backends;
};

// What a backend did wrong that its clients felt: refused, timed out, reset, 5xx.
[[nodiscard]] std::uint64_t errors_of(const rpc::BackendRow& row);

struct TopRow {
  std::string service;
  std::string name;
  std::string state;
  std::uint32_t weight = 0;
  double share = 0;         // of new flows, by weight; 0..1
  double actual_share = 0;  // of the service's live flows; 0..1
  double ratio = 0;         // of these two; 0: it gets no new flows
  std::uint64_t flows = 0;
  double new_flows_per_second = 0;
  double requests_per_second = 0;  // spliced http services
  double errors_per_second = 0;    // refused, timed out, reset, 5xx
  // Since the dataplane started, microseconds; 0: nothing was timed.
  std::uint64_t response_p50 = 0;
  std::uint64_t response_p99 = 0;
  std::uint64_t handshake_p50 = 0;
  std::uint64_t handshake_p99 = 0;
  bool has_signals = false;                    // false: what fails is not seen
  std::optional<std::uint64_t> live_sessions;  // none: not counted
  double packets_in_per_second = 0;            // towards the backend
  double packets_out_per_second = 0;
  double bits_in_per_second = 0;
  double bits_out_per_second = 0;
};

// One row for each backend of `now`. A backend that is new, or whose counters fell because the
// dataplane restarted, has rates of 0 for this interval.
[[nodiscard]] std::vector<TopRow> top_rows(const Sample& before, const Sample& now);

// `key` is a word of sort_keys(). Numbers sort largest first, words alphabetically, states by
// trouble; equal rows by service and name. `reverse` turns it all round.
void sort_rows(std::vector<TopRow>& rows, std::string_view key, bool reverse);

// Where a view goes: how many characters are in a line, and which rows it shows; 0: all.
struct TopPlace {
  std::size_t columns = 0;
  std::size_t first = 0;
  std::size_t rows = 0;
};

// A backend has more than its share by so much that it is marked: what bounded load allows.
inline constexpr double kMarkedRatio = 1.25;

// A line of totals and a table.
[[nodiscard]] std::string top_view(const std::vector<TopRow>& rows, const Paint& paint,
                                   const TopPlace& place = {});
[[nodiscard]] Json top_json(const std::vector<TopRow>& rows);

}  // namespace hawser::ctl
