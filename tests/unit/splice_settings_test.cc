// The configuration file: spliced services, their cookies and affinity.
#include "splice_rows.h"

namespace hawser::model {
namespace {

// Long lines are broken into adjacent literals on purpose.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
const std::vector<ConfigurationRow> kRows{
    {"everything about http at once is good",
     http(R"(h2c = "tunnel"
head_timeout = "100ms"
error_body = "Für heute geschlossen."
client_address = "x-forwarded-for"
affinity = { by = "cookie", cookie = { name = "__Host-pin", secure = true, http_only = false, same_site = "none", idle = "24h", max = "720h" } }
)") + R"(generation = "v42"
[[service.rule]]
name = "assets"
method = ["GET", "HEAD"]
host = [{ prefix = "www." }, "example.com"]
path = { regex = "\\.(css|js)$" }
header = [{ name = "Accept", regex = "^text/" }, { name = "X-Test", exact = "" }]
cookie = { name = "beta", prefix = "" }
generation = "v42"
sticky = false
rate = { per_second = 100, burst = 200, by = "source" }
[[service.rule]]
name = "old"
path = "*"
redirect = { status = 301, location = "https://$host$target" }
rate = { per_second = 1 }
[[service.rule]]
name = "closed"
deny = 403
)",
     {}},
    {"everything about tls at once is good",
     rule(R"(name = "admin"
server_name = { regex = "^admin\\." }
alpn = ["h2", "http/1.1"]
deny = 403
)",
          R"(forward = "splice"
protocol = "tls"
head_timeout = 60
client_address = "proxy-v2"
affinity = { by = "sni" }
)"),
     {}},
    {"http and tls need splice, and splice one of them",
     std::string(kPort) + kService + R"(protocol = "http"
[[service.backend]]
name = "b1"
address = "10.0.0.11"
port = 80
[[service]]
name = "none"
address = "10.0.0.101"
port = 80
forward = "splice"
)" + kBackend +
         R"([[service]]
name = "udp"
address = "10.0.0.102"
port = 80
forward = "splice"
protocol = "udp"
)" + kBackend +
         R"([[service]]
name = "tls"
address = "10.0.0.103"
port = 80
forward = "dsr-l2"
protocol = "tls"
[[service.backend]]
name = "b1"
address = "10.0.0.11"
port = 80
)",
     {"11:12: service \"web\": protocol \"http\" needs forward \"splice\", which reads it; write "
      "forward = \"splice\", or protocol = \"tcp\" to leave it unread",
      "20:11: service \"none\": forward \"splice\" must know what it reads; write protocol = "
      "\"http\" or \"tls\"",
      "30:12: service \"udp\": forward \"splice\" must know what it reads; write protocol = "
      "\"http\" or \"tls\"",
      "40:12: service \"tls\": protocol \"tls\" needs forward \"splice\", which reads it; write "
      "forward = \"splice\", or protocol = \"tcp\" to leave it unread"}},
    {"keys of splice without it, or without http",
     std::string(kPort) + kService + R"(h2c = "tunnel"
head_timeout = 10
error_body = "x"
)" + kBackend +
         R"(generation = "v1"
