// The configuration file: tunnels, client addresses, limits, prefix lists, QUIC and VLANs.
#include "configuration_rows.h"

namespace hawser::model {
namespace {

constexpr const char* kDirect = R"([[service.backend]]
name = "b1"
address = "10.0.0.11"
port = 80
)";
constexpr const char* kQuicBackend = R"(quic = { server_id_length = 3, nonce_length = 4 }
[[service.backend]]
name = "b1"
address = "10.0.0.11"
port = 80
)";

// Long lines are broken into adjacent literals on purpose.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
const std::vector<ConfigurationRow> kRows{
    {"every limit and both lists at once are good",
     std::string(kPort) + R"([[prefix_list]]
name = "friends"
prefixes = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]
[[prefix_list]]
name = "foes"
prefixes = []
)" + kService +
         R"(client_address = "proxy-v2"
bounded_load = 1.5
max_flows = 100_000
new_flow_rate = 20_000
source_rate = { per_second = 50, burst = 100, ipv4_prefix = 24, ipv6_prefix = 56 }
allow = ["friends"]
deny = ["foes"]
)" + kBackend,
     {}},
    {"both tunnels are good, also over gateways and to the other family",
     std::string(kPort) + kService + R"(forward = "dsr-gue"
gue_port = 6081
)" + kDirect +
         R"([[service.backend]]
name = "b2"
address = "fd00::12"
port = 80
[[service]]
name = "six"
address = "fd00::100"
port = 80
forward = "dsr-ipip"
[[service.backend]]
name = "b1"
address = "10.9.0.11"
port = 80
)",
     {}},
    {"a tunnel leaves the port as it is",
     std::string(kPort) + kService + R"(forward = "dsr-ipip"
)" + kBackend,
     {"15:8: service \"web\", backend \"b1\": port 8080 differs from the service's 80; forward "
      "\"dsr-ipip\" leaves the port as it is"}},
    {"a tunnel's packets need a source of the backend's family",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
addresses = ["10.0.0.2/24"]
gateways = ["fe80::1"]
)") + kService +
         R"(forward = "dsr-ipip"
[[service.backend]]
name = "b1"
address = "fd09::11"
port = 80
)",
     {"13:11: service \"web\", backend \"b1\": address fd09::11 is reached over port \"uplink\", "
      "which has no IPv6 address to send a tunnel's packets from; add one to addresses"}},
    {"a tunnel has room for the smallest packet that IPv6 may always send",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
mtu = 1327
addresses = ["fd00::2/64"]
[[service]]
name = "web"
address = "fd00::100"
port = 80
forward = "dsr-gue"
[[service.backend]]
name = "b1"
address = "fd00::11"
port = 80
)"),
     {"13:11: service \"web\", backend \"b1\": address fd00::11 is reached over port \"uplink\", "
      "which has mtu 1327; an IPv6 packet of 1280 bytes, which needs no leave to be sent, and the "
      "tunnel's headers need 1328"}},
    {"nat sends from the port that leads to the backend",
     std::string(kPort) + R"([[port]]
name = "lan"
device = "0000:3b:00.1"
addresses = ["10.1.0.2/24"]
)" + kService +
         R"([[service.backend]]
name = "b1"
address = "10.1.0.11"
port = 80
)",
     {"17:11: service \"web\", backend \"b1\": address 10.1.0.11 is reached over port \"lan\", "
      "which has no IPv4 address among nat_addresses; add one"}},
    {"a gue_port without gue, and one out of range",
     std::string(kPort) + kService + R"(gue_port = 6080
)" + kBackend +
         R"([[service]]
name = "api"
address = "10.0.0.101"
port = 80
forward = "dsr-gue"
gue_port = 0
)" + kDirect,
     {"11:12: service \"web\": gue_port has no effect with forward \"nat\"; write forward = "
      "\"dsr-gue\" or remove it",
      "21:12: service \"api\": gue_port is 0, must be 1 to 65535"}},
    {"a client address where the backend sees it anyway, over udp, and a word that is none",
     std::string(kPort) + kService + R"(forward = "dsr-l2"
client_address = "toa"
)" + kDirect +
         R"([[service]]
name = "dns"
address = "10.0.0.101"
port = 80
protocol = "udp"
client_address = "proxy-v2"
)" + kDirect +
         R"([[service]]
