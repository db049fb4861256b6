// What `top` shows: rates between two samples of the backends, sorted and laid out.
#pragma once

#include <chrono>
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

struct TopRow {
  std::string service;
  std::string name;
  std::string state;
  std::uint32_t weight = 0;
  double share = 0;         // of new flows, by weight; 0..1
  double actual_share = 0;  // of the service's live flows; 0..1
  std::uint64_t flows = 0;
  double new_flows_per_second = 0;
  double packets_in_per_second = 0;  // towards the backend
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

// A line of totals and a table.
[[nodiscard]] std::string top_view(const std::vector<TopRow>& rows, const Paint& paint);
[[nodiscard]] Json top_json(const std::vector<TopRow>& rows);

}  // namespace hawser::ctl
