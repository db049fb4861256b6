// Computes and sorts the rows of `top`.
#include "top.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

namespace hawser::ctl {
namespace {

using Key = std::pair<std::string, std::string>;

double rate(std::uint64_t before, std::uint64_t now, double seconds) {
  if (now < before || seconds <= 0) return 0;
  return static_cast<double>(now - before) / seconds;
}

void set_rates(TopRow& row, const rpc::BackendRow& before, const rpc::BackendRow& now,
               double seconds) {
  constexpr double kBits = 8;
  row.new_flows_per_second = rate(before.new_flows(), now.new_flows(), seconds);
  row.packets_in_per_second = rate(before.packets_in(), now.packets_in(), seconds);
  row.packets_out_per_second = rate(before.packets_out(), now.packets_out(), seconds);
  row.bits_in_per_second = kBits * rate(before.bytes_in(), now.bytes_in(), seconds);
  row.bits_out_per_second = kBits * rate(before.bytes_out(), now.bytes_out(), seconds);
  row.requests_per_second = rate(before.requests(), now.requests(), seconds);
  row.errors_per_second = rate(errors_of(before), errors_of(now), seconds);
}

void set_signals(TopRow& row, const rpc::BackendRow& now) {
  row.has_signals = now.has_signals();
  row.response_p50 = now.response().p50_microseconds();
  row.response_p99 = now.response().p99_microseconds();
  row.handshake_p50 = now.handshake().p50_microseconds();
  row.handshake_p99 = now.handshake().p99_microseconds();
  if (now.has_live_sessions()) row.live_sessions = now.live_sessions();
}

// Those in trouble first.
int trouble(const TopRow& row) {
  constexpr std::array<std::string_view, 5> kOrder{"down", "maintenance", "draining", "starting",
                                                   "ready"};
  const auto* const found = std::find(kOrder.begin(), kOrder.end(), row.state);
  return static_cast<int>(found - kOrder.begin());
}

// Of responses; where none are read, of handshakes.
std::uint64_t latency_of(const TopRow& row) {
  return row.response_p99 != 0 ? row.response_p99 : row.handshake_p99;
}

// The number to sort by, largest first.
double rank(const TopRow& row, std::string_view key) {
  if (key == "state") return -trouble(row);
  if (key == "share") return row.actual_share;
  if (key == "ratio") return row.ratio;
  if (key == "requests") return row.requests_per_second;
  if (key == "errors") return row.errors_per_second;
  if (key == "latency") return static_cast<double>(latency_of(row));
  if (key == "sessions") return static_cast<double>(row.live_sessions.value_or(0));
  if (key == "flows") return static_cast<double>(row.flows);
  if (key == "new") return row.new_flows_per_second;
  if (key == "packets") return row.packets_in_per_second + row.packets_out_per_second;
  if (key == "bits") return row.bits_in_per_second + row.bits_out_per_second;
  return 0;  // name: all equal, so the names decide
}

// Programs want no noise of fifteen digits.
double rounded(double value) {
  return std::round(value * 10) / 10;
}
double rounded_share(double value) {
  return std::round(value * 1e4) / 1e4;
}

}  // namespace

std::uint64_t errors_of(const rpc::BackendRow& row) {
  return row.refused() + row.timed_out() + row.reset() + row.server_errors();
}

std::vector<TopRow> top_rows(const Sample& before, const Sample& now) {
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  std::map<Key, const rpc::BackendRow*> old;
  for (const rpc::BackendRow& row : before.backends.backends()) {
    old[{row.service(), row.name()}] = &row;
  }
  std::map<std::string, std::uint64_t> service_flows;
  for (const rpc::BackendRow& row : now.backends.backends()) {
    service_flows[row.service()] += row.flows();
  }
  std::vector<TopRow> rows;
  for (const rpc::BackendRow& backend : now.backends.backends()) {
    TopRow row;
    row.service = backend.service();
    row.name = backend.name();
    row.state = backend.state();
    row.weight = backend.weight();
    row.share = backend.share();
    row.flows = backend.flows();
    const std::uint64_t all = service_flows[backend.service()];
    row.actual_share = all == 0 ? 0 : static_cast<double>(row.flows) / static_cast<double>(all);
    row.ratio = row.share > 0 ? row.actual_share / row.share : 0;
    set_signals(row, backend);
    const auto found = old.find({row.service, row.name});
    if (found != old.end()) set_rates(row, *found->second, backend, seconds);
    rows.push_back(std::move(row));
  }
  return rows;
}

void sort_rows(std::vector<TopRow>& rows, std::string_view key, bool reverse) {
  std::sort(rows.begin(), rows.end(), [&](const TopRow& a, const TopRow& b) {
    const TopRow& left = reverse ? b : a;
    const TopRow& right = reverse ? a : b;
    const double left_rank = rank(left, key);
    const double right_rank = rank(right, key);
    if (left_rank > right_rank) return true;
    if (left_rank < right_rank) return false;
    return std::tie(left.service, left.name) < std::tie(right.service, right.name);
  });
}

Json top_json(const std::vector<TopRow>& rows) {
  Json list = Json::array();
  for (const TopRow& row : rows) {
    Json json;
    json["id"] = row.service + "/" + row.name;
    json["service"] = row.service;
    json["name"] = row.name;
    json["state"] = row.state;
    json["weight"] = row.weight;
    json["share"] = rounded_share(row.share);
    json["actual_share"] = rounded_share(row.actual_share);
    json["ratio"] = rounded_share(row.ratio);
    json["flows"] = row.flows;
    json["new_flows_per_second"] = rounded(row.new_flows_per_second);
    json["packets_in_per_second"] = rounded(row.packets_in_per_second);
    json["packets_out_per_second"] = rounded(row.packets_out_per_second);
    json["bits_in_per_second"] = rounded(row.bits_in_per_second);
    json["bits_out_per_second"] = rounded(row.bits_out_per_second);
    json["requests_per_second"] = rounded(row.requests_per_second);
    json["errors_per_second"] = rounded(row.errors_per_second);
    json["has_signals"] = row.has_signals;
    json["response_p50_microseconds"] = row.response_p50;
    json["response_p99_microseconds"] = row.response_p99;
    json["handshake_p50_microseconds"] = row.handshake_p50;
    json["handshake_p99_microseconds"] = row.handshake_p99;
    json["live_sessions"] = row.live_sessions ? Json(*row.live_sessions) : Json();
    list.push_back(std::move(json));
  }
  return Json{{"backends", std::move(list)}};
}

}  // namespace hawser::ctl
