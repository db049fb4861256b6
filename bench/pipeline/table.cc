// The sub-command table: a service's table, built and changed: time, slots that move, balance.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <stdexcept>

#include "command_options.h"
#include "commands.h"
#include "hawser/hash/flow_hash.h"
#include "hawser/table/maglev.h"
#include "statistics.h"

namespace hawser::bench {
namespace {

using table::Maglev;
using table::Member;
using Members = std::vector<Member>;

struct Options {
  std::vector<std::size_t> backends{100, 1000};
  std::vector<std::uint32_t> slots{limits::kTableSlots, limits::kLargeTableSlots};
};

Members members(std::size_t count) {
  Members all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back({.identity = hash::name_hash("b" + std::to_string(i), 1), .weight = 100});
  }
  return all;
}

// What happens to a service.
struct Change {
  const char* name;
  void (*apply)(Members&);
};
constexpr std::array<Change, 4> kChanges{{
    {"one leaves", [](Members& all) { all.erase(all.begin() + 7); }},
    {"one joins",
     [](Members& all) { all.push_back({.identity = hash::name_hash("new", 1), .weight = 100}); }},
    {"one at half weight", [](Members& all) { all[7].weight /= 2; }},
    {"one in ten leaves",
     [](Members& all) {
       all.erase(all.begin(), all.begin() + static_cast<long>(all.size() / 10));
     }},
}};

// Slots that each is due, whole and parts.
std::map<std::uint64_t, double> shares(std::span<const Member> all, std::uint32_t slots) {
  double total = 0;
  for (const Member& member : all) total += member.weight;
  std::map<std::uint64_t, double> result;
  for (const Member& member : all) result[member.identity] = slots * member.weight / total;
  return result;
}

// The fewest slots that any table within one slot of the shares must have another owner in: what
// members have too much, or what others lack, whichever is more.
std::uint32_t unavoidable_moves(const Maglev& before, std::span<const Member> after) {
  std::map<std::uint64_t, double> due = shares(after, before.slots());
  const std::vector<std::uint32_t> held = before.counts();
  double surplus = 0;
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto share = due.find(before.members()[i].identity);
    const double most = share == due.end() ? 0 : std::ceil(share->second);
    surplus += std::max(0.0, held[i] - most);
    if (share != due.end()) share->second -= held[i];
  }
  double lack = 0;
  for (const auto& [identity, missing] : due) lack += std::max(0.0, std::floor(missing));
  return static_cast<std::uint32_t>(std::max(surplus, lack));
}

// What the smallest and the largest member have of what they are due.
struct Balance {
  double smallest = 1e9;
  double largest = 0;
};
Balance balance_of(const Maglev& table) {
  const std::map<std::uint64_t, double> due = shares(table.members(), table.slots());
  const std::vector<std::uint32_t> held = table.counts();
  Balance balance;
  for (std::size_t i = 0; i < held.size(); ++i) {
    const double share = due.at(table.members()[i].identity);
    balance.smallest = std::min(balance.smallest, held[i] / share);
    balance.largest = std::max(balance.largest, held[i] / share);
    if (std::abs(held[i] - share) >= 1) {
      throw std::runtime_error("a member is a slot away from its share; nothing is reported");
    }
  }
  return balance;
}

// Milliseconds of `make`, which returns a table.
template <typename Make>
Summary time_of(unsigned repeats, Make&& make) {
  std::vector<double> times;
  for (unsigned i = 0; i < repeats; ++i) {
    const double start = thread_nanoseconds();
    const std::shared_ptr<const Maglev> table = make();
    times.push_back((thread_nanoseconds() - start) / 1e6);
  }
  return summarize(times);
}

Row row_of(const char* operation, const Maglev& table, const Summary& time) {
  const Balance balance = balance_of(table);
  Row row;
  row.text("bench", "table").text("operation", operation);
  row.count("backends", table.members().size()).count("slots", table.slots());
  row.number("ms", time.median, 3).number("min", time.min, 3).number("max", time.max, 3);
  row.number("smallest_share", balance.smallest, 4).number("largest_share", balance.largest, 4);
  return row;
}

void run(std::size_t backends, std::uint32_t slots, unsigned repeats, Report& report) {
  const Members all = members(backends);
  const std::shared_ptr<const Maglev> before = Maglev::build(all, slots);
  report.add(row_of("build", *before, time_of(repeats, [&] { return Maglev::build(all, slots); })));
  for (const Change& change : kChanges) {
    Members after = all;
    change.apply(after);
    const std::shared_ptr<const Maglev> table = Maglev::update(*before, after);
    Row row = row_of(change.name, *table,
                     time_of(repeats, [&] { return Maglev::update(*before, after); }));
    const std::uint32_t least = unavoidable_moves(*before, after);
    const std::uint32_t moved = table->moved_from(*before);
    row.count("moved", moved).count("unavoidable", least);
    row.number("moved_ratio", static_cast<double>(moved) / least, 3);
    row.count("moved_by_build", Maglev::build(after, slots)->moved_from(*before));
    report.add(std::move(row));
  }
}

}  // namespace

Command add_table(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--backends", options->backends, "of the service, several with commas between")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{10}, std::size_t{limits::kMaxBackendsPerService}))
      ->capture_default_str();
  app.add_option("--slots", options->slots, "of its table, likewise; the product has these two")
      ->delimiter(',')
      ->check(CLI::IsMember({limits::kTableSlots, limits::kLargeTableSlots}))
      ->capture_default_str();
  return [options](const Common& common, Report& report) {
    for (const std::size_t backends : options->backends) {
      for (const std::uint32_t slots : options->slots) {
        run(backends, slots, common.repeats, report);
      }
    }
  };
}

}  // namespace hawser::bench