name = "api"
address = "10.0.0.102"
port = 80
client_address = "proxy"
)" + kDirect,
     {"12:18: service \"web\": client_address \"toa\" needs forward \"nat\"; with \"dsr-l2\" the "
      "backend sees the client's own address",
      "22:18: service \"dns\": client_address \"proxy-v2\" needs protocol \"tcp\"",
      "31:18: service \"api\": client_address \"proxy\" must be \"none\", \"toa\", "
      "\"proxy-v2\" or \"x-forwarded-for\""}},
    {"a bounded load out of range, too fine, of the wrong type and no number",
     std::string(kPort) + kService + "bounded_load = 10.5\n" + kBackend + R"([[service]]
name = "fine"
address = "10.0.0.101"
port = 80
bounded_load = 0.0005
)" + kBackend +
         R"([[service]]
name = "word"
address = "10.0.0.102"
port = 80
bounded_load = "25%"
)" + kBackend +
         R"([[service]]
name = "nan"
address = "10.0.0.103"
port = 80
bounded_load = nan
)" + kBackend,
     {"11:16: service \"web\": bounded_load is 10.5, must be 0 to 10",
      "20:16: service \"fine\": bounded_load is 0.0005, must have at most three decimals",
      "29:16: service \"word\": bounded_load must be a number, is a string",
      "38:16: service \"nan\": bounded_load is nan, must be 0 to 10"}},
    {"limits out of range and a source rate without a rate",
     std::string(kPort) + kService + R"(max_flows = -1
new_flow_rate = 1_000_000_001
source_rate = { burst = 0, ipv4_prefix = 33, ipv6_prefix = 0, per = 3 }
)" + kBackend,
     {"11:13: service \"web\": max_flows is -1, must be 0 to 17179869184",
      "12:17: service \"web\": new_flow_rate is 1000000001, must be 0 to 1000000000",
      "13:15: service \"web\", source_rate: per_second is missing; write per_second = 100",
      "13:25: service \"web\", source_rate: burst is 0, must be 1 to 4294967",
      "13:42: service \"web\", source_rate: ipv4_prefix is 33, must be 1 to 32",
      "13:60: service \"web\", source_rate: ipv6_prefix is 0, must be 1 to 128",
      "13:63: service \"web\", source_rate: unknown key \"per\"; known here: per_second, burst, "
      "ipv4_prefix, ipv6_prefix"}},
    {"lists that are not there, twice, or let nobody in",
     std::string(kPort) + R"([[prefix_list]]
name = "empty"
prefixes = []
)" + kService +
         R"(allow = ["emtpy"]
deny = ["bogons", "empty", "empty"]
)" + kBackend +
         R"([[service]]
name = "api"
address = "10.0.0.101"
port = 80
allow = ["empty"]
)" + kBackend,
     {"14:10: service \"web\": allow: there is no prefix list \"emtpy\" (did you mean \"empty\"?)",
      "15:9: service \"web\": deny: there is no prefix list \"bogons\"; add a [[prefix_list]]",
      "15:28: service \"web\": deny: the list \"empty\" is named twice in allow and deny",
      "24:9: service \"api\": the lists of allow are empty, so nobody could use the service"}},
    {"prefix lists with faults",
     std::string(kPort) + R"([[prefix_list]]
name = "a"
[[prefix_list]]
name = "a"
prefixes = ["192.0.2.0/33", "example.com", 5]
[[prefix_list]]
name = "b"
file = "list.txt"
)",
     {"7:1: prefix list \"a\": has no prefixes; write prefixes = [\"192.0.2.0/24\"] or file = "
      "\"/etc/hawser/list\"",
      "10:8: prefix list \"a\": the name is already used at line 8; names are unique",
      "11:13: prefix list \"a\": prefixes: \"192.0.2.0/33\" is no network; write it like "
      "192.0.2.0/24, 2001:db8::/32 or, for one address, 192.0.2.7",
      "11:29: prefix list \"a\": prefixes: \"example.com\" is no network; write it like "
      "192.0.2.0/24, 2001:db8::/32 or, for one address, 192.0.2.7",
      "11:44: prefix list \"a\": an entry of prefixes must be a string, is a whole number",
      "14:8: prefix list \"b\": file is \"list.txt\", must be an absolute path"}},
    {"quic by connection ID, some backends without an id, is good",
     std::string(kPort) + kService + R"(protocol = "udp"
affinity = { by = "quic-cid" }
quic = { config_id = 6, server_id_length = 8, nonce_length = 8, key = "00112233445566778899aabbCCDDEEFF" }
[[service.backend]]
name = "b1"
address = "10.0.0.11"
port = 80
quic_server_id = "0011223344556677"
[[service.backend]]
name = "b2"
address = "10.0.0.12"
port = 80
)",
     {}},
    {"quic for tcp, and without a layout",
     std::string(kPort) + kService + R"(affinity = { by = "quic-cid" }
)" + kQuicBackend +
         R"([[service]]
