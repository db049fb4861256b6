// Writes Set-Cookie lines. A text holds the session, then the line.
#include "cookie_line.h"

#include <cstring>

namespace hawser::pipeline {
namespace {

using affinity::Session;

struct Stored {
  Session session;
  std::uint16_t length = 0;  // of the line behind
};

void write_line(std::span<std::uint8_t> text, const Session& session, bool given,
                const SpliceService& splice, const Context& context) noexcept {
  Stored stored{.session = session, .length = 0};
  std::memcpy(text.data(), &stored, sizeof(stored));
  if (!given) return;
  char* const line = reinterpret_cast<char*>(text.data()) + sizeof(Stored);
  std::size_t at = 0;
  const auto put = [&](std::string_view part) {
    std::memcpy(line + at, part.data(), part.size());
    at += part.size();
  };
  std::array<char, affinity::kCookieText> value{};
  affinity::write_cookie(session, context.snapshot.splice_keys.cookies.front(), splice.name, value);
  constexpr std::string_view kName = "Set-Cookie: ";
  const std::size_t size =
      kName.size() + splice.cookie_name.size() + value.size() + splice.cookie_attributes.size() + 3;
  if (sizeof(Stored) + size <= text.size()) {
    put(kName);
    put(splice.cookie_name);
    put("=");
    put({value.data(), value.size()});
    put(splice.cookie_attributes);
    put("\r\n");
  }
  stored.length = static_cast<std::uint16_t>(at);
  std::memcpy(text.data(), &stored, sizeof(stored));
}

const SpliceService* splice_of(const Side& client, const Context& context) noexcept {
  return context.snapshot.services[client.connection.service.value].splice.get();
}

// Its home is to be joined first, and may not answer: then the session goes on at another.
bool may_move(const Side& client, const Decision& decision) noexcept {
  const Connection& connection = client.connection;
  const bool joined =
      connection.phase == SplicePhase::kOpen && connection.backend == decision.backend;
  return decision.session.id != 0 && !joined;
}

}  // namespace

void prepare_cookie(const Side& client, const Decision& decision, Context& context) noexcept {
  WorkerState& worker = context.worker;
  const SpliceService* splice = splice_of(client, context);
  worker.splice.texts.release(client.exchange.cookie);
  client.exchange.cookie = 0;
  if (!decision.gives_cookie && !may_move(client, decision)) return;
  if (context.snapshot.splice_keys.cookies.empty()) return;
  client.exchange.cookie = worker.splice.texts.take();
  if (client.exchange.cookie == 0) return;
  const BackendEntry& backend = context.snapshot.backends[decision.backend.value];
  Session session = decision.session;
  if (session.id == 0) {
    worker.splice.drawn.add(1);
    session.id = hash::mix(worker.splice.seed ^ hash::mix(worker.splice.drawn.read()));
  }
  session.generation = backend.generation;
  session.backend = backend.tag;
  session.refreshed = affinity::cookie_time(context.unix_seconds);
  session.epoch = context.snapshot.epoch.value;
  write_line(worker.splice.texts.at(client.exchange.cookie), session, decision.gives_cookie,
             *splice, context);
}

void rename_home(const Side& client, BackendId backend, Context& context) noexcept {
  const SpliceService* splice = splice_of(client, context);
  if (splice->by != model::AffinityBy::kCookie) return;
  if (!client.exchange.sticky) return;
  Decision decision;
  decision.backend = backend;
  decision.gives_cookie = true;
  if (client.exchange.cookie != 0) {
    Stored stored;
    std::memcpy(&stored, context.worker.splice.texts.at(client.exchange.cookie).data(),
                sizeof(stored));
    decision.session = stored.session;
  } else {
    decision.session.born = affinity::cookie_time(context.unix_seconds);
  }
  prepare_cookie(client, decision, context);
}

std::string_view cookie_line(const Side& client, WorkerState& worker) noexcept {
  if (client.exchange.cookie == 0) return {};
  const auto text = worker.splice.texts.at(client.exchange.cookie);
  Stored stored;
  std::memcpy(&stored, text.data(), sizeof(stored));
  return {reinterpret_cast<const char*>(text.data()) + sizeof(Stored), stored.length};
}

}  // namespace hawser::pipeline
