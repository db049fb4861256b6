// The sub-command flows: what the flow table itself takes, up to tens of millions of flows.
#include <array>
#include <stdexcept>
#include <string>

#include "command_options.h"
#include "commands.h"
#include "rig.h"

namespace hawser::bench {
namespace {

struct Options {
  unsigned family = 4;
  std::vector<std::size_t> flows{1'000'000, 10'000'000};
};

// One repeat, nanoseconds a flow each.
struct Times {
  std::size_t stored = 0;  // flows for which there was room
  double insert = 0;
  double hit = 0;
  double miss = 0;
  double expire = 0;
};

// The table of a rig's worker, used a burst at a time as the pipeline does: hash and prefetch all,
// then do what is to be done with all.
template <typename Table, typename Tuple>
class TableBench {
 public:
  using Key = typename Table::Key;

  TableBench(Rig& rig, Table& table, std::size_t flows)
      : rig_(rig), table_(table), flows_(flows), service_(rig.snapshot().services.at(1)) {
    end_ = load<typename Table::Address>(service_.address.bytes.data());
    const net::IpAddress client = rig.from_client(0).source;
    client_ = load<typename Table::Address>(client.bytes.data());
  }

  [[nodiscard]] Times measure() {
    const double keys = all<false>(0, [](const Key& key, std::uint64_t hash) { keep(key, hash); });
    std::size_t done = 0;
    const table::FlowMeta meta(rig_.pace().coarse(), l4::FlowState::kEstablished, BackendId(1),
                               table::FlowMeta::kNoNat);
    Times times;
    times.insert = all<true>(0, [&](const Key& key, std::uint64_t hash) {
      done += table_.insert(key, hash, meta) != nullptr ? 1 : 0;
    });
    // A few find both of their buckets full; the pipeline forwards such flows by the table alone.
    constexpr std::size_t kOneIn = 10'000;
    if (done + flows_ / kOneIn < flows_) require("inserted", done, flows_);
    const std::size_t stored = times.stored = done;
    // The sweep takes them off again.
    rig_.worker().backends[1].flows.add(stored);
    rig_.worker().service_flows[1].add(stored);
    done = 0;
    times.hit = all<true>(0, [&](const Key& key, std::uint64_t hash) {
      done += table_.find(key, hash) != nullptr ? 1 : 0;
    });
    require("found", done, stored);
    done = 0;
    times.miss =
        all<true>(static_cast<std::uint32_t>(flows_), [&](const Key& key, std::uint64_t hash) {
          done += table_.find(key, hash) == nullptr ? 1 : 0;
        });
    require("not found, as they should be", done, flows_);
    for (double* each : {&times.insert, &times.hit, &times.miss}) {
      *each = (*each - keys) / static_cast<double>(flows_);
    }
    const double start = thread_nanoseconds();
    rig_.expire_all();
    times.expire = (thread_nanoseconds() - start) / static_cast<double>(flows_);
    return times;
  }

 private:
  static void keep(const Key& key, std::uint64_t hash) noexcept {
    asm volatile("" : : "r"(&key), "r"(hash) : "memory");
  }
  void require(const char* what, std::size_t seen, std::size_t wanted) const {
    if (seen == wanted) return;
    throw std::runtime_error(std::to_string(seen) + " of " + std::to_string(wanted) +
                             " flows were " + what + "; nothing is reported");
  }

  // Nanoseconds for doing it with all flows from the `first` client on.
  template <bool kPrefetch, typename Do>
  [[nodiscard]] double all(std::uint32_t first, Do&& act) {
    std::array<Key, limits::kBurst> keys;
    std::array<std::uint64_t, limits::kBurst> hashes;
    const double start = thread_nanoseconds();
    for (std::size_t at = 0; at < flows_; at += limits::kBurst) {
      const std::size_t size = std::min(limits::kBurst, flows_ - at);
      for (std::size_t i = 0; i < size; ++i) {
        keys[i] = key_of(first + static_cast<std::uint32_t>(at + i));
        hashes[i] = hash_of(keys[i]);
        if constexpr (kPrefetch) table_.prefetch(hashes[i]);
      }
      for (std::size_t i = 0; i < size; ++i) act(keys[i], hashes[i]);
    }
    return thread_nanoseconds() - start;
  }

