// The configuration file: names, addresses and sizes judged against each other.
#include "configuration_rows.h"

namespace hawser::model {
namespace {

// Long lines are broken into adjacent literals on purpose.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
const std::vector<ConfigurationRow> kRows{
    {"names that are none",
     std::string(kPort) + R"([[service]]
name = "-web"
address = "10.0.0.100"
port = 80
[[service.backend]]
name = "b 1"
address = "10.0.0.11"
port = 8080
)",
     {"8:8: service \"-web\": the name \"-web\" must be 1 to 63 letters, digits, \".\", \"_\" or "
      "\"-\", the first a letter or digit",
      "12:8: service \"-web\", backend \"b 1\": the name \"b 1\" must be 1 to 63 letters, "
      "digits, \".\", \"_\" or \"-\", the first a letter or digit"}},
    {"a backend named twice",
     std::string(kPort) + kService + kBackend + R"([[service.backend]]
name = "b1"
address = "10.0.0.12"
port = 8080
)",
     {"16:8: service \"web\", backend \"b1\": the name is already used at line 12; names are "
      "unique in a service"}},
    {"a service named twice",
     std::string(kPort) + kService + kBackend + R"([[service]]
name = "web"
address = "10.0.0.101"
port = 80
)" + kBackend,
     {"16:8: service \"web\": the name is already used at line 8; names are unique"}},
    {"the same backend name in two services is good",
     std::string(kPort) + kService + kBackend + R"([[service]]
name = "api"
address = "10.0.0.101"
port = 80
)" + kBackend,
     {}},
    {"a backend's address twice",
     std::string(kPort) + kService + kBackend + R"([[service.backend]]
name = "b2"
address = "10.0.0.11"
port = 8080
)",
     {"17:11: service \"web\", backend \"b2\": 10.0.0.11:8080 is already backend \"b1\" (line "
      "13)"}},
    {"services that overlap",
     std::string(kPort) + kService + kBackend + R"([[service]]
name = "api"
address = "10.0.0.100"
port = 80
)" + kBackend,
     {"18:8: service \"api\": 10.0.0.100:80/tcp is already served by service \"web\" (line 10)"}},
    {"the same address and port for tcp and udp is good",
     std::string(kPort) + kService + kBackend + R"([[service]]
name = "dns"
address = "10.0.0.100"
port = 80
protocol = "udp"
)" + kBackend,
     {}},
    {"ports named, attached and tapped twice",
     std::string(kPort) + R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
tap = "hawser0"
addresses = ["10.1.0.2/24"]
)",
     {"8:8: port \"uplink\": name \"uplink\" is already used at line 2",
      "9:10: port \"uplink\": device \"0000:3b:00.0\" is already used at line 3, untagged too; "
      "give one of the ports another vlan or device",
      "10:7: port \"uplink\": tap \"hawser0\" is already used at line 1"}},
    {"a backend of the other family",
     std::string(kPort) + kService + R"([[service.backend]]
name = "b1"
address = "fd00::11"
port = 8080
)",
     {"13:11: service \"web\", backend \"b1\": address fd00::11 is IPv6, the service's "
      "10.0.0.100 is IPv4; forward \"nat\" needs the same family (tunnels can mix them)"}},
    {"dsr-l2 cannot change the port",
     std::string(kPort) + kService + R"(forward = "dsr-l2"
)" + kBackend,
     {"15:8: service \"web\", backend \"b1\": port 8080 differs from the service's 80; forward "
      "\"dsr-l2\" leaves the port as it is"}},
    {"dsr-l2 needs a backend on the link",
     std::string(kPort) + kService + R"(forward = "dsr-l2"
)" + R"([[service.backend]]
name = "b1"
address = "10.9.0.11"
port = 80
)",
     {"14:11: service \"web\", backend \"b1\": address 10.9.0.11 is in no network of a port, "
      "which forward \"dsr-l2\" needs; check the addresses of [[port]]"}},
    {"special addresses",
     std::string(kPort) + R"([[service]]
name = "web"
address = "224.0.0.1"
port = 80
[[service.backend]]
name = "b1"
address = "127.0.0.1"
port = 8080
[[service.backend]]
name = "b2"
address = "0.0.0.0"
port = 8080
)",
     {"9:11: service \"web\": address 224.0.0.1 is a zero, loopback, multicast or broadcast "
      "address",
      "13:11: service \"web\", backend \"b1\": address 127.0.0.1 is a zero, loopback, multicast "
      "or broadcast address",
      "17:11: service \"web\", backend \"b2\": address 0.0.0.0 is a zero, loopback, multicast or "
      "broadcast address"}},
    {"addresses that are none",
     std::string(kPort) + R"([[service]]
name = "web"
address = "10.0.0.300"
port = 80
[[service.backend]]
name = "b1"
address = "web1.example"
port = 8080
)",
     {"9:11: service \"web\": address: \"10.0.0.300\" is no IP address; write it like 10.0.0.1 "
      "or fd00::1",
      "13:11: service \"web\", backend \"b1\": address: \"web1.example\" is no IP address; write "
      "it like 10.0.0.1 or fd00::1"}},
    {"a service on a port's own address",
     std::string(kPort) + R"([[service]]
name = "web"
address = "10.0.0.2"
port = 80
)" + kBackend,
     {"9:11: service \"web\": address 10.0.0.2 is already the own address of port \"uplink\" "
      "(line 4); a service needs its own"}},
    {"a service on a NAT address",
     std::string(kPort) + R"([[service]]
name = "web"
address = "10.0.0.3"
port = 80
)" + kBackend,
     {"9:11: service \"web\": address 10.0.0.3 is already the NAT address of port \"uplink\" "
      "(line 6); a service needs its own"}},
    {"a backend on the service's and one on a port's own address",
     std::string(kPort) + kService + R"([[service.backend]]
name = "b1"
address = "10.0.0.100"
port = 8080
[[service.backend]]
name = "b2"
address = "10.0.0.2"
port = 8080
)",
     {"13:11: service \"web\", backend \"b1\": address 10.0.0.100 is the address of service "
      "\"web\" (line 9); packets would loop",
      "17:11: service \"web\", backend \"b2\": address 10.0.0.2 is the own address of port "
      "\"uplink\" (line 4); packets would loop"}},
    {"a NAT address that is an own address",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
addresses = ["10.0.0.2/24"]
nat_addresses = ["10.0.0.2"]
)"),
     {"5:18: port \"uplink\": NAT address 10.0.0.2 is already the own address of port \"uplink\" "
      "(line 4)"}},
    {"nat without a NAT address of the family",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
addresses = ["10.0.0.2/24"]
)") + kService +
         kBackend,
     {"7:11: service \"web\": forward \"nat\" needs an IPv4 address to send from; add one to "
      "nat_addresses of a [[port]]"}},
    {"a backend behind no network and no gateway",
     std::string(kPort) + R"([[service]]
name = "web"
address = "fd00::100"
port = 80
[[service.backend]]
name = "b1"
address = "fd09::11"
port = 8080
)",
     {"13:11: service \"web\", backend \"b1\": address fd09::11 is unreachable: in no network of "
      "a port, and no port has an IPv6 gateway; add one to gateways"}},
    {"a backend behind the gateway is good",
     std::string(kPort) + kService + R"([[service.backend]]
name = "b1"
address = "10.9.0.11"
port = 8080
)",
     {}},
    {"gateways: two of a family, one out of reach, one special",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
addresses = ["10.0.0.2/24", "fd00::2/64"]
gateways = ["10.0.0.1", "10.0.0.254", "fd01::1", "0.0.0.0"]
)"),
     {"5:25: port \"uplink\": gateway 10.0.0.254 is the second for IPv4 (the first is at line "
      "5); a port has one a family",
      "5:39: port \"uplink\": gateway fd01::1 is in none of the port's networks; check addresses",
      "5:50: port \"uplink\": gateway 0.0.0.0 is a zero, loopback, multicast or broadcast "
      "address"}},
    {"a link-local gateway is good",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
addresses = ["fd00::2/64"]
gateways = ["fe80::1"]
)"),
     {}},
    {"an address without a prefix length, and one with none that makes sense",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
addresses = ["10.0.0.2", "10.0.1.2/33", "10.0.2.2/0"]
)"),
     {"4:14: port \"uplink\": addresses: \"10.0.0.2\" has no prefix length; write it like "
      "10.0.0.2/24",
      "4:26: port \"uplink\": addresses: \"10.0.1.2/33\": the length after the slash must be 0 "
      "to 32",
      "4:41: port \"uplink\": address 10.0.2.2/0 has prefix length 0, which makes the whole "
      "world on-link"}},
    {"a table size that is no prime",
     std::string(kPort) + kService + R"(table_slots = 65536
)" + kBackend,
     {"11:15: service \"web\": table_slots is 65536, must be a prime of at least 2 (2 a "
      "backend); write 65537, or leave it out"}},
    {"a table size too small for the backends",
     std::string(kPort) + kService + R"(table_slots = 3
)" + kBackend +
         R"([[service.backend]]
name = "b2"
address = "10.0.0.12"
port = 8080
)",
     {"11:15: service \"web\": table_slots is 3, must be a prime of at least 4 (2 a backend); "
      "write 5, or leave it out"}},
    {"an http check of a udp service",
     std::string(kPort) + kService + R"(protocol = "udp"
check = { type = "http" }
)" + kBackend,
     {"12:9: service \"web\": a \"http\" check of a udp service needs the port of something that "
      "speaks TCP; write check.port"}},
    {"a tcp check of a udp service with a port is good",
     std::string(kPort) + kService + R"(protocol = "udp"
check = { type = "tcp", port = 8081 }
)" + kBackend,
     {}},
};
// NOLINTEND(bugprone-suspicious-missing-comma)

class ConfigurationWhole : public testing::TestWithParam<ConfigurationRow> {};

TEST_P(ConfigurationWhole, GetsExactlyTheseDiagnostics) {
  EXPECT_EQ(diagnose(GetParam().text), GetParam().diagnostics);
}

INSTANTIATE_TEST_SUITE_P(Rows, ConfigurationWhole, testing::ValuesIn(kRows));

}  // namespace
}  // namespace hawser::model
