// TcpEnd: one end of a TCP connection in virtual time, plain and strict.
//
// RFC 9293 with timestamps and PAWS (RFC 7323), selective acknowledgements (RFC 2018), the checks
// of RFC 5961, a retransmission timer with back-off and fast retransmit. No congestion control but
// a fixed number of segments in flight: the tests want traffic, not fairness. Numbers are unwrapped
// to 64 bits, so that no comparison can be wrong.
//
// What the other end (or whoever is in between) must never do is written down in violations().
// Threading: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "choices.h"
#include "model_segment.h"

namespace hawser::simulation {

using Milliseconds = std::int64_t;

struct TcpSettings {
  bool timestamps = true;
  bool sack = true;
  std::optional<std::uint8_t> window_scale = std::uint8_t{7};
  std::uint16_t mss = 1460;         // that it announces
  std::uint32_t most_bytes = 1460;  // that its own link carries: TCP options and payload
  std::uint32_t buffer = 65536;     // bytes it keeps for a reader
  std::uint32_t in_flight = 10;     // segments
  std::uint32_t initial_sequence = 0;
  std::uint32_t clock = 0;              // of its timestamps, at time 0
  std::uint32_t timeout = 300;          // of the first retransmission, milliseconds
  std::uint32_t acknowledge_every = 2;  // segments
  std::uint32_t small_permille = 0;     // segments that are cut short for no reason
  bool needs_timestamps = false;        // on every segment, once they are agreed on
  // How much older than its first time an echo may be, milliseconds: a balancer that joins others
  // to this end has told them of times before.
  std::uint32_t echo_slack = 0;
  bool probes_with_data = false;  // a closed window; else with a number that is acknowledged
};

class TcpEnd {
 public:
  enum class State : std::uint8_t {
    kSynSent,
    kSynReceived,
    kOpen,  // and everything up to both FINs
    kTimeWait,
    kClosed,
  };

  TcpEnd(const TcpSettings& settings, const Address& local, const Address& remote,
         Choices& choices);

  // --- for the application -----------------------------------------------------------------------
  void connect(Milliseconds now);
  void write(std::string_view bytes, Milliseconds now);
  // Bytes that have come in order; at most so many. Opens the window again.
  std::string read(std::size_t most, Milliseconds now);
  // No more bytes will be written.
  void shut(Milliseconds now);
  // No more will be read either: what comes is answered with a reset.
  void close(Milliseconds now);
  void abort(Milliseconds now);

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] bool is_open() const noexcept { return state_ == State::kOpen; }
  [[nodiscard]] std::size_t readable() const noexcept { return arrived_.size(); }
  [[nodiscard]] std::uint64_t unacknowledged() const noexcept { return written_.size(); }
  // All was read, and the other end sends no more.
  [[nodiscard]] bool at_end() const noexcept { return remote_finished_ && arrived_.empty(); }
  [[nodiscard]] bool was_reset() const noexcept { return was_reset_; }
  // What it sent was never acknowledged.
  [[nodiscard]] bool gave_up() const noexcept { return gave_up_; }
  // Only a SYN or a FIN of it is not acknowledged.
  [[nodiscard]] bool has_sent_all() const noexcept { return written_.empty(); }
  // Everything written was acknowledged, and everything has come: what remains is a farewell.
  [[nodiscard]] bool delivered_all() const noexcept {
    return written_.empty() && remote_finished_ && shut_;
  }

  // --- for the network ---------------------------------------------------------------------------
  // A SYN makes the passive end; everything else is for one that is there.
  void accept(const TcpSegment& syn, Milliseconds now);
  void receive(const TcpSegment& segment, Milliseconds now);
  void tick(Milliseconds now);
  [[nodiscard]] std::optional<Milliseconds> deadline() const;
  // What is to be sent, in order.
  [[nodiscard]] std::vector<TcpSegment> take_output();