[[service.rule]]
name = "all"
deny = 403
[[service]]
name = "tls"
address = "10.0.0.101"
port = 443
forward = "splice"
protocol = "tls"
h2c = "refuse"
error_body = "x"
)" + kBackend,
     {"11:7: service \"web\": h2c has no effect without forward \"splice\" and protocol \"http\"; "
      "remove it",
      "12:16: service \"web\": head_timeout has no effect without forward \"splice\"; remove it",
      "13:14: service \"web\": error_body has no effect without forward \"splice\" and protocol "
      "\"http\"; remove it",
      "18:14: service \"web\": backend \"b1\": generation has no effect without forward "
      "\"splice\"; remove it",
      "19:1: service \"web\": rules have no effect without forward \"splice\", which reads what "
      "they look at; with \"nat\" remove them",
      "28:7: service \"tls\": h2c has no effect without forward \"splice\" and protocol \"http\"; "
      "remove it",
      "29:14: service \"tls\": error_body has no effect without forward \"splice\" and protocol "
      "\"http\"; remove it"}},
    {"values that are none",
     http(R"(h2c = "yes"
head_timeout = "61s"
error_body = """a
b"""
affinity = { by = "cookie", cookie = { name = "a b", path = "x", domain = "a;b", secure = 1, same_site = "laxe", idle = "9s", max = "721h" } }
)") + "generation = \"-\"\n",
     {"13:7: service \"web\": h2c \"yes\" must be \"refuse\" or \"tunnel\"",
      "14:16: service \"web\": head_timeout is \"61s\", must be 100ms to 1m",
      "15:14: service \"web\": error_body contains a control character; remove it",
      "17:47: service \"web\", affinity, cookie: name is \"a b\", must be letters, digits or some "
      "of !#$%&'*+-.^_`|~",
      "17:61: service \"web\", affinity, cookie: path is \"x\", must start with \"/\" and contain "
      "printable ASCII without \";\"",
      "17:75: service \"web\", affinity, cookie: domain is \"a;b\", must be a host name such as "
      "example.com",
      "17:91: service \"web\", affinity, cookie: secure must be true or false, is a whole number",
      "17:106: service \"web\", affinity, cookie: same_site \"laxe\" must be \"unset\", \"lax\", "
      "\"strict\" or \"none\" (did you mean \"lax\"?)",
      "17:121: service \"web\", affinity, cookie: idle is \"9s\", must be 10s to 1d",
      "17:133: service \"web\", affinity, cookie: max is \"721h\", must be 10s to 30d",
      "22:14: service \"web\", backend \"b1\": the name \"-\" must be 1 to 63 letters, digits, "
      "\".\", \"_\" or \"-\", the first a letter or digit"}},
    {"an error body of 512 bytes is good, one more is not",
     http("error_body = \"" + std::string(512, 'x') + "\"\n") + R"([[service]]
name = "api"
address = "10.0.0.101"
port = 80
)" + kHttp +
         "error_body = \"" + std::string(513, 'x') + "\"\n" + kBackend,
     {"24:14: service \"api\": error_body has 513 bytes, must have at most 512"}},
    {"cookies that browsers refuse",
     http(R"(affinity = { by = "cookie", cookie = { same_site = "none" } }
)") + R"([[service]]
name = "secure"
address = "10.0.0.101"
port = 80
)" + kHttp +
         R"(affinity = { by = "cookie", cookie = { name = "__Secure-x" } }
)" + kBackend +
         R"([[service]]
name = "host"
address = "10.0.0.102"
port = 80
)" + kHttp +
         R"(affinity = { by = "cookie", cookie = { name = "__Host-x", secure = true, path = "/a" } }
)" + kBackend,
     {"13:52: service \"web\": affinity, cookie: browsers refuse same_site \"none\" without "
      "secure; write secure = true",
      "24:47: service \"secure\": affinity, cookie: browsers refuse the name \"__Secure-x\" unless "
      "secure is true",
      "35:47: service \"host\": affinity, cookie: browsers refuse the name \"__Host-x\" unless "
      "secure is true, path is \"/\" and there is no domain"}},
    {"an idle time longer than the whole",
     http(R"(affinity = { by = "cookie", cookie = { idle = "13h" } }
)") + R"([[service]]
name = "api"
address = "10.0.0.101"
port = 80
)" + kHttp +
         R"(affinity = { by = "cookie", cookie = { max = "10m" } }
)" + kBackend,
     {"13:47: service \"web\": affinity, cookie: idle is 46800 s and max 43200 s; max must be at "
      "least idle",
      "24:46: service \"api\": affinity, cookie: idle is 900 s and max 600 s; max must be at least "
      "idle"}},
    {"affinity that needs more than was read",
     std::string(kPort) + kService + "affinity = { by = \"none\" }\n" + kBackend + R"([[service]]
name = "sni"
address = "10.0.0.101"
port = 80
)" + kHttp +
         "affinity = { by = \"sni\" }\n" + kBackend + R"([[service]]
name = "cookie"
address = "10.0.0.102"
port = 443
)" + kTls +
         "affinity = { by = \"cookie\" }\n" + kBackend + R"([[service]]
name = "quic"
address = "10.0.0.103"
port = 443
)" + kHttp +
         "affinity = { by = \"quic-cid\" }\n" + kBackend,
     {"11:19: service \"web\": affinity by \"none\" needs forward \"splice\"",
      "22:19: service \"sni\": affinity by \"sni\" needs forward \"splice\" and protocol \"tls\"",
      "33:19: service \"cookie\": affinity by \"cookie\" needs forward \"splice\" and protocol "
      "\"http\"",
      "44:19: service \"quic\": affinity by \"quic-cid\" needs protocol \"udp\", which carries "
      "QUIC"}},
    {"names of affinity: missing, without effect, and that are none",
     http("affinity = { by = \"header\" }\n") + R"([[service]]
name = "api"
address = "10.0.0.101"
port = 80
)" + kHttp +
         "affinity = { by = \"query\", name = \"a=b\" }\n" + kBackend + R"([[service]]
name = "app"
address = "10.0.0.102"
port = 80
)" + kHttp +
         "affinity = { by = \"app-cookie\", name = \"a;b\" }\n" + kBackend + R"([[service]]
