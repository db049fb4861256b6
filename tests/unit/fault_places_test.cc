// Every fault of a configuration has a place in its text, whatever the fault: a whole file is
// spoiled in thousands of ways, and each diagnostic must lead somewhere.
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "hawser/model/configuration.h"

namespace hawser::model {
namespace {

// Has every kind of table, each as a header and as an inline value somewhere.
constexpr std::string_view kWhole = R"([dataplane]
main_core = 2
workers = [3, 4]
idle = "poll"
flows_ipv4 = 4_000_000
mbufs = 100_000
socket = "/run/hawser/dataplane.sock"
socket_group = "hawser"
eal = ["--no-telemetry"]

[control]
socket = "/run/hawser/hawserd.sock"
state_directory = "/var/lib/hawser"

[[port]]
name = "uplink"
device = "0000:3b:00.0"
tap = "hawser0"
vlan = 100
mtu = 1500
addresses = ["10.0.0.2/24", "fd00::2/64"]
gateways = ["10.0.0.1", "fd00::1"]
nat_addresses = ["10.0.0.3", "fd00::3"]

[[prefix_list]]
name = "blocked"
prefixes = ["198.51.100.0/24"]
file = "/lists/blocked"

[[service]]
name = "web"
address = "10.0.0.100"
port = 80
protocol = "tcp"
forward = "nat"
on_down = "reset"
client_address = "proxy-v2"
affinity = { by = "source", ipv4_prefix = 32 }
bounded_load = 0.25
max_flows = 1000
new_flow_rate = 100
source_rate = { per_second = 100, burst = 500 }
deny = ["blocked"]
timeouts = { established = "15m", handshake = "1m" }
check = { type = "http", path = "/", status = [200, 299], interval = "2s" }
table_slots = 65537

[[service.backend]]
name = "b1"
address = "10.0.0.11"
port = 8080
weight = 50

[[service]]
name = "shop"
address = "10.0.0.101"
port = 80
protocol = "http"
forward = "splice"
head_timeout = "10s"
h2c = "refuse"
error_body = "sorry"
[service.affinity]
by = "cookie"
cookie.name = "hawser"
cookie.idle = "1h"
cookie.max = "8h"
[service.check]
type = "tcp"
rise = 2

[[service.backend]]
name = "b1"
address = "10.0.0.12"
port = 8080
generation = "blue"

[[service.rule]]
name = "admin"
path = { prefix = "/admin" }
method = ["GET", "POST"]
header = [{ name = "X-Version", exact = "2" }]
rate = { per_second = 10 }
generation = "blue"

[[service.rule]]
name = "old"
host = "old.example.com"
redirect = { status = 301, location = "https://$host$target" }

[[service]]
name = "quic"
address = "10.0.0.102"
port = 443
protocol = "udp"
forward = "dsr-gue"
gue_port = 6080
affinity = { by = "quic-cid" }
quic = { config_id = 0, server_id_length = 2, nonce_length = 8 }
backend = [ { name = "q1", address = "10.0.0.13", port = 443, quic_server_id = "0001" } ]
)";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

ParsedConfiguration parse(const std::string& text) {
  return parse_configuration(text, "f", [](const std::string&) -> Result<std::string> {
    return std::string("192.0.2.0/24\n");
  });
}

// How many diagnostics there were; each must have a place in the text and say something.
std::size_t expect_places(const std::string& text, const std::string& what) {
  const std::vector<std::string> lines = lines_of(text);
  const ParsedConfiguration parsed = parse(text);
  for (const Diagnostic& diagnostic : parsed.diagnostics) {
    const std::string shown = what + ": " + diagnostic.to_string();
    EXPECT_FALSE(diagnostic.message.empty()) << shown;
    EXPECT_GE(diagnostic.column, 1U) << shown;
    // What is missing at the end is missed behind the last line.
    const bool inside = diagnostic.line >= 1 && diagnostic.line <= lines.size() + 1;
    EXPECT_TRUE(inside) << shown;
    if (!inside || diagnostic.line > lines.size()) continue;
    EXPECT_LE(diagnostic.column, lines[diagnostic.line - 1].size() + 1) << shown;
  }
  return parsed.diagnostics.size();
}

TEST(FaultPlaces, TheWholeFileIsGood) {
  for (const Diagnostic& diagnostic : parse(std::string(kWhole)).diagnostics) {
    ADD_FAILURE() << diagnostic.to_string();
  }
}

TEST(FaultPlaces, ALineLessOrTwice) {
  const std::vector<std::string> lines = lines_of(kWhole);
  std::size_t faults = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::string> less = lines;
    less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
    faults += expect_places(text_of(less), "without " + lines[i]);
    std::vector<std::string> twice = lines;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    faults += expect_places(text_of(twice), "twice " + lines[i]);
  }
  EXPECT_GT(faults, lines.size());
}

