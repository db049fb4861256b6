// Fuzz target: a configuration file and, behind a zero byte, the prefix list that it names.
#include <string_view>

#include "hawser/base/contract.h"
#include "hawser/model/configuration.h"
#include "target.h"

void fuzz_one(std::span<const std::uint8_t> input) {
  const std::string text(input.begin(), input.end());
  const std::size_t end = text.find('\0');
  const auto read_list = [&](const std::string&) -> hawser::Result<std::string> {
    if (end == std::string::npos) return hawser::fail("No such file or directory");
    return text.substr(end + 1);
  };
  const auto parsed =
      hawser::model::parse_configuration(text.substr(0, end), "fuzz.toml", read_list);
  for (const hawser::model::Diagnostic& diagnostic : parsed.diagnostics) {
    HAWSER_REQUIRE(!diagnostic.message.empty());
  }
  for (const hawser::model::PrefixList& list : parsed.configuration.prefix_lists) {
    for (const hawser::net::Prefix& prefix : *list.prefixes) {
      HAWSER_REQUIRE(hawser::net::masked(prefix.address, prefix.length) == prefix.address);
    }
  }
}
