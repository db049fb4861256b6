// What Prometheus is told: one table, a row for each metric, and the text made from it.
//
// To add a metric, add a row to the table in metrics_table.cc and make docs/reference/metrics.md
// again (`hawserd --list-metrics`).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "metrics_scrape.h"

namespace hawser::control {

enum class MetricType : std::uint8_t { kGauge, kCounter, kSummary };

// What a summary says of one set of labels; seconds.
struct Quantiles {
  std::uint64_t count = 0;
  std::vector<std::pair<double, double>> values;  // quantile, value
};

// Takes the values of one row for one item: a service, a backend.
class MetricOut {
 public:
  virtual ~MetricOut() = default;
  // `label` is the value of the row's own label, where it has one.
  virtual void add(double value, std::string_view label = {}) = 0;
  virtual void add(const Quantiles& quantiles) = 0;
};

// How a row is read: for every item of its kind once. What is not known gets no value.
template <typename Item>
using Reader = void (*)(const Item& item, MetricOut& out);

struct Metric {
  std::string_view name;
  MetricType type;
  std::string_view unit;
  std::string_view label;  // besides those of its items; empty: none
  std::string_view help;
  // Of the process: no label. Of services: `service`. Of backends: `service`, `backend`. Of ports
  // and workers: `port`, `worker`.
  std::variant<Reader<Scrape>, Reader<ServiceItem>, Reader<BackendItem>,
               Reader<dataplane::v1::PortStatus>, Reader<dataplane::v1::WorkerStatus>>
      read;
};

[[nodiscard]] std::span<const Metric> metrics();
// All labels of a row, in their order.
[[nodiscard]] std::vector<std::string_view> labels_of(const Metric& metric);
[[nodiscard]] std::string_view to_string(MetricType type) noexcept;

// Which rows are written.
struct MetricFilter {
  bool of_services_only = false;  // those with a label `service`
  bool of_backends = true;        // those with a label `backend` too
};

// Writes the text format of Prometheus, version 0.0.4, in parts; ends early when `write` returns
// false.
void write_metrics(const Scrape& scrape, const MetricFilter& filter,
                   const std::function<bool(std::string_view)>& write);

// The table as a page, docs/reference/metrics.md.
[[nodiscard]] std::string metrics_page();

}  // namespace hawser::control
