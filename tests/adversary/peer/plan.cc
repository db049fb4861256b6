// Draws plans: mostly small bodies with a heavy tail, mostly short heads and some of 15 KB.
#include "peer/plan.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "peer/content.h"
#include "random.h"

namespace hawser::adversary {
namespace {

constexpr const char* kKindNames[] = {"get",        "post",         "head",
                                      "no_content", "not_modified", "upgrade"};
static_assert(std::size(kKindNames) == static_cast<std::size_t>(Kind::kCount));

// Each order of magnitude up to `largest` is as likely as another.
std::uint64_t even_in_magnitude(Random& random, std::uint64_t largest) {
  const double unit = static_cast<double>(random.next() >> 11) * 0x1.0p-53;
  return static_cast<std::uint64_t>(std::pow(static_cast<double>(largest) + 1.0, unit)) - 1;
}

std::uint64_t body_length(Random& random, std::uint64_t largest) {
  const bool huge = random.chance(0.003);
  const bool large = random.chance(0.02);
  const std::uint64_t most = huge ? largest : large ? 1'000'000 : 40'000;
  return even_in_magnitude(random, std::min(most, largest));
}

std::uint64_t padding(Random& random, std::uint64_t largest) {
  if (random.chance(0.55)) return 0;
  return random.between(1, random.chance(0.8) ? 1500 : largest);
}

Framing framing(Random& random) {
  return random.chance(0.6) ? Framing::kLength : Framing::kChunked;
}

Kind kind(Random& random) {
  const std::uint64_t choice = random.below(100);
  if (choice < 50) return Kind::kGet;
  if (choice < 78) return Kind::kPost;
  if (choice < 86) return Kind::kHead;
  return choice < 93 ? Kind::kNoContent : Kind::kNotModified;
}

Exchange draw(Random& random, const PlanLimits& limits) {
  Exchange exchange;
  exchange.seed = random.next();
  exchange.kind = kind(random);
  exchange.request_padding = padding(random, 14'000);
  exchange.response_padding = padding(random, 8'000);
  exchange.early_hints = random.chance(0.05);
  exchange.forwarded = random.chance(0.2);
  exchange.response_framing = framing(random);
  exchange.response_length = body_length(random, limits.largest);
  if (exchange.kind == Kind::kPost) {
    exchange.request_framing = framing(random);
    exchange.request_length = body_length(random, limits.largest);
    exchange.expects_continue = random.chance(0.2);
  }
  return exchange;
}

// How the connection ends is up to its last exchange.
void draw_end(Random& random, Exchange& last, const PlanLimits& limits) {
  const std::uint64_t choice = random.below(100);
  if (choice < 10) {
    last.kind = Kind::kUpgrade;
    last.request_framing = Framing::kNone;
    last.request_length = body_length(random, limits.largest);
    last.expects_continue = false;
    last.early_hints = false;
    last.half_closes = random.chance(0.5);
  } else if (choice < 25) {
    last.closes = true;
    const bool has_body = last.kind == Kind::kGet || last.kind == Kind::kPost;
    if (has_body && random.chance(0.6)) last.response_framing = Framing::kClose;
  } else if (choice < 35) {
    last.half_closes = !last.expects_continue;
  }
}

struct Parameter {
  char letter;
  std::uint64_t value;
};

template <typename Enum>
Enum checked(std::uint64_t value, Enum last) {
  if (value > static_cast<std::uint64_t>(last)) throw Wrong("a target that no peer sends");
  return static_cast<Enum>(value);
}

void set(Exchange& exchange, char letter, std::uint64_t value) {
  switch (letter) {
    case 'c':
      exchange.connection = value;
      break;
    case 'q':
      exchange.number = value;
      break;
    case 'k':
      exchange.kind = checked(value, Kind::kUpgrade);
      break;
    case 's':
      exchange.seed = value;
      break;
    case 'f':
      exchange.request_framing = checked(value, Framing::kClose);
      break;
    case 'l':
      exchange.request_length = value;
      break;
    case 'g':
      exchange.response_framing = checked(value, Framing::kClose);
      break;
    case 'm':
      exchange.response_length = value;
      break;
    case 'p':
      exchange.response_padding = value;
      break;
    case 'x':
      exchange.expects_continue = value != 0;
      break;
    case 'h':
      exchange.early_hints = value != 0;
      break;
    case 'z':
      exchange.closes = value != 0;
      break;
    default:
      throw Wrong(std::string("a target with a parameter \"") + letter + '"');
  }
}

}  // namespace

const char* name_of(Kind kind) {
  return kKindNames[static_cast<std::size_t>(kind)];
}

std::uint64_t Exchange::request_seed() const {
  return derived(seed, 1);
}

std::uint64_t Exchange::response_seed() const {
  return derived(seed, 2);
}

int Exchange::status() const {
  switch (kind) {
    case Kind::kNoContent:
      return 204;
    case Kind::kNotModified:
      return 304;
    case Kind::kUpgrade:
      return 101;
    case Kind::kGet:
    case Kind::kPost:
    case Kind::kHead:
    case Kind::kCount:
      break;
  }
  return 200;
}

std::string Exchange::where() const {
  return "connection " + std::to_string(connection) + " request " + std::to_string(number) + " (" +
         name_of(kind) + ")";
}

std::string target_of(const Exchange& exchange) {
  const Parameter parameters[] = {
      {'c', exchange.connection},
      {'q', exchange.number},
      {'k', static_cast<std::uint64_t>(exchange.kind)},
      {'s', exchange.seed},
      {'f', static_cast<std::uint64_t>(exchange.request_framing)},
      {'l', exchange.request_length},
      {'g', static_cast<std::uint64_t>(exchange.response_framing)},
      {'m', exchange.response_length},
      {'p', exchange.response_padding},
      {'x', exchange.expects_continue ? 1U : 0U},
      {'h', exchange.early_hints ? 1U : 0U},
      {'z', exchange.closes ? 1U : 0U},
  };
  std::string target = "/x";
  for (const Parameter& parameter : parameters) {
    target += target.size() == 2 ? '?' : '&';
    target += parameter.letter;
    target += '=' + hex(parameter.value);
  }
  return target;
}

Exchange from_target(const std::string& target) {
  if (!target.starts_with("/x?")) throw Wrong("the target is \"" + target + "\"");
  Exchange exchange;
  for (std::size_t at = 3; at < target.size();) {
    const std::size_t end = std::min(target.find('&', at), target.size());
    if (end < at + 3 || target[at + 1] != '=') throw Wrong("the target is \"" + target + "\"");
    set(exchange, target[at], from_hex(target.substr(at + 2, end - at - 2)));
    at = end + 1;
  }
  return exchange;
}

Plan plan_of(std::uint64_t seed, std::uint64_t connection, const PlanLimits& limits) {
  Random random(derived(seed, connection));
  Plan plan;
  plan.dribbles = random.chance(0.25);
  plan.leaves_first = random.chance(0.3);
  const std::uint64_t count = random.between(1, std::max<std::uint64_t>(limits.requests, 1));
  for (std::uint64_t number = 0; number < count; ++number) {
    Exchange exchange = draw(random, limits);
    if (number + 1 == count) draw_end(random, exchange, limits);
    exchange.connection = connection;
    exchange.number = number;
    plan.exchanges.push_back(exchange);
  }
  for (std::size_t i = 0; i + 1 < plan.exchanges.size(); ++i) {
    const bool waits = plan.exchanges[i].expects_continue || plan.exchanges[i + 1].expects_continue;
    const bool tunnel = plan.exchanges[i + 1].kind == Kind::kUpgrade;
    const bool after_one = i > 0 && plan.exchanges[i - 1].pipelined;
    plan.exchanges[i].pipelined =
        random.chance(0.2) && !waits && !tunnel && (!after_one || random.chance(0.3));
  }
  return plan;
}

}  // namespace hawser::adversary
