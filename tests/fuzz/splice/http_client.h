// HttpClient: one connection's way through its plan over a model TCP end; checks every answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ledger.h"
#include "peer/content.h"
#include "peer/heads.h"
#include "peer/message.h"
#include "peer/plan.h"
#include "speaker.h"

namespace hawser::simulation {

struct ClientSettings {
  std::uint64_t connection = 0;
  adversary::Plan plan;
  std::size_t user = 0;
  std::string cookie;      // name of the one the balancer gives; empty: none may be inserted
  bool homes_hold = true;  // no backend fails: who has a home is always there
  // What decides where a request goes, so that equal ones must meet the same server; empty:
  // nothing.
  enum class By : std::uint8_t { kNothing, kConnection, kNumber, kUser } by = By::kNothing;
  bool may_be_refused = false;                // backends refuse, or are silent
  bool may_miss_reset = false;                // a reset that is lost does not come again
  std::optional<std::uint64_t> leaves_after;  // bytes received; then it resets
  Manner manner;
};

class HttpClient {
 public:
  HttpClient(TcpEnd& tcp, const ClientSettings& settings, Choices& choices, Ledger& ledger);

  // Throws adversary::Wrong when something is not as it must be.
  void step(Milliseconds now);
  [[nodiscard]] std::optional<Milliseconds> deadline() const;
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  [[nodiscard]] bool may_be_forgotten() const { return finished_ && speaker_.tcp().has_sent_all(); }
  [[nodiscard]] std::string where() const;

 private:
  struct Sent {
    std::string home;  // server of the cookie that was sent; empty when none was
    bool had_cookie = false;
    bool saw_continue = false;
    bool saw_hints = false;
    Milliseconds at = 0;
  };

  void send_requests(Milliseconds now);
  void send_body(const adversary::Exchange& exchange);
  [[nodiscard]] std::string cookies(const adversary::Exchange& exchange) const;
  adversary::Body take_head(const adversary::Head& head);
  adversary::Body take_refusal(const adversary::Head& head);
  void take_final(const adversary::Head& head, const adversary::Exchange& exchange,
                  const Sent& request, const adversary::Response& response);
  void check_home(const adversary::Exchange& exchange, const Sent& request,
                  const std::string& server);
  adversary::Body begin_body(const adversary::Head& head, const adversary::Exchange& exchange);
  void arrived(std::string_view bytes);
  void message_ended();
  void ended();
  void reset();

  ClientSettings settings_;
  Speaker speaker_;
  Ledger& ledger_;
  User& user_;
  adversary::MessageReader reader_;
  std::optional<adversary::ContentCheck> body_;
  std::optional<adversary::ContentCheck> tunnel_;
  std::vector<Sent> requests_;
  std::size_t sent_ = 0;
  std::size_t read_ = 0;
  std::uint64_t received_ = 0;  // bytes
  Milliseconds now_ = 0;
  Milliseconds heard_ = 0;  // when something came last
  bool final_ = false;
  bool refused_ = false;
  bool finished_ = false;
};

}  // namespace hawser::simulation
