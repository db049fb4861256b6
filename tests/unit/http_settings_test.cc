// The configuration file: where hawserd answers over HTTP.
#include "configuration_rows.h"

namespace hawser::model {
namespace {

// Long lines are broken into adjacent literals on purpose.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
const std::vector<ConfigurationRow> kRows{
    {"http is an address and a port, or nothing",
     std::string(kPort) + R"([control]
http = ""
)" + kService +
         kBackend,
     {}},
    {"http without a port",
     std::string(kPort) + R"([control]
http = "127.0.0.1"
)",
     {"8:8: [control]: http \"127.0.0.1\" must be an address and a port from 1 to 65535, such as "
      "\"127.0.0.1:9465\" or \"[::1]:9465\", or \"\" for none"}},
    {"http at a name, which would have to be resolved",
     std::string(kPort) + R"([control]
http = "localhost:9465"
)",
     {"8:8: [control]: http \"localhost:9465\" must be an address and a port from 1 to 65535, such "
      "as \"127.0.0.1:9465\" or \"[::1]:9465\", or \"\" for none"}},
    {"http at port 0",
     std::string(kPort) + R"([control]
http = "[::1]:0"
)",
     {"8:8: [control]: http \"[::1]:0\" must be an address and a port from 1 to 65535, such as "
      "\"127.0.0.1:9465\" or \"[::1]:9465\", or \"\" for none"}},
    {"http at an IPv6 address without brackets",
     std::string(kPort) + R"([control]
http = "::1:9465"
)",
     {"8:8: [control]: http \"::1:9465\" must be an address and a port from 1 to 65535, such as "
      "\"127.0.0.1:9465\" or \"[::1]:9465\", or \"\" for none"}},
};
// NOLINTEND(bugprone-suspicious-missing-comma)

class HttpSettingsRows : public testing::TestWithParam<ConfigurationRow> {};

TEST_P(HttpSettingsRows, GetExactlyTheseDiagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& found : parse_configuration(GetParam().text, "f").diagnostics) {
    lines.push_back(found.to_string().substr(2));
  }
  EXPECT_EQ(lines, GetParam().diagnostics);
}

INSTANTIATE_TEST_SUITE_P(Rows, HttpSettingsRows, testing::ValuesIn(kRows));

TEST(HttpSettings, AreAnAddressAndAPort) {
  const auto listener = [](const std::string& control) {
    return parse_configuration(std::string(kPort) + control + kService + kBackend, "f")
        .configuration.control.http;
  };
  EXPECT_EQ(listener(""), (HttpListener{*net::parse_address("127.0.0.1"), 9465}));
  EXPECT_TRUE(listener("").address.is_loopback());
  EXPECT_EQ(listener("[control]\nhttp = \"[2001:db8::1]:80\"\n"),
            (HttpListener{*net::parse_address("2001:db8::1"), 80}));
  EXPECT_EQ(listener("[control]\nhttp = \"\"\n").port, 0);
}

}  // namespace
}  // namespace hawser::model