name = "own"
address = "10.0.0.103"
port = 80
)" + kHttp +
         "affinity = { by = \"cookie\", name = \"x\" }\n" + kBackend + R"([[service]]
name = "flow"
address = "10.0.0.104"
port = 80
)" + kHttp +
         "affinity = { name = \"x\", cookie = { name = \"y\" } }\n" + kBackend,
     {"13:19: service \"web\": affinity by \"header\" needs to know which; write name = "
      "\"X-User\"",
      "24:35: service \"api\": affinity: name is \"a=b\", which no parameter of a query is called",
      "35:40: service \"app\": affinity: name is \"a;b\", which no cookie is called",
      "46:36: service \"own\": affinity: name has no effect with by \"cookie\", whose is "
      "cookie.name; remove it",
      "57:21: service \"flow\": affinity: name has no effect with by \"flow\"; remove it",
      "57:35: service \"flow\": affinity: cookie has no effect with by \"flow\"; write by = "
      "\"cookie\" or remove it"}},
    {"client addresses where they cannot be",
     http("client_address = \"toa\"\n") + R"([[service]]
name = "tls"
address = "10.0.0.101"
port = 443
)" + kTls +
         "client_address = \"x-forwarded-for\"\n" + kBackend + R"([[service]]
name = "nat"
address = "10.0.0.102"
port = 80
client_address = "x-forwarded-for"
)" + kBackend,
     {"13:18: service \"web\": client_address \"toa\" needs forward \"nat\"; with \"splice\" write "
      "\"proxy-v2\" or, for http, \"x-forwarded-for\"",
      "24:18: service \"tls\": client_address \"x-forwarded-for\" needs forward \"splice\" and "
      "protocol \"http\"",
      "33:18: service \"nat\": client_address \"x-forwarded-for\" needs forward \"splice\" and "
      "protocol \"http\""}},
    {"splice needs a source address as nat does",
     std::string(R"([[port]]
name = "uplink"
device = "0000:3b:00.0"
addresses = ["10.0.0.2/24"]
[[service]]
name = "web"
address = "10.0.0.100"
port = 80
)") + kHttp +
         kBackend,
     {"7:11: service \"web\": forward \"splice\" needs an IPv4 address to send from; add one to "
      "nat_addresses of a [[port]]"}},
};
// NOLINTEND(bugprone-suspicious-missing-comma)

class SpliceSettings : public testing::TestWithParam<ConfigurationRow> {};

TEST_P(SpliceSettings, GetExactlyTheseDiagnostics) {
  EXPECT_EQ(diagnose(GetParam().text), GetParam().diagnostics);
}

INSTANTIATE_TEST_SUITE_P(Rows, SpliceSettings, testing::ValuesIn(kRows));

TEST(SpliceValues, HaveTheirDefaults) {
  const Service service = only(http(""));
  EXPECT_EQ(service.protocol, Protocol::kTcp);
  EXPECT_EQ(service.splice, Splice{.layer7 = Layer7::kHttp});
  EXPECT_EQ(service.affinity, Affinity{});
  EXPECT_EQ(protocol_word(service), "http");
}

TEST(SpliceValues, AreReadInTheirUnits) {
  const Service service = only(http(R"(h2c = "tunnel"
head_timeout = 2
error_body = "closed"
affinity = { by = "cookie", cookie = { name = "pin", path = "/app", domain = "example.com", secure = true, http_only = false, same_site = "strict", idle = "2m", max = 7200 } }
)"));
  EXPECT_TRUE(service.splice.h2c_tunnel);
  EXPECT_EQ(service.splice.head_timeout_ms, 2000U);
  EXPECT_EQ(service.splice.error_body, "closed");
  EXPECT_EQ(service.affinity.cookie, (Cookie{.name = "pin",
                                             .path = "/app",
                                             .domain = "example.com",
                                             .secure = true,
                                             .http_only = false,
                                             .same_site = SameSite::kStrict,
                                             .idle_seconds = 120,
                                             .maximum_seconds = 7200}));
}

TEST(SpliceValues, WhatIsChosenByHashIsNotBoundedUnlessAsked) {
  const auto bound = [](const std::string& line) { return only(http(line)).bounded_load_permille; };
  for (const char* by : {"header", "query", "app-cookie"}) {
    const std::string line = std::string("affinity = { by = \"") + by + "\", name = \"x\" }\n";
    EXPECT_EQ(bound(line), 0U) << by;
    EXPECT_EQ(bound(line + "bounded_load = 0.5\n"), 500U) << by;
  }
  EXPECT_EQ(bound("affinity = { by = \"cookie\" }\n"), 250U);
  EXPECT_EQ(bound("affinity = { by = \"none\" }\n"), 250U);
}

}  // namespace
}  // namespace hawser::model
