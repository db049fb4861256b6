// The application's side of a TCP end, and everything it sends.
#include "model_tcp.h"

#include <algorithm>
#include <utility>

namespace hawser::simulation {
namespace {

// Numbers begin here, so that none is ever below zero.
constexpr std::int64_t kOrigin = INT64_C(1) << 33;
constexpr std::uint32_t kLongestTimeout = 3000;  // milliseconds, however often it was doubled
constexpr unsigned kMostExpirations = 25;        // in a row; then the end gives up
constexpr std::size_t kLeastRoom = 48;           // bytes of a segment, whatever its options take

}  // namespace

TcpEnd::TcpEnd(const TcpSettings& settings, const Address& local, const Address& remote,
               Choices& choices)
    : settings_(settings), local_(local), remote_(remote), choices_(choices) {
  una_ = next_ = most_ = kOrigin + settings.initial_sequence;
  data_at_ = una_ + 1;
  limit_ = una_;
}

void TcpEnd::fail(const std::string& what) {
  violations_.push_back(what + "\n#   at " + text());
}

std::string TcpEnd::text() const {
  static constexpr const char* kNames[] = {"SYN-SENT", "SYN-RECEIVED", "open", "TIME-WAIT",
                                           "closed"};
  std::string line = local_.text() + " with " + remote_.text() + " (";
  line += kNames[static_cast<std::size_t>(state_)];
  line += ", " + std::to_string(written_.size()) + " bytes written and not acknowledged from " +
          std::to_string(static_cast<std::uint32_t>(una_)) + ", " + std::to_string(most_ - una_) +
          " sent, window " + std::to_string(limit_ - una_) + ", expects " +
          std::to_string(static_cast<std::uint32_t>(expected_)) + ", " +
          std::to_string(early_.size()) + " early pieces, " + std::to_string(arrived_.size()) +
          " bytes unread";
  if (shut_) line += finish_acknowledged_ ? ", FIN acknowledged" : ", shut";
  if (remote_finished_) line += ", FIN received";
  return line + ")";
}

TcpEnd::Number TcpEnd::ours(std::uint32_t number) const {
  return most_ + static_cast<std::int32_t>(number - static_cast<std::uint32_t>(most_));
}

TcpEnd::Number TcpEnd::theirs(std::uint32_t number) const {
  return expected_ + static_cast<std::int32_t>(number - static_cast<std::uint32_t>(expected_));
}

std::uint32_t TcpEnd::clock(Milliseconds now) const {
  return settings_.clock + static_cast<std::uint32_t>(now);
}

// --- the application -----------------------------------------------------------------------------

void TcpEnd::connect(Milliseconds now) {
  state_ = State::kSynSent;
  first_sent_ = now;
  most_ = next_ = una_ + 1;
  output_.push_back(make(kSyn, una_, now));
  arm(now);
}

void TcpEnd::accept(const TcpSegment& syn, Milliseconds now) {
  state_ = State::kSynReceived;
  first_sent_ = now;
  agree(syn);
  most_ = next_ = una_ + 1;
  limit_ = una_ + 1 + syn.window;
  output_.push_back(make(kSyn | kAck, una_, now));
  arm(now);
}

void TcpEnd::write(std::string_view bytes, Milliseconds now) {
  written_.append(bytes);
  transmit(now);
}

std::string TcpEnd::read(std::size_t most, Milliseconds now) {
  const std::size_t count = std::min(most, arrived_.size());
  std::string bytes = arrived_.substr(0, count);
  arrived_.erase(0, count);
  // A window that was nearly closed and is open again is news.
  const Number room = edge_ - expected_;
  const Number free = static_cast<Number>(settings_.buffer -
                                          std::min<std::size_t>(settings_.buffer, arrived_.size()));
  const Number news = std::min<Number>(settings_.buffer / 2, 2 * Number{settings_.mss});
  if (count > 0 && is_open() && !remote_finished_ && free >= room + news) {
    send_acknowledgement(now);
  }
  return bytes;
}

void TcpEnd::shut(Milliseconds now) {
  if (shut_) return;
  shut_ = true;
  passive_ = remote_finished_;
  transmit(now);
}

void TcpEnd::close(Milliseconds now) {
  discards_ = true;
  shut(now);
}

void TcpEnd::abort(Milliseconds now) {
  if (state_ == State::kClosed) return;
  if (state_ == State::kOpen) output_.push_back(make(kReset | kAck, next_, now));
  state_ = State::kClosed;
  timer_.reset();
  wait_.reset();
  delayed_.reset();
}

std::vector<TcpSegment> TcpEnd::take_output() {
  return std::exchange(output_, {});
}

// --- segments ------------------------------------------------------------------------------------

// The right edge never moves back; what is told is rounded up for that.
TcpEnd::Number TcpEnd::window_edge() {
  const std::size_t free =
      settings_.buffer - std::min<std::size_t>(settings_.buffer, arrived_.size());
  // Windows that are hardly open are kept closed (RFC 9293 section 3.8.6.2.2).
  const Number edge = expected_ + static_cast<Number>(free);
  const Number step = std::min<Number>(settings_.buffer / 2, settings_.mss);
  return edge >= edge_ + step || edge_ == 0 ? edge : std::max(edge_, expected_);
}

TcpSegment TcpEnd::make(std::uint8_t flags, Number at, Milliseconds now) {
  TcpSegment segment;
  segment.source = local_;
  segment.destination = remote_;
  segment.sequence = static_cast<std::uint32_t>(at);
  segment.flags = flags;
  const bool syn = (flags & kSyn) != 0;
  const bool acknowledges = (flags & kAck) != 0;
  if (acknowledges) {
    segment.acknowledgement = static_cast<std::uint32_t>(expected_);
    const std::uint8_t shift = scaled_ && !syn ? settings_.window_scale.value_or(0) : 0;
    const Number unit = Number{1} << shift;
    const Number units = std::min<Number>((window_edge() - expected_ + unit - 1) / unit, 0xffff);
    segment.window = static_cast<std::uint16_t>(units);
    edge_ = std::max(edge_, expected_ + units * unit);
    last_acknowledged_ = expected_;
    unacknowledged_segments_ = 0;
    delayed_.reset();
  } else {
    segment.window = static_cast<std::uint16_t>(std::min<std::uint32_t>(settings_.buffer, 0xffff));
  }
  if (syn) {
    segment.mss = settings_.mss;
    segment.sack_permitted = acknowledges ? sack_ : settings_.sack;
    if (!acknowledges || scaled_) segment.window_scale = settings_.window_scale;
  }
  if (timestamps_ || (syn && !acknowledges && settings_.timestamps)) {
    segment.timestamps = {clock(now), recent_};
  }
  if (sack_ && acknowledges && !syn) {
    const std::size_t most = timestamps_ ? 3 : 4;
    for (const Number from : early_order_) {
      const auto block = early_.find(from);
      if (block == early_.end() || segment.sack.size() == most) continue;
      segment.sack.emplace_back(
          static_cast<std::uint32_t>(from),
          static_cast<std::uint32_t>(from + static_cast<Number>(block->second.size())));
    }
  }
  return segment;
}

TcpEnd::Number TcpEnd::data_end() const {
  return data_at_ + static_cast<Number>(written_.size());
}

std::size_t TcpEnd::segment_room() const {
  std::size_t options = timestamps_ ? 12 : 0;
  const std::size_t blocks = std::min<std::size_t>(early_.size(), timestamps_ ? 3 : 4);
  if (sack_ && blocks != 0) options += 4 + 8 * blocks;
  const std::size_t most = std::min<std::size_t>(their_mss_, settings_.most_bytes);
  return std::max(most - std::min(most, options), kLeastRoom);
}

// [at, at + count) of the data, with the FIN when it follows.
void TcpEnd::send_data(Number at, std::size_t count, Milliseconds now) {
  TcpSegment segment = make(kAck, at, now);
  segment.payload = written_.substr(static_cast<std::size_t>(at - data_at_), count);
  Number end = at + static_cast<Number>(count);
  if (end == data_end()) {
    if (count != 0) segment.flags |= kPush;
    if (shut_) {
      segment.flags |= kFin;
      ++end;
    }
  }
  most_ = std::max(most_, end);
  output_.push_back(std::move(segment));
}

void TcpEnd::send_acknowledgement(Milliseconds now) {
  output_.push_back(make(kAck, std::max(next_, una_), now));
}

bool TcpEnd::transmit_one(Milliseconds now) {
  if (state_ != State::kOpen) return false;
  auto block = sacked_.upper_bound(next_);
  if (block != sacked_.begin() && std::prev(block)->second > next_) {
    next_ = std::prev(block)->second;
    block = sacked_.upper_bound(next_);
  }
  const Number end = data_end();
  const std::size_t room = segment_room();
  const Number limit = std::min(limit_, una_ + static_cast<Number>(settings_.in_flight * room));
  if (next_ == end && shut_) {
    if (limit <= next_) return false;
    send_data(next_, 0, now);
    ++next_;
    return true;
  }
  if (next_ >= end || next_ >= limit) return false;
  Number count = std::min({static_cast<Number>(room), end - next_, limit - next_});
  // Silly windows are not filled (RFC 9293 section 3.8.6.2.1).
  const bool cut = count < static_cast<Number>(room) && count < end - next_;
  if (cut && una_ < next_) return false;
  if (block != sacked_.end()) count = std::min(count, block->first - next_);
  if (choices_.permille(settings_.small_permille)) {
    count = static_cast<Number>(choices_.between(1, static_cast<std::uint64_t>(count)));
  }
  send_data(next_, static_cast<std::size_t>(count), now);
  next_ += count;
  if (next_ == end && shut_) ++next_;
  return true;
}

void TcpEnd::transmit(Milliseconds now) {
  while (transmit_one(now)) {
  }
  arm(now);
}

// What is missing at the other end, once.
void TcpEnd::retransmit_hole(Milliseconds now) {
  const Number end = data_end();
  Number count = std::min<Number>(static_cast<Number>(segment_room()), end - una_);
  if (!sacked_.empty()) count = std::min(count, sacked_.begin()->first - una_);
  count = std::min(count, most_ - una_);
  if (count < 0 || (count == 0 && !(una_ == end && shut_))) return;
  send_data(una_, static_cast<std::size_t>(count), now);
}

// --- time ----------------------------------------------------------------------------------------

// The timer runs while something is sent and not acknowledged, or waits for a window.
void TcpEnd::arm(Milliseconds now) {
  if (state_ == State::kClosed || state_ == State::kTimeWait) return timer_.reset();
  const bool outstanding = una_ < most_;
  const bool waits =
      state_ == State::kOpen && (next_ < data_end() || (shut_ && !finish_acknowledged_));
  if (!outstanding && !waits) {
    expirations_ = 0;
    return timer_.reset();
  }
  if (timer_) return;
  const std::uint32_t timeout =
      std::min(settings_.timeout << std::min(expirations_, 8U), kLongestTimeout);
  timer_ = now + timeout;
}

void TcpEnd::probe(Milliseconds now) {
  const bool has_data = una_ < data_end();
  if (!settings_.probes_with_data || !has_data) {
    output_.push_back(make(kAck, una_ - 1, now));
    return;
  }
  send_data(una_, 1, now);
  next_ = std::max(next_, una_ + 1);
}

void TcpEnd::expire(Milliseconds now) {
  timer_.reset();
  if (++expirations_ > kMostExpirations) {
    gave_up_ = true;
    return abort_silently();
  }
  switch (state_) {
    case State::kSynSent:
      output_.push_back(make(kSyn, una_, now));
      break;
    case State::kSynReceived:
      output_.push_back(make(kSyn | kAck, una_, now));
      break;
    case State::kOpen:
      // The other end may have thrown away what it acknowledged selectively (RFC 2018 section 8).
      sacked_.clear();
      duplicates_ = 0;
      recovery_ = most_;
      if (limit_ <= una_) {
        probe(now);
      } else {
        next_ = una_;
        static_cast<void>(transmit_one(now));
      }
      break;
    case State::kTimeWait:
    case State::kClosed:
      return;
  }
  arm(now);
}

void TcpEnd::tick(Milliseconds now) {
  if (delayed_ && *delayed_ <= now) send_acknowledgement(now);
  if (timer_ && *timer_ <= now) expire(now);
  if (wait_ && *wait_ <= now) {
    wait_.reset();
    state_ = State::kClosed;
  }
}

std::optional<Milliseconds> TcpEnd::deadline() const {
  std::optional<Milliseconds> first;
  for (const auto& due : {timer_, delayed_, wait_}) {
    if (due && (!first || *due < *first)) first = due;
  }
  return first;
}

}  // namespace hawser::simulation