name = "h3"
address = "10.0.0.101"
port = 443
protocol = "udp"
affinity = { by = "quic-cid" }
)" + kBackend,
     {"11:19: service \"web\": affinity by \"quic-cid\" needs protocol \"udp\", which carries QUIC",
      "22:19: service \"h3\": affinity by \"quic-cid\" needs the layout of connection IDs; write "
      "quic = { config_id = 0, server_id_length = 8, nonce_length = 8 }"}},
    {"quic keys without affinity by connection ID",
     std::string(kPort) + kService + kQuicBackend + R"(quic_server_id = "0102"
)",
     {"11:8: service \"web\": quic has no effect without affinity by \"quic-cid\"; write affinity "
      "= { by = \"quic-cid\" } or remove it",
      "16:18: service \"web\": quic_server_id has no effect without affinity by \"quic-cid\"; "
      "write affinity = { by = \"quic-cid\" } or remove it"}},
    {"quic that leads nowhere, and a layout that does not fit",
     std::string(kPort) + kService + R"(protocol = "udp"
affinity = { by = "quic-cid" }
quic = { config_id = 7, server_id_length = 15, nonce_length = 18, key = "0011" }
)" + kDirect,
     {"12:19: service \"web\": affinity by \"quic-cid\" leads nowhere: no backend has a "
      "quic_server_id",
      "13:22: service \"web\", quic: config_id is 7, must be 0 to 6",
      "13:63: service \"web\": quic: server_id_length and nonce_length are 33 together, must be at "
      "most 19",
      "13:73: service \"web\": quic: key has 4 hexadecimal digits, must have 32"}},
    {"server ids: wrong length, twice, no digits",
     std::string(kPort) + kService + R"(protocol = "udp"
affinity = { by = "quic-cid" }
)" + kQuicBackend +
         R"(quic_server_id = "010203"
[[service.backend]]
name = "b2"
address = "10.0.0.12"
port = 80
quic_server_id = "01020304"
[[service.backend]]
name = "b3"
address = "10.0.0.13"
port = 80
quic_server_id = "010203"
[[service.backend]]
name = "b4"
address = "10.0.0.14"
port = 80
quic_server_id = "0x0102"
)",
     {"23:18: service \"web\": backend \"b2\": quic_server_id has 4 bytes, must have 3 as "
      "quic.server_id_length says",
      "28:18: service \"web\": backend \"b3\": quic_server_id is already that of backend \"b1\" "
      "(line 18)",
      "33:18: service \"web\", backend \"b4\": quic_server_id: character 2 is no hexadecimal "
      "digit; write two of 0-9 and a-f for each byte, nothing else"}},
    {"ports share a device by their VLANs, one of them untagged",
     std::string(kPort) + R"([[port]]
name = "blue"
device = "0000:3b:00.0"
vlan = 4094
addresses = ["10.1.0.2/24"]
[[port]]
name = "green"
device = "0000:3b:00.0"
vlan = 1
mtu = 9000
addresses = ["10.2.0.2/24"]
)",
     {}},
    {"a VLAN twice on a device, and one that is none",
     std::string(R"([[port]]
name = "blue"
device = "0000:3b:00.0"
vlan = 7
addresses = ["10.1.0.2/24"]
[[port]]
name = "green"
device = "0000:3b:00.0"
vlan = 7
addresses = ["10.2.0.2/24"]
[[port]]
name = "red"
device = "0000:3b:00.0"
vlan = 4095
addresses = ["10.3.0.2/24"]
)"),
     {"9:8: port \"green\": device \"0000:3b:00.0\" is already used at line 3, vlan 7 too; give "
      "one of the ports another vlan or device",
      "14:8: port \"red\": vlan is 4095, must be 1 to 4094; leave it out for untagged frames"}},
};
// NOLINTEND(bugprone-suspicious-missing-comma)

