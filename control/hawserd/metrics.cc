// Rows of the table of metrics into the text that Prometheus reads.
#include "metrics.h"

#include <limits>
#include <sstream>

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "hawser/base/limits.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

using Label = prometheus::ClientMetric::Label;

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kSummary:
      return prometheus::MetricType::Summary;
  }
  return prometheus::MetricType::Untyped;
}

// One family, written whenever kMetricsAtOnce of its values are together: however many backends
// there are, a scrape needs little memory.
class Family final : public MetricOut {
 public:
  Family(const Metric& metric, const std::function<bool(std::string_view)>& write)
      : metric_(metric), write_(write), families_(1) {
    families_[0].name = metric.name;
    families_[0].help = metric.help;
    families_[0].type = type_of(metric.type);
  }

  void begin_item(std::vector<Label> labels) {
    labels_ = std::move(labels);
    if (rows().size() >= limits::kMetricsAtOnce) flush();
  }

  void add(double value, std::string_view label) override {
    prometheus::ClientMetric& row = rows().emplace_back();
    row.label = labels_;
    if (!metric_.label.empty()) {
      row.label.push_back({std::string(metric_.label), std::string(label)});
    }
    if (metric_.type == MetricType::kCounter) {
      row.counter.value = value;
    } else {
      row.gauge.value = value;
    }
  }

  void add(const Quantiles& quantiles) override {
    prometheus::ClientMetric& row = rows().emplace_back();
    row.label = labels_;
    row.summary.sample_count = quantiles.count;
    row.summary.sample_sum = std::numeric_limits<double>::quiet_NaN();
    for (const auto& [quantile, value] : quantiles.values) {
      row.summary.quantile.push_back({quantile, value});
    }
  }

  // False: nobody wants more.
  bool flush() {
    if (rows().empty() || !wanted_) return wanted_;
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families_);
    const std::string lines = text.str();
    std::string_view part = lines;
    // What the family is, is said once.
    if (begun_) {
      for (int line = 0; line < 2; ++line) part.remove_prefix(part.find('\n') + 1);
    }
    begun_ = true;
    wanted_ = write_(part);
    rows().clear();
    return wanted_;
  }

  [[nodiscard]] bool wanted() const { return wanted_; }

 private:
  std::vector<prometheus::ClientMetric>& rows() { return families_[0].metric; }

  const Metric& metric_;
  const std::function<bool(std::string_view)>& write_;
  std::vector<prometheus::MetricFamily> families_;
  std::vector<Label> labels_;
  bool begun_ = false;
  bool wanted_ = true;
};

// Reads every item that a row is about.
struct Reading {
  const Scrape& scrape;
  Family& family;

  void operator()(Reader<Scrape> read) const { read(scrape, family); }
  void operator()(Reader<ServiceItem> read) const {
    each(scrape.services, read, [](const ServiceItem& item) {
      return std::vector<Label>{{"service", item.service->name}};
    });
  }
  void operator()(Reader<BackendItem> read) const {
    each(scrape.backends, read, [](const BackendItem& item) {
      return std::vector<Label>{{"service", item.service->name}, {"backend", item.backend->name}};
    });
  }
  void operator()(Reader<wire::PortStatus> read) const {
    if (scrape.status == nullptr) return;
    each(scrape.status->ports(), read, [](const wire::PortStatus& item) {
      return std::vector<Label>{{"port", item.name()}};
    });
  }
  void operator()(Reader<wire::WorkerStatus> read) const {
    if (scrape.status == nullptr) return;
    each(scrape.status->workers(), read, [](const wire::WorkerStatus& item) {
      return std::vector<Label>{{"worker", std::to_string(item.id())}};
    });
  }

 private:
  template <typename Items, typename Item, typename Labels>
  void each(const Items& items, Reader<Item> read, Labels&& labels) const {
    for (const Item& item : items) {
      family.begin_item(labels(item));
      if (!family.wanted()) return;
      read(item, family);
    }
  }
};

struct LabelsOf {
  using Names = std::vector<std::string_view>;
  Names operator()(Reader<Scrape> /*read*/) const { return {}; }
  Names operator()(Reader<ServiceItem> /*read*/) const { return {"service"}; }
  Names operator()(Reader<BackendItem> /*read*/) const { return {"service", "backend"}; }
  Names operator()(Reader<wire::PortStatus> /*read*/) const { return {"port"}; }
  Names operator()(Reader<wire::WorkerStatus> /*read*/) const { return {"worker"}; }
};

bool passes(const MetricFilter& filter, const Metric& metric) {
  const bool of_backends = std::holds_alternative<Reader<BackendItem>>(metric.read);
  const bool of_services = std::holds_alternative<Reader<ServiceItem>>(metric.read) || of_backends;
  return (of_services || !filter.of_services_only) && (filter.of_backends || !of_backends);
}

}  // namespace

std::vector<std::string_view> labels_of(const Metric& metric) {
  std::vector<std::string_view> names = std::visit(LabelsOf{}, metric.read);
  if (!metric.label.empty()) names.push_back(metric.label);
  return names;
}

std::string_view to_string(MetricType type) noexcept {
  switch (type) {
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kCounter:
      return "counter";
    case MetricType::kSummary:
      return "summary";
  }
  return {};
}

void write_metrics(const Scrape& scrape, const MetricFilter& filter,
                   const std::function<bool(std::string_view)>& write) {
  for (const Metric& metric : metrics()) {
    if (!passes(filter, metric)) continue;
    Family family(metric, write);
    std::visit(Reading{scrape, family}, metric.read);
    if (!family.flush()) return;
  }
}

std::string metrics_page() {
  std::string page =
      "# Metrics\n\n"
      "What `hawserd` tells Prometheus under `/metrics`. This page is made by `hawserd "
      "--list-metrics`; [operate.md](../operate.md) says how to scrape, what to watch and which "
      "alerts there are.\n\n"
      "| metric | type | unit | labels | what it says |\n| --- | --- | --- | --- | --- |\n";
  for (const Metric& metric : metrics()) {
    page += fmt::format("| `{}` | {} | {} | {} | {} |\n", metric.name, to_string(metric.type),
                        metric.unit.empty() ? "-" : metric.unit,
                        labels_of(metric).empty()
                            ? std::string("-")
                            : fmt::format("`{}`", fmt::join(labels_of(metric), "`, `")),
                        metric.help);
  }
  return page;
}

}  // namespace hawser::control
