// All that one scrape reads, put together once: views, the dataplane's answers, items to count.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller.h"
#include "dataplane.pb.h"
#include "hawser/base/result.h"
#include "problems.h"

namespace hawser::control {

// What is added up for a service over its backends; in the order of `kTraffic`.
struct Traffic {
  std::array<std::uint64_t, 5> values{};
};
using TrafficField = std::uint64_t (dataplane::v1::BackendCounters::*)() const;
inline constexpr std::array<TrafficField, 5> kTraffic{
    &dataplane::v1::BackendCounters::new_flows, &dataplane::v1::BackendCounters::packets_in,
    &dataplane::v1::BackendCounters::bytes_in, &dataplane::v1::BackendCounters::packets_out,
    &dataplane::v1::BackendCounters::bytes_out};

// Totals of services that never fall, though their backends come and go and the dataplane starts
// again: each backend's rise since it was last seen is added. Thread-safe.
class ServiceTotals {
 public:
  void note(const dataplane::v1::CountersReply& counters);
  // Nothing was seen of an unknown service.
  [[nodiscard]] Traffic of(const std::string& service) const;

 private:
  struct Service {
    Traffic total;
    std::map<std::string, Traffic, std::less<>> seen;  // by backend
  };
  mutable std::mutex mutex_;
  std::map<std::string, Service, std::less<>> services_;
};

// What outlasts a scrape. Thread-safe.
struct ScrapeTotals {
  std::atomic<std::uint64_t> scrapes{0};
  std::atomic<std::uint64_t> silent{0};   // the dataplane did not answer
  std::atomic<std::uint64_t> lost{0};     // the client went away, or was too slow
  std::atomic<std::uint64_t> refused{0};  // too many at once
  std::atomic<unsigned> under_way{0};
  ServiceTotals services;
};

// A service at the moment of the scrape. What the dataplane has not told is null.
struct ServiceItem {
  const model::Service* service = nullptr;
  const ServiceState* state = nullptr;
  std::array<std::uint32_t, 5> by_state{};  // backends, by State
  std::uint64_t flows = 0;
  bool counted = false;  // the dataplane answered
  Traffic traffic;
  const dataplane::v1::ServiceCounters* requests = nullptr;  // spliced ones alone
};

struct BackendItem {
  const model::Service* service = nullptr;
  const model::Backend* backend = nullptr;
  const BackendState* state = nullptr;
  State shown = State::kReady;
  std::uint64_t now_unix = 0;
  double share = 0;  // of new flows by weight
  const dataplane::v1::BackendCounters* counters = nullptr;
};

// Refers to what it was made from: the view and the answers outlive it, and stay where they are.
struct Scrape {
  std::chrono::steady_clock::time_point began;
  std::uint64_t now_unix = 0;
  const View* view = nullptr;
  const dataplane::v1::StatusReply* status = nullptr;      // null: no answer
  const dataplane::v1::CountersReply* counters = nullptr;  // null: no answer
  const ScrapeTotals* totals = nullptr;
  std::vector<Problem> problems;
  std::vector<ServiceItem> services;
  std::vector<BackendItem> backends;
};

// Fills in services and backends from what the rest refers to; `wanted` names services, empty: all.
void add_items(Scrape& scrape, const std::vector<std::string>& wanted);

}  // namespace hawser::control
