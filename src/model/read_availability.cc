// Reads slow_start, on_panic, guards and passive.
#include "read_availability.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "hawser/base/limits.h"

namespace hawser::model {
namespace {

constexpr std::uint64_t kSecond = 1000;

// "25%" with 1 to 100.
std::optional<std::uint32_t> parse_percent(std::string_view text) {
  if (text.empty() || text.back() != '%') return std::nullopt;
  text.remove_suffix(1);
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value == 0 || value > 100) return std::nullopt;
  return value;
}

// A number of backends, or a part of them such as "25%"; 0 is no limit.
void read_portion(TableReader& reader, std::string_view key, Portion& out) {
  const Node* node = reader.any(key);
  if (node == nullptr) return;
  if (node->type != NodeType::kString) {
    Portion portion;
    reader.number(key, portion.count, 0, limits::kMaxBackendsPerService);
    out = portion;
  } else if (const auto percent = parse_percent(node->text)) {
    out = {.count = 0, .percent = *percent};
  } else {
    reader.complain(*node, fmt::format("{} is \"{}\", must be a number of backends or a part of "
                                       "them from \"1%\" to \"100%\"",
                                       key, node->text));
  }
}

void read_guards(const Node& table, const std::string& where, Guards& out,
                 Diagnostics& diagnostics) {
  TableReader reader(table, where + ", guards", diagnostics);
  read_portion(reader, "max_draining", out.max_draining);
  read_portion(reader, "min_ready", out.min_ready);
  reader.finish();
}

void read_passive(const Node& table, const std::string& where, Passive& out,
                  Diagnostics& diagnostics) {
  TableReader reader(table, where + ", passive", diagnostics);
  reader.flag("enabled", out.enabled);
  reader.flag("server_errors", out.server_errors);
  reader.number("failures", out.failures, 1, limits::kMaxPassiveFailures);
  reader.number("failure_percent", out.failure_percent, 1, 100);
  reader.duration("window", out.window_seconds, limits::kMinPassiveWindowSeconds * kSecond,
                  limits::kMaxPassiveWindowSeconds * kSecond, kSecond);
  reader.duration("ejection", out.ejection_seconds, kSecond, limits::kMaxEjectionSeconds * kSecond,
                  kSecond);
  reader.duration("longest", out.longest_seconds, kSecond, limits::kMaxEjectionSeconds * kSecond,
                  kSecond);
  reader.number("max_ejected_percent", out.max_ejected_percent, 1, 100);
  reader.finish();
  const Node* longest = table.find("longest");
  if (out.longest_seconds < out.ejection_seconds && diagnostics.usable(longest)) {
    reader.complain(*longest, fmt::format("longest is {} s, must be at least ejection ({} s)",
                                          out.longest_seconds, out.ejection_seconds));
  }
}

}  // namespace

void read_availability(TableReader& reader, const std::string& where, Availability& out,
                       Diagnostics& diagnostics) {
  reader.duration("slow_start", out.slow_start_seconds, 0, limits::kMaxSlowStartSeconds * kSecond,
                  kSecond);
  reader.word("on_panic", out.on_panic, parse_on_panic);
  if (const Node* guards = reader.table("guards")) {
    read_guards(*guards, where, out.guards, diagnostics);
  }
  if (const Node* passive = reader.table("passive")) {
    read_passive(*passive, where, out.passive, diagnostics);
  }
}

}  // namespace hawser::model