class Settings : public testing::TestWithParam<ConfigurationRow> {};

TEST_P(Settings, GetExactlyTheseDiagnostics) {
  // What may be said of a list that was not read must not be said.
  std::vector<std::string> lines;
  const auto none = [](const std::string&) -> Result<std::string> { return fail("none"); };
  for (const Diagnostic& found : parse_configuration(GetParam().text, "f", none).diagnostics) {
    lines.push_back(found.to_string().substr(2));
  }
  EXPECT_EQ(lines, GetParam().diagnostics);
}

INSTANTIATE_TEST_SUITE_P(Rows, Settings, testing::ValuesIn(kRows));

TEST(SettingsValues, HaveTheirDefaults) {
  const ParsedConfiguration parsed =
      parse_configuration(std::string(kPort) + kService + kBackend, "f");
  ASSERT_TRUE(parsed.ok());
  const Service& service = parsed.configuration.services.at(0);
  EXPECT_EQ(service.bounded_load_permille, 250U);
  EXPECT_EQ(service.gue_port, 6080);
  EXPECT_EQ(service.client_address, ClientAddress::kNone);
  EXPECT_EQ(service.protection, Protection{});
  EXPECT_EQ(service.quic, QuicRouting{});
  EXPECT_EQ(parsed.configuration.ports.at(0).vlan, 0);
}

TEST(SettingsValues, AffinityBySourceIsNotBoundedUnlessAsked) {
  const std::string source = std::string(kPort) + kService + "affinity = { by = \"source\" }\n";
  const auto bound = [&](const std::string& line) {
    const ParsedConfiguration parsed = parse_configuration(source + line + kBackend, "f");
    return parsed.configuration.services.at(0).bounded_load_permille;
  };
  EXPECT_EQ(bound(""), 0U);
  EXPECT_EQ(bound("bounded_load = 0.25\n"), 250U);
  EXPECT_EQ(bound("bounded_load = 10\n"), 10'000U);
}

TEST(SettingsValues, AreReadInTheirUnits) {
  const std::string text = std::string(kPort) + kService + R"(protocol = "udp"
affinity = { by = "quic-cid" }
quic = { config_id = 2, server_id_length = 1, nonce_length = 5, key = "000102030405060708090a0b0c0d0eff" }
source_rate = { per_second = 7 }
bounded_load = 0.005
)" + kBackend + "quic_server_id = \"Fe\"\n";
  const ParsedConfiguration parsed = parse_configuration(text, "f");
  ASSERT_TRUE(parsed.ok()) << parsed.diagnostics.front().to_string();
  const Service& service = parsed.configuration.services.at(0);
  EXPECT_EQ(service.bounded_load_permille, 5U);
  EXPECT_EQ(service.protection.source_rate,
            (SourceRate{.per_second = 7, .burst = 7, .ipv4_prefix = 32, .ipv6_prefix = 64}));
  EXPECT_EQ(service.quic.config_id, 2);
  EXPECT_EQ(service.quic.key, std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\xff", 16));
  EXPECT_EQ(service.backends.at(0).quic_server_id, "\xfe");
}

// Wherever the mistake is: of a key nobody may learn more than its length.
TEST(SettingsValues, NoDiagnosticQuotesAKey) {
  const std::string secret = "00112233445566778899aabbccddee";
  for (const std::string& key : {secret, secret + "f", secret + "ffff", secret + "zz"}) {
    const std::string text = std::string(kPort) + kService + R"(protocol = "udp"
affinity = { by = "quic-cid" }
quic = { server_id_length = 1, nonce_length = 5, key = ")" +
                             key + "\" }\n" + kBackend + "quic_server_id = \"fe\"\n";
    const ParsedConfiguration parsed = parse_configuration(text, "f");
    ASSERT_EQ(parsed.diagnostics.size(), 1U);
    EXPECT_EQ(parsed.diagnostics[0].message.find("00112233"), std::string::npos);
  }
}

}  // namespace
}  // namespace hawser::model
