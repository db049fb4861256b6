// Fuzz target: configuration files.
#include <string_view>

#include "hawser/base/contract.h"
#include "hawser/model/configuration.h"
#include "target.h"

void fuzz_one(std::span<const std::uint8_t> input) {
  const std::string text(input.begin(), input.end());
  const auto parsed = hawser::model::parse_configuration(text, "fuzz.toml");
  for (const hawser::model::Diagnostic& diagnostic : parsed.diagnostics) {
    HAWSER_REQUIRE(!diagnostic.message.empty());
  }
}