  [[nodiscard]] Key key_of(std::uint32_t n) const noexcept {
    const End end = client_of(n);
    Key key{
        .client = client_, .client_port = net::Big16::from_raw(end.port), .service = ServiceId(1)};
    auto* const bytes = reinterpret_cast<std::uint8_t*>(&key.client);
    store(bytes + sizeof(key.client) - 4, end.address);
    return key;
  }
  [[nodiscard]] std::uint64_t hash_of(const Key& key) const noexcept {
    return rig_.snapshot().flow_hash(Tuple{.source = key.client,
                                           .destination = end_,
                                           .source_port = key.client_port,
                                           .destination_port = service_.port,
                                           .protocol = service_.protocol});
  }

  Rig& rig_;
  Table& table_;
  std::size_t flows_;
  const pipeline::ServiceEntry& service_;
  typename Table::Address end_;
  typename Table::Address client_;
};

Times measure(Rig& rig, unsigned family, std::size_t flows) {
  if (family == 4) {
    return TableBench<pipeline::Ipv4Flows, hash::Ipv4Tuple>(rig, rig.worker().ipv4, flows)
        .measure();
  }
  return TableBench<pipeline::Ipv6Flows, hash::Ipv6Tuple>(rig, rig.worker().ipv6, flows).measure();
}

void report_rates(const Options& options, std::size_t flows, unsigned repeats, Report& report) {
  Rig rig({.forward = model::Forward::kDsrIpip,
           .family = options.family == 4 ? net::Family::kIpv4 : net::Family::kIpv6,
           .capacity = flows});
  std::vector<Times> all;
  for (unsigned i = 0; i < repeats; ++i) all.push_back(measure(rig, options.family, flows));
  struct Operation {
    const char* name;
    double Times::*time;
  };
  constexpr std::array<Operation, 4> kOperations{{{"insert", &Times::insert},
                                                  {"hit", &Times::hit},
                                                  {"miss", &Times::miss},
                                                  {"expire", &Times::expire}}};
  for (const Operation& operation : kOperations) {
    std::vector<double> values;
    for (const Times& times : all) values.push_back(times.*operation.time);
    const Summary summary = summarize(values);
    Row row;
    row.text("bench", "flows").count("family", options.family).count("flows", flows);
    row.count("stored", all.back().stored).count("capacity", rig.capacity());
    row.text("operation", operation.name);
    row.number("ns_per_flow", summary.median, 2).number("min", summary.min, 2);
    row.number("max", summary.max, 2).number("per_second", 1e9 / summary.median, 0);
    row.text("pages", HugeMemory::all_huge() ? "huge" : "as they came");
    report.add(row);
  }
}

void report_memory(Report& report) {
  constexpr std::size_t kIpv4 = sizeof(table::Ipv4Flow);
  constexpr std::size_t kIpv6 = sizeof(table::Ipv6Flow);
  constexpr std::size_t kNat = sizeof(table::NatRecord);
  struct Kind {
    const char* name;
    std::size_t bytes;
  };
  constexpr std::array<Kind, 6> kKinds{{{"ipv4 entry", kIpv4},
                                        {"ipv6 entry", kIpv6},
                                        {"ipv4 nat: entry and record", kIpv4 + kNat},
                                        {"ipv6 nat: entry and record", kIpv6 + kNat},
                                        {"spliced connection", sizeof(pipeline::Connection)},
                                        {"its exchange of HTTP", sizeof(pipeline::Exchange)}}};
  for (const Kind& kind : kKinds) {
    Row row;
    row.text("bench", "flows-memory").text("what", kind.name).count("bytes", kind.bytes);
    report.add(row);
  }
}

}  // namespace

Command add_flows(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_family(app, options->family);
  app.add_option("--flows", options->flows, "flows in the table, several with commas between")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{1}, std::size_t{limits::kMaxFlowsPerWorker}))
      ->capture_default_str();
  return [options](const Common& common, Report& report) {
    for (const std::size_t flows : options->flows) {
      report_rates(*options, flows, common.repeats, report);
    }
    report_memory(report);
  };
}

}  // namespace hawser::bench
