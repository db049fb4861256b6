// HttpServer: one connection of an origin over a model TCP end; answers, and checks what it gets.
#pragma once

#include <optional>
#include <string>

#include "ledger.h"
#include "peer/content.h"
#include "peer/heads.h"
#include "peer/message.h"
#include "speaker.h"

namespace hawser::simulation {

struct ServerSettings {
  std::string name;
  adversary::ClientAddress told = adversary::ClientAddress::kNone;
  std::uint64_t cut_permille = 0;   // responses in the middle of which it resets
  std::uint64_t slow_permille = 0;  // answers that take up to slow_ms to begin
  std::uint32_t slow_ms = 0;
  Milliseconds idle = 20'000;  // without a request; then it closes
  Manner manner;
};

class HttpServer {
 public:
  HttpServer(TcpEnd& tcp, const ServerSettings& settings, Choices& choices, Ledger& ledger,
             Milliseconds now);

  // Throws adversary::Wrong when something is not as it must be.
  void step(Milliseconds now);
  [[nodiscard]] std::optional<Milliseconds> deadline() const;
  // Nobody may know of it any more, when acknowledgements were lost: its client has gone, or has
  // all answers and goes elsewhere; or nothing but a SYN or FIN is left.
  [[nodiscard]] bool may_be_forgotten() const;
  [[nodiscard]] std::string where() const;

 private:
  void process(Milliseconds now);
  std::size_t take_proxy_header();
  adversary::Body take_head(const adversary::Head& head);
  void answer(Milliseconds now);
  void speak();
  void ended(Milliseconds now);
  void reset();

  ServerSettings settings_;
  Speaker speaker_;
  Ledger& ledger_;
  adversary::MessageReader reader_;
  std::string input_;  // not yet taken
  std::optional<adversary::Request> request_;
  std::optional<adversary::ContentCheck> body_;
  std::optional<adversary::ContentCheck> tunnel_;
  std::string received_;  // what X-Received says
  std::string proxy_client_;
  std::string proxy_target_;
  std::string client_;
  std::uint64_t last_number_ = 0;
  std::uint64_t requests_ = 0;
  bool needs_proxy_;
  bool answering_ = false;  // what comes meanwhile waits
  bool leaving_ = false;
  bool finished_ = false;
  std::optional<std::size_t> cuts_at_;     // bytes that are left to say when it resets
  std::optional<Milliseconds> speaks_at_;  // the answer waits until then
  Milliseconds active_;
};

}  // namespace hawser::simulation
