// Counts failures within a window, and decides who is ejected and for how long.
#include "passive.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

bool is_too_many(std::uint64_t failures, std::uint64_t attempts, const model::Passive& passive) {
  return failures >= passive.failures && failures * 100 >= attempts * passive.failure_percent;
}

}  // namespace

PassiveJudge::Sample PassiveJudge::sample_of(const wire::BackendCounters& counters,
                                             std::uint64_t now_unix) {
  return {.at_unix = now_unix,
          .connects = counters.connects(),
          .failed_connects = counters.refused() + counters.timed_out() + counters.reset(),
          .requests = counters.requests(),
          .server_errors = counters.server_errors()};
}

void PassiveJudge::note(Seen& seen, const Sample& sample, std::uint32_t window_seconds) {
  std::deque<Sample>& samples = seen.samples;
  const bool anew = !samples.empty() && (samples.back().connects > sample.connects ||
                                         samples.back().requests > sample.requests);
  if (anew) samples.clear();
  samples.push_back(sample);
  // The oldest that stays is what the window is counted from.
  while (samples.size() > 2 && samples[1].at_unix + window_seconds <= sample.at_unix) {
    samples.pop_front();
  }
}

std::optional<std::string> PassiveJudge::fault(const Seen& seen, const model::Passive& passive) {
  const Sample& first = seen.samples.front();
  const Sample& last = seen.samples.back();
  const std::uint64_t seconds = last.at_unix - first.at_unix;
  const std::uint64_t failed = last.failed_connects - first.failed_connects;
  const std::uint64_t connects = std::max(last.connects - first.connects, failed);
  if (is_too_many(failed, connects, passive)) {
    return fmt::format("{} of {} connections refused, unanswered or reset within {} s", failed,
                       connects, seconds);
  }
  const std::uint64_t errors = last.server_errors - first.server_errors;
  const std::uint64_t requests = std::max(last.requests - first.requests, errors);
  if (passive.server_errors && is_too_many(errors, requests, passive)) {
    return fmt::format("{} of {} responses were 5xx within {} s", errors, requests, seconds);
  }
  return std::nullopt;
}

std::vector<Ejection> PassiveJudge::look(const wire::CountersReply& counters,
                                         const Runtime& runtime, std::uint64_t now_unix) {
  std::vector<Ejection> ejections;
  std::map<std::string, std::size_t> fresh;  // ejected now, by service
  for (const wire::BackendCounters& entry : counters.backends()) {
    const Lookup known = runtime.find(entry.service(), entry.backend());
    if (!known.found || !entry.has_signals()) continue;
    const model::Service& service = *known.found->service;
    const model::Passive& passive = service.availability.passive;
    Seen& seen = seen_[Key(entry.service(), entry.backend())];
    note(seen, sample_of(entry, now_unix), passive.window_seconds);
    const BackendState& state = runtime.state(service, *known.found->backend);
    const bool serves = judgement_of(state).admission == model::Admission::kServing;
    const auto why = passive.enabled && serves ? fault(seen, passive) : std::nullopt;
    if (!why) {
      seen.withheld = false;
      continue;
    }
    const std::size_t ejected = runtime.state(service).ejected() + fresh[service.name] + 1;
    Ejection ejection{.service = entry.service(), .backend = entry.backend(), .text = *why};
    ejection.withheld =
        ejected * 100 > service.backends.size() * std::size_t{passive.max_ejected_percent};
    if (ejection.withheld) {
      if (!std::exchange(seen.withheld, true)) ejections.push_back(std::move(ejection));
      continue;
    }
    const bool in_a_row = now_unix <= seen.ejected_until_unix + passive.longest_seconds;
    seen.ejections = in_a_row ? seen.ejections + 1 : 1;
    const std::uint64_t lasts = std::min<std::uint64_t>(
        std::uint64_t{passive.ejection_seconds} * seen.ejections, passive.longest_seconds);
    seen.ejected_until_unix = now_unix + lasts;
    seen.samples.clear();
    seen.withheld = false;
    ++fresh[service.name];
    ejection.until_unix = seen.ejected_until_unix;
    ejection.ejections = seen.ejections;
    ejections.push_back(std::move(ejection));
  }
  return ejections;
}

}  // namespace hawser::control