  [[nodiscard]] const Address& local() const noexcept { return local_; }
  [[nodiscard]] const Address& remote() const noexcept { return remote_; }
  [[nodiscard]] std::vector<std::string>& violations() noexcept { return violations_; }
  // For people.
  [[nodiscard]] std::string text() const;

 private:
  using Number = std::int64_t;  // a sequence number that does not wrap

  [[nodiscard]] Number ours(std::uint32_t number) const;
  [[nodiscard]] Number theirs(std::uint32_t number) const;
  [[nodiscard]] std::uint32_t clock(Milliseconds now) const;

  // Sending.
  [[nodiscard]] Number data_end() const;
  [[nodiscard]] std::size_t segment_room() const;
  [[nodiscard]] TcpSegment make(std::uint8_t flags, Number at, Milliseconds now);
  void send_data(Number at, std::size_t count, Milliseconds now);
  void send_acknowledgement(Milliseconds now);
  void transmit(Milliseconds now);
  bool transmit_one(Milliseconds now);
  void retransmit_hole(Milliseconds now);
  void probe(Milliseconds now);
  void arm(Milliseconds now);
  void expire(Milliseconds now);

  // Receiving.
  void take_syn_acknowledgement(const TcpSegment& segment, Milliseconds now);
  void agree(const TcpSegment& syn);
  bool is_fresh(const TcpSegment& segment, Milliseconds now);
  bool take_control(const TcpSegment& segment, Number at, Milliseconds now);
  bool take_acknowledgement(const TcpSegment& segment, Number at, Milliseconds now);
  void advance(Number acknowledged, Milliseconds now);
  void take_sack(const TcpSegment& segment);
  void take_payload(const TcpSegment& segment, Number at, Milliseconds now);
  void store(Number at, std::string_view bytes);
  void join(Milliseconds now);
  void finish_if_done(Milliseconds now);
  void abort_silently();
  void check_echo(const TcpSegment& segment, Milliseconds now);
  [[nodiscard]] Number window_edge();
  void fail(const std::string& what);

  TcpSettings settings_;
  Address local_;
  Address remote_;
  Choices& choices_;
  State state_ = State::kClosed;
  std::vector<TcpSegment> output_;
  std::vector<std::string> violations_;

  bool timestamps_ = false;
  bool sack_ = false;
  bool scaled_ = false;
  std::uint8_t their_scale_ = 0;
  std::uint16_t their_mss_ = 536;

  std::string written_;  // and not acknowledged
  bool shut_ = false;
  bool passive_ = false;  // the other end finished first
  Number data_at_ = 0;    // of written_
  Number una_ = 0;
  Number next_ = 0;
  Number most_ = 0;       // behind the last that was ever sent
  Number limit_ = 0;      // right edge of their window
  Number window_at_ = 0;  // sequence and acknowledgement of what told us of it
  Number window_ack_ = 0;
  std::map<Number, Number> sacked_;
  unsigned duplicates_ = 0;
  Number recovery_ = 0;
  bool finish_acknowledged_ = false;

  Number expected_ = 0;
  Number edge_ = 0;      // right edge of the window that we told
  std::string history_;  // all that came in order; for comparing what comes again
  Number history_at_ = 0;
  std::string arrived_;  // not yet read
  std::map<Number, std::string> early_;
  std::vector<Number> early_order_;  // newest first
  std::optional<Number> finish_at_;
  bool remote_finished_ = false;
  bool discards_ = false;
  bool was_reset_ = false;
  bool gave_up_ = false;
  std::uint32_t recent_ = 0;  // TS.Recent
  Number last_acknowledged_ = 0;
  Milliseconds first_sent_ = 0;
  unsigned unacknowledged_segments_ = 0;

  std::optional<Milliseconds> timer_;
  std::optional<Milliseconds> delayed_;
  std::optional<Milliseconds> wait_;
  unsigned expirations_ = 0;
};

}  // namespace hawser::simulation
