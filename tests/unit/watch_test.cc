// What hawserd notices of a dataplane that runs out of something.
#include "watch.h"

#include <gtest/gtest.h>

#include "problems.h"

namespace hawser::control {
namespace {

namespace wire = dataplane::v1;

wire::CountersReply counted(std::uint64_t exhausted, std::uint64_t full = 0) {
  wire::CountersReply counters;
  const auto add = [&](const char* name, std::uint64_t packets) {
    wire::NamedCounter& counter = *counters.add_verdicts();
    counter.set_name(name);
    counter.set_packets(packets);
  };
  add("no_service", 5 * exhausted);
  add("flow_table_full", full);
  add("nat_ports_exhausted", exhausted);
  return counters;
}

std::vector<std::string> rises(const Watch& watch) {
  std::vector<std::string> lines;
  for (const Rise& rise : watch.rises()) {
    lines.push_back(rise.counter + " " + std::to_string(rise.packets));
  }
  return lines;
}

TEST(Watch, TellsWhatRoseWithinTheLastMinute) {
  Watch watch;
  EXPECT_TRUE(watch.rises().empty());
  watch.note_counters(counted(100), 1000);  // before we looked: nobody knows when
  EXPECT_TRUE(watch.rises().empty());
  watch.note_counters(counted(103), 1010);
  EXPECT_EQ(rises(watch), std::vector<std::string>{"nat_ports_exhausted 3"});
  watch.note_counters(counted(103, 1), 1040);
  EXPECT_EQ(rises(watch), (std::vector<std::string>{"nat_ports_exhausted 3", "flow_table_full 1"}));
  watch.note_counters(counted(103, 1), 1069);
  EXPECT_EQ(rises(watch).size(), 2U);
  watch.note_counters(counted(103, 1), 1070);
  EXPECT_EQ(rises(watch), std::vector<std::string>{"flow_table_full 1"});
  watch.note_counters(counted(103, 1), 1100);
  EXPECT_TRUE(watch.rises().empty());
}

TEST(Watch, ManyLooksInOneSecondCountOnce) {
  Watch watch;
  for (std::uint64_t i = 0; i <= 100; ++i) watch.note_counters(counted(i), 1000);
  EXPECT_EQ(rises(watch), std::vector<std::string>{"nat_ports_exhausted 100"});
}

TEST(Watch, ARestartedDataplaneCountsAnew) {
  Watch watch;
  watch.note_counters(counted(100), 1000);
  watch.note_counters(counted(2), 1010);
  EXPECT_TRUE(watch.rises().empty());
  watch.note_counters(counted(3), 1020);
  EXPECT_EQ(rises(watch), std::vector<std::string>{"nat_ports_exhausted 1"});
}

wire::StatusReply status_with(std::uint64_t nat_ports, std::uint64_t flows = 0) {
  wire::StatusReply status;
  for (std::uint32_t id = 0; id < 2; ++id) {
    wire::WorkerStatus& worker = *status.add_workers();
    worker.set_id(id);
    worker.set_nat_ports_total(1000);
    worker.set_nat_ports_used(id == 1 ? nat_ports : 0);
    worker.set_capacity_ipv4(1000);
    worker.set_flows_ipv4(id == 1 ? flows : 0);
  }
  return status;
}

TEST(Watch, WarnsOnceWhenNatPortsRunOutAndOnceWhenTheyAreBack) {
  Watch watch;
  EXPECT_TRUE(watch.note_status(status_with(800)).empty());
  EXPECT_EQ(watch.note_status(status_with(801)),
            std::vector<std::string>{"worker 1: 801 of 1000 NAT ports are used; add nat_addresses "
                                     "to the [[port]] towards the backends, or shorten timeouts"});
  for (const std::uint64_t used : {900U, 750U, 850U, 700U}) {
    EXPECT_TRUE(watch.note_status(status_with(used)).empty()) << used;
  }
  EXPECT_EQ(
      watch.note_status(status_with(699)),
      std::vector<std::string>{"worker 1: 699 of 1000 NAT ports are used, enough are free again"});
  EXPECT_TRUE(watch.note_status(status_with(750)).empty());
  EXPECT_EQ(watch.note_status(status_with(950)).size(), 1U);
}

std::vector<std::string> problems(const wire::StatusReply& status, const std::vector<Rise>& rises) {
  View view{.runtime = Runtime({}, {}, 0), .dataplane = {}};
  view.dataplane.connected = true;
  std::vector<std::string> lines;
  for (const Problem& problem : find_problems(view, status, fail("no answer"), rises, 0)) {
    lines.push_back(std::string(to_string(problem.severity)) + ": " + problem.message);
  }
  return lines;
}

TEST(Problems, NameWhatIsNearlyUsedUpAndWhatToDo) {
  EXPECT_TRUE(problems(status_with(800, 900), {}).empty());
  EXPECT_EQ(problems(status_with(801, 901), {}),
            (std::vector<std::string>{
                "warning: worker 1: IPv4 flow entries are 90 % used (901 of 1000); raise "
                "flows_ipv4 in [dataplane] or shorten timeouts",
                "warning: worker 1: NAT ports are 80 % used (801 of 1000); add nat_addresses to a "
                "[[port]] or shorten timeouts"}));
}

TEST(Problems, NameDropsThatRise) {
  Watch watch;
  watch.note_counters(counted(1), 1000);
  watch.note_counters(counted(3), 1001);
  EXPECT_EQ(problems({}, watch.rises()),
            std::vector<std::string>{
                "warning: nat_ports_exhausted rose by 2 within the last minute: add nat_addresses "
                "to the [[port]] towards the backends"});
}

}  // namespace
}  // namespace hawser::control
