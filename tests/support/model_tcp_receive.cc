// What a TCP end does with segments that come: RFC 9293 section 3.10.7, RFC 5961, 7323 and 2018.
#include <algorithm>

#include "model_tcp.h"

namespace hawser::simulation {
namespace {

constexpr Milliseconds kDelayedAcknowledgement = 40;
constexpr Milliseconds kTimeWait = 2000;
constexpr unsigned kDuplicates = 3;  // then the hole is filled (RFC 5681)
constexpr std::int64_t kOrigin = INT64_C(1) << 33;
// How old an acknowledgement may be; beyond it lies nobody honest (RFC 5961 section 5.2).
constexpr std::int64_t kOldest = 1 << 20;

bool is_older(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

}  // namespace

// What the SYN or SYN-ACK of the other end says.
void TcpEnd::agree(const TcpSegment& syn) {
  expected_ = kOrigin + syn.sequence + 1;
  history_at_ = expected_;
  window_at_ = expected_ - 1;
  edge_ = 0;
  timestamps_ = settings_.timestamps && syn.timestamps.has_value();
  sack_ = settings_.sack && syn.sack_permitted;
  scaled_ = settings_.window_scale.has_value() && syn.window_scale.has_value();
  their_scale_ = scaled_ ? *syn.window_scale : std::uint8_t{0};
  their_mss_ = syn.mss.value_or(536);
  if (timestamps_) recent_ = syn.timestamps->value;
  last_acknowledged_ = expected_;
  if (syn.mss && *syn.mss < 64) fail("an MSS of " + std::to_string(*syn.mss));
}

void TcpEnd::take_syn_acknowledgement(const TcpSegment& segment, Milliseconds now) {
  const bool acknowledges = segment.has(kAck) && ours(segment.acknowledgement) == una_ + 1;
  if (segment.has(kAck) && !acknowledges) {
    fail("in SYN-SENT comes " + segment.text());
    return;
  }
  if (segment.has(kReset)) {
    if (!acknowledges) return;
    was_reset_ = true;
    state_ = State::kClosed;
    return timer_.reset();
  }
  if (!segment.has(kSyn) || !acknowledges) return;
  agree(segment);
  check_echo(segment, now);
  if (segment.timestamps && !settings_.timestamps) fail("timestamps that it did not offer");
  if (segment.window_scale && !settings_.window_scale) fail("a window scale it did not offer");
  if (segment.sack_permitted && !settings_.sack) fail("SACK that it did not offer");
  una_ = next_ = most_;
  limit_ = una_ + segment.window;
  window_ack_ = una_;
  state_ = State::kOpen;
  timer_.reset();
  expirations_ = 0;
  send_acknowledgement(now);
  transmit(now);
}

// An echo is a time that this end has shown since it began (RFC 7323 section 4).
void TcpEnd::check_echo(const TcpSegment& segment, Milliseconds now) {
  if (!segment.timestamps || !segment.has(kAck) || segment.has(kReset)) return;
  const std::uint32_t echo = segment.timestamps->echo;
  if (is_older(echo, clock(first_sent_) - settings_.echo_slack) || is_older(clock(now), echo)) {
    fail("echoes a time that was never sent (first " + std::to_string(clock(first_sent_)) +
         ", now " + std::to_string(clock(now)) + "): " + segment.text());
  }
}

// The shape of a segment of an open connection, and PAWS.
bool TcpEnd::is_fresh(const TcpSegment& segment, Milliseconds now) {
  if (segment.mss || segment.window_scale || segment.sack_permitted) {
    if (!segment.has(kSyn)) fail("options of a SYN on " + segment.text());
  }
  if (segment.payload.size() + option_bytes(segment) > settings_.mss) {
    fail("longer than the MSS of " + std::to_string(settings_.mss) + ": " + segment.text());
  }
  if (timestamps_ && !segment.timestamps && settings_.needs_timestamps && !segment.has(kReset)) {
    fail("without the timestamps that were agreed on: " + segment.text());
  }
  check_echo(segment, now);
  if (!timestamps_ || !segment.timestamps || segment.has(kReset)) return true;
  if (!is_older(segment.timestamps->value, recent_)) return true;
  if (state_ != State::kSynReceived) send_acknowledgement(now);
  return false;
}

// RST and SYN; true when that was all.
bool TcpEnd::take_control(const TcpSegment& segment, Number at, Milliseconds now) {
  if (segment.has(kReset)) {
    if (at == expected_) {
      was_reset_ = true;
      abort_silently();
    } else {
      send_acknowledgement(now);
    }
    return true;
  }
  if (segment.has(kSyn)) {
    // The first SYN or SYN-ACK once more, or an attempt: an acknowledgement answers both.
    if (state_ == State::kSynReceived && at + 1 == expected_) {
      output_.push_back(make(kSyn | kAck, una_, now));
    } else {
      send_acknowledgement(now);
    }
    return true;
  }
  return !segment.has(kAck);
}

void TcpEnd::abort_silently() {
  state_ = State::kClosed;
  timer_.reset();
  delayed_.reset();
  wait_.reset();
}

void TcpEnd::receive(const TcpSegment& segment, Milliseconds now) {
  if (state_ == State::kClosed) return;
  if (state_ == State::kSynSent) return take_syn_acknowledgement(segment, now);
  if (!is_fresh(segment, now)) return;
  const Number at = theirs(segment.sequence);
  const Number end = at + static_cast<Number>(segment.length());
  if (at > std::max(edge_, expected_) || end < expected_) {
    if (segment.has(kReset)) return;
    if (state_ == State::kSynReceived) {
      if (segment.has(kSyn)) output_.push_back(make(kSyn | kAck, una_, now));
      return;
    }
    send_acknowledgement(now);
    // What acknowledges our FIN may lie before what was expected; it counts all the same.
  }
  if (take_control(segment, at, now)) return;
  if (segment.timestamps && timestamps_ && at <= last_acknowledged_) {
    if (!is_older(segment.timestamps->value, recent_)) recent_ = segment.timestamps->value;
  }
  if (!take_acknowledgement(segment, at, now)) return;
  if (segment.has(kFin) || !segment.payload.empty()) take_payload(segment, at, now);
  if (state_ == State::kOpen) transmit(now);
  finish_if_done(now);
}

bool TcpEnd::take_acknowledgement(const TcpSegment& segment, Number at, Milliseconds now) {
  const Number acknowledged = ours(segment.acknowledgement);
  if (state_ == State::kSynReceived && acknowledged != most_) {
    // A late copy of a SYN made this end, and the other is of a connection before.
    TcpSegment reset = make(kReset, most_, now);
    reset.sequence = segment.acknowledgement;
    output_.push_back(std::move(reset));
    return false;
  }
  if (acknowledged > most_ || acknowledged < una_ - kOldest) {
    fail("acknowledges what was never sent: " + segment.text());
    return false;
  }
  if (state_ == State::kSynReceived) {
    state_ = State::kOpen;
    una_ = acknowledged;
    next_ = std::max(next_, una_);
    expirations_ = 0;
    timer_.reset();
    window_at_ = at;
    window_ack_ = acknowledged;
    limit_ = acknowledged + (Number{segment.window} << their_scale_);
    return true;
  }
  const Number edge = acknowledged + (Number{segment.window} << their_scale_);
  const bool duplicate = acknowledged == una_ && segment.payload.empty() && !segment.has(kFin) &&
                         edge == limit_ && una_ < most_;
  if (window_at_ < at || (window_at_ == at && window_ack_ <= acknowledged)) {
    const bool newer = una_ < acknowledged;
    // A window that shrinks under what is on its way (RFC 9293 section 3.8.6).
    if (newer && edge < limit_ && acknowledged < std::min(most_, data_end())) {
      fail("the window shrinks by " + std::to_string(limit_ - edge) + ": " + segment.text());
    }
    window_at_ = at;
    window_ack_ = acknowledged;
    limit_ = std::max(limit_, edge);
  }
  take_sack(segment);
  if (acknowledged > una_) {
    advance(acknowledged, now);
  } else if (duplicate && ++duplicates_ == kDuplicates && una_ >= recovery_) {
    recovery_ = most_;
    retransmit_hole(now);
  }
  return true;
}

void TcpEnd::advance(Number acknowledged, Milliseconds now) {
  const Number end = data_end();
  const Number to = std::min(acknowledged, end);
  if (to > data_at_) {
    written_.erase(0, static_cast<std::size_t>(to - data_at_));
    data_at_ = to;
  }
  una_ = acknowledged;
  next_ = std::max(next_, una_);
  if (shut_ && acknowledged > end) finish_acknowledged_ = true;
  while (!sacked_.empty() && sacked_.begin()->second <= una_) sacked_.erase(sacked_.begin());
  duplicates_ = 0;
  expirations_ = 0;
  timer_.reset();
  if (una_ < recovery_) retransmit_hole(now);
}

// Options that were not agreed on are ignored (RFC 7323 section 3.2 for timestamps; Linux for
// these).
void TcpEnd::take_sack(const TcpSegment& segment) {
  if (!sack_) return;
  for (const auto& [from, to] : segment.sack) {
    const Number begin = ours(from);
    const Number end = ours(to);
    if (begin == end) continue;  // of bytes that somebody inserted; ignored, as Linux does
    if (begin > end || end > most_ || begin < una_ - kOldest) {
      fail("acknowledges selectively what was never sent: " + segment.text());
      continue;
    }
    if (end <= una_ || begin < una_) continue;
    Number& known = sacked_[begin];
    known = std::max(known, end);
  }
}

// Compares with what came before, keeps what is new. What was acknowledged nobody looks at again,
// and whoever inserts bytes into the stream may have forgotten about them by then.
void TcpEnd::store(Number at, std::string_view bytes) {
  const auto compare = [this](std::string_view before, Number before_at, std::string_view again,
                              Number again_at) {
    const Number from = std::max({before_at, again_at, last_acknowledged_});
    const Number to = std::min(before_at + static_cast<Number>(before.size()),
                               again_at + static_cast<Number>(again.size()));
    if (from >= to) return;
    const auto count = static_cast<std::size_t>(to - from);
    if (before.substr(static_cast<std::size_t>(from - before_at), count) !=
        again.substr(static_cast<std::size_t>(from - again_at), count)) {
      fail("bytes at " + std::to_string(static_cast<std::uint32_t>(from)) +
           " differ from what came there before");
    }
  };
  compare(history_, history_at_, bytes, at);
  for (const auto& [early_at, early] : early_) compare(early, early_at, bytes, at);
  // Within the window, and behind what is there; blocks are kept apart and joined in order.
  if (at < expected_) {
    bytes.remove_prefix(std::min(bytes.size(), static_cast<std::size_t>(expected_ - at)));
    at = expected_;
  }
  const Number room = std::max<Number>(edge_ - at, 0);
  bytes = bytes.substr(0, static_cast<std::size_t>(room));
  if (bytes.empty()) return;
  std::string block(bytes);
  for (auto each = early_.begin(); each != early_.end();) {
    const Number each_end = each->first + static_cast<Number>(each->second.size());
    const Number end = at + static_cast<Number>(block.size());
    if (each_end < at || each->first > end) {
      ++each;
      continue;
    }
    if (each->first < at) {
      block.insert(0, each->second, 0, static_cast<std::size_t>(at - each->first));
      at = each->first;
    }
    if (each_end > end) block += each->second.substr(static_cast<std::size_t>(end - each->first));
    each = early_.erase(each);
  }
  early_[at] = std::move(block);
  std::erase_if(early_order_, [&](Number from) { return from == at || !early_.contains(from); });
  early_order_.insert(early_order_.begin(), at);
}

void TcpEnd::join(Milliseconds now) {
  const auto first = early_.begin();
  if (first != early_.end() && first->first <= expected_) {
    if (discards_) {
      output_.push_back(make(kReset | kAck, next_, now));
      return abort_silently();
    }
    history_ += first->second;
    arrived_ += first->second;
    expected_ += static_cast<Number>(first->second.size());
    early_.erase(first);
    std::erase_if(early_order_, [&](Number from) { return !early_.contains(from); });
  }
  if (finish_at_ && expected_ == *finish_at_ && !remote_finished_) {
    remote_finished_ = true;
    ++expected_;
  }
}

void TcpEnd::take_payload(const TcpSegment& segment, Number at, Milliseconds now) {
  const Number data_end = at + static_cast<Number>(segment.payload.size());
  if (finish_at_ && data_end > *finish_at_) fail("bytes behind the FIN: " + segment.text());
  const Number before = expected_;
  if (segment.has(kFin) && data_end <= edge_) {
    if (finish_at_ && *finish_at_ != data_end) fail("a second FIN elsewhere: " + segment.text());
    finish_at_ = data_end;
  }
  store(at, segment.payload);
  join(now);
  if (state_ == State::kClosed) return;
  const bool in_order = before == at && expected_ > before && early_.empty();
  ++unacknowledged_segments_;
  if (!in_order || remote_finished_ || unacknowledged_segments_ >= settings_.acknowledge_every) {
    send_acknowledgement(now);
  } else if (!delayed_) {
    delayed_ = now + kDelayedAcknowledgement;
  }
}

void TcpEnd::finish_if_done(Milliseconds now) {
  if (state_ == State::kTimeWait) {
    wait_ = now + kTimeWait;
    return;
  }
  if (state_ != State::kOpen || !finish_acknowledged_ || !remote_finished_) return;
  timer_.reset();
  delayed_.reset();
  state_ = passive_ ? State::kClosed : State::kTimeWait;
  if (!passive_) wait_ = now + kTimeWait;
}

}  // namespace hawser::simulation
