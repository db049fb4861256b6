// /metrics: one scrape.
#include "http_metrics.h"

#include <chrono>

#include <fmt/format.h>

#include "hawser/base/limits.h"
#include "metrics.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

// Counts itself among the scrapes under way.
class Turn {
 public:
  explicit Turn(ScrapeTotals& totals) : totals_(totals), number_(++totals.under_way) {}
  ~Turn() { --totals_.under_way; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  [[nodiscard]] bool granted() const { return number_ <= limits::kScrapesAtOnce; }

 private:
  ScrapeTotals& totals_;
  unsigned number_;
};

std::uint64_t now_unix() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

// What is wrong with the question; empty: nothing.
std::string fault_of(const Runtime& runtime, const std::vector<std::string>& services,
                     const std::vector<std::string>& backends) {
  for (const std::string& name : services) {
    const Result<const model::Service*> known = runtime.find_service(name);
    if (!known) return known.error().message;
  }
  const bool good = backends.empty() || (backends.size() == 1 && backends[0] == "no");
  return good ? "" : "backends: only backends=no means something, once";
}

}  // namespace

void answer_metrics(const HttpSources& sources, const HttpRequest& request, HttpReply& reply) {
  ScrapeTotals& totals = sources.totals;
  const Turn turn(totals);
  if (!turn.granted()) {
    ++totals.refused;
    reply.refuse(503, fmt::format("{} scrapes are under way", limits::kScrapesAtOnce));
    return;
  }
  ++totals.scrapes;
  Scrape scrape{.began = std::chrono::steady_clock::now(), .now_unix = now_unix()};
  const View view = sources.controller.view();
  const std::vector<std::string> services = request.values("service");
  const std::vector<std::string> backends = request.values("backends");
  if (const std::string fault = fault_of(view.runtime, services, backends); !fault.empty()) {
    reply.refuse(400, fault);
    return;
  }
  const Result<wire::StatusReply> status = sources.query.status();
  const Result<wire::CountersReply> counters = sources.query.counters();
  if (!status || !counters) ++totals.silent;
  if (counters) totals.services.note(*counters);
  scrape.view = &view;
  scrape.status = status ? &*status : nullptr;
  scrape.counters = counters ? &*counters : nullptr;
  scrape.totals = &totals;
  if (services.empty()) {
    scrape.problems = find_problems(view, status, counters, sources.watch.rises(), scrape.now_unix);
  }
  add_items(scrape, services);
  bool taken = true;
  write_metrics(scrape, {.of_services_only = !services.empty(), .of_backends = backends.empty()},
                [&](std::string_view part) { return taken = reply.write(part); });
  if (!taken && !reply.head_only()) ++totals.lost;
}

}  // namespace hawser::control