TEST(FaultPlaces, EveryValueReplacedByEveryOther) {
  constexpr std::array<std::string_view, 18> kValues{"true",       "-1",         "0",
                                                     "7",          "1.5",        "99999999999",
                                                     "\"\"",       "\"x y\"",    "\"10.0.0.2\"",
                                                     "\"b1\"",     "[]",         "[[1]]",
                                                     "[1, \"a\"]", "{}",         "{ strange = 1 }",
                                                     "[{}]",       "2020-01-01", ""};
  const std::vector<std::string> lines = lines_of(kWhole);
  std::size_t faults = 0;
  std::size_t values = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t equals = lines[i].find(" = ");
    if (equals == std::string::npos || lines[i].front() == '[') continue;
    ++values;
    const std::string key = lines[i].substr(0, equals);
    std::vector<std::string> spoiled = lines;
    for (const std::string_view value : kValues) {
      spoiled[i] = key + " = " + std::string(value);
      faults += expect_places(text_of(spoiled), spoiled[i]);
    }
    spoiled[i] = key + "x" + lines[i].substr(equals);
    EXPECT_GE(expect_places(text_of(spoiled), spoiled[i]), 1U) << spoiled[i];
  }
  EXPECT_GT(values, 60U);
  EXPECT_GT(faults, 10 * values);
}

TEST(FaultPlaces, TheTextEndsAnywhere) {
  std::size_t faults = 0;
  for (std::size_t size = 1; size < kWhole.size(); ++size) {
    faults += expect_places(std::string(kWhole.substr(0, size)),
                            "the first " + std::to_string(size) + " bytes");
  }
  EXPECT_GT(faults, kWhole.size() / 2);
}

TEST(FaultPlaces, BytesThatAreNoText) {
  for (const std::string& text :
       {std::string("\xff\xfe"), std::string("\0", 1), std::string("a = \"\xc3"), std::string("\n"),
        std::string("\xef\xbb\xbf"), std::string("["), std::string("[["), std::string("a.b.c")}) {
    EXPECT_GE(expect_places(text, "bytes"), 1U);
  }
}

// Tables that dotted keys and headers of their children imply have no header of their own.
TEST(FaultPlaces, TablesThatNobodyWroteDown) {
  for (const char* text :
       {"dataplane.main_core = 1\n", "port.name = \"x\"\n", "[service.backend]\nname = \"b\"\n",
        "[[service.backend]]\nname = \"b\"\n", "[service.affinity.cookie]\nname = \"c\"\n",
        "control.socket.path = 1\n", "service = [{ check.type = \"udp\" }]\n",
        "service = [{ backend = [{ address.v4 = 1 }] }]\n"}) {
    EXPECT_GE(expect_places(text, text), 1U);
  }
}

// What is missing is told at the header of the table that lacks it.
TEST(FaultPlaces, AMissingKeyLeadsToTheHeader) {
  constexpr std::array<std::string_view, 13> kRequired{"name = \"uplink\"",
                                                       "device = ",
                                                       "addresses = [",
                                                       "name = \"blocked\"",
                                                       "name = \"web\"",
                                                       "port = 80",
                                                       "address = \"10.0.0.100\"",
                                                       "name = \"b1\"",
                                                       "address = \"10.0.0.11\"",
                                                       "port = 8080",
                                                       "name = \"admin\"",
                                                       "name = \"old\"",
                                                       "address = \"10.0.0.12\""};
  const std::vector<std::string> lines = lines_of(kWhole);
  for (const std::string_view key : kRequired) {
    std::size_t at = 0;
    while (at < lines.size() && !lines[at].starts_with(key)) ++at;
    ASSERT_LT(at, lines.size()) << key;
    std::size_t header = at;
    while (!lines[header].starts_with("[[")) --header;
    std::vector<std::string> less = lines;
    less.erase(less.begin() + static_cast<std::ptrdiff_t>(at));
    bool told = false;
    for (const Diagnostic& diagnostic : parse(text_of(less)).diagnostics) {
      const bool missing = diagnostic.message.find(" is missing; write ") != std::string::npos;
      told = told || (missing && diagnostic.line == header + 1 && diagnostic.column == 1);
    }
    EXPECT_TRUE(told) << key;
  }
}

}  // namespace
}  // namespace hawser::model
