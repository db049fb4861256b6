// Fuzz target: what backends answer to checks: HTTP responses, lines of agents.
//
// Input: one byte for the size of the pieces, then the bytes of a connection.
#include <algorithm>
#include <string_view>

#include "agent_reply.h"
#include "hawser/base/contract.h"
#include "hawser/base/limits.h"
#include "health_talk.h"
#include "target.h"

namespace hawser::control {
namespace {

HttpAnswer read(std::string_view bytes, std::size_t each) {
  HttpAnswer answer(false);
  for (std::size_t at = 0; at < bytes.size(); at += each) answer.take(bytes.substr(at, each));
  HAWSER_REQUIRE(answer.body().size() <= limits::kMaxCheckBody);
  HAWSER_REQUIRE((answer.state() == HttpAnswer::State::kBroken) == !answer.fault().empty());
  return answer;
}

// However the network cuts it, it is the same answer.
void require_same_in_pieces(std::string_view bytes, std::size_t each) {
  HttpAnswer whole = read(bytes, std::max<std::size_t>(bytes.size(), 1));
  HttpAnswer pieces = read(bytes, each);
  HAWSER_REQUIRE(whole.state() == pieces.state());
  HAWSER_REQUIRE(whole.fault() == pieces.fault());
  if (whole.state() == HttpAnswer::State::kHead || !whole.fault().empty()) return;
  HAWSER_REQUIRE(whole.status() == pieces.status() && whole.status() >= limits::kMinHttpStatus);
  HAWSER_REQUIRE(whole.body() == pieces.body());
  HAWSER_REQUIRE(whole.end() == pieces.end());
}

void require_sound_reply(std::string_view bytes) {
  const AgentReply reply = parse_agent_reply(bytes);
  HAWSER_REQUIRE(!reply.percent || *reply.percent <= 100);
  HAWSER_REQUIRE(reply.reason.find('\n') == std::string::npos);
  HAWSER_REQUIRE(reply.unknown.find_first_of(" \t,\r\n") == std::string::npos);
  // What stands behind the line's end changes nothing.
  HAWSER_REQUIRE(parse_agent_reply(bytes.substr(0, bytes.find('\n'))) == reply);
  AgentMemory memory;
  memory.note(reply);
  const bool said = reply.health || reply.mode || reply.percent;
  HAWSER_REQUIRE(memory.state().has_value() == said);
  HAWSER_REQUIRE(!memory.percent() || *memory.percent() > 0);
}

}  // namespace
}  // namespace hawser::control

void fuzz_one(std::span<const std::uint8_t> input) {
  using namespace hawser::control;
  if (input.empty()) return;
  const std::size_t each = 1 + input.front();
  const auto rest = input.subspan(1);
  const std::string bytes(rest.begin(), rest.end());
  require_same_in_pieces(bytes, each);
  require_sound_reply(bytes);
}
