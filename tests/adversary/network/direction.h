// One direction of a hostile link: frames go in, and come out lost, late, twice, in pieces or
// joined.
//
// What happens to the n-th frame depends on the seed and n alone; only what depends on time (when
// something late comes out, and whether a held segment's successor came soon enough to join it)
// depends on the clock, which is an argument. Threading: none; each direction belongs to one
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "network/faults.h"
#include "network/segment.h"

namespace hawser::adversary {

using Nanoseconds = std::int64_t;  // of a clock that never goes back

// What each end of a link has announced in its SYN that it can receive; both directions share it.
class Announced {
 public:
  void note(const Frame& frame, const Segment& segment);
  // Bytes of the largest IP packet that the receiver of this segment takes. Little when it is
  // unknown, for somewhere behind this link may be a narrower one.
  [[nodiscard]] std::size_t room_for(const Frame& frame, const Segment& segment) const;

 private:
  std::unordered_map<std::string, std::size_t> mss_;  // by flow
};

class Direction {
 public:
  // `mtu`: of the link, bytes. Joining makes no IP packet larger, nor one that the receiver does
  // not take.
  Direction(const Faults& faults, std::uint64_t seed, std::size_t mtu, Announced& announced);

  // A frame has come; whatever is to be sent now is appended to `out`.
  void put(std::span<const std::uint8_t> bytes, Nanoseconds now, std::vector<Frame>& out);

  // Appends what has become due.
  void tick(Nanoseconds now, std::vector<Frame>& out);

  // When tick has something to do; nothing when all is sent.
  [[nodiscard]] std::optional<Nanoseconds> deadline() const;

  [[nodiscard]] Counts& counts() noexcept { return counts_; }

 private:
  struct Held {  // waits for its successor
    Frame frame;
    Random random;
    std::uint64_t number;
  };
  struct HeldUntil {
    Nanoseconds due;
    std::string flow;
    std::uint64_t number;
  };
  struct Late {  // waits until others have passed
    Frame frame;
    std::uint64_t after;  // of passed_
    Nanoseconds due;
  };
  struct Delayed {  // waits for its time
    Nanoseconds due;
    std::uint64_t number;
    Frame frame;
    bool operator<(const Delayed& other) const {  // the earliest is the greatest
      return due != other.due ? due > other.due : number > other.number;
    }
  };

  bool joined_or_held(Frame& frame, const Segment& segment, Random& random, Nanoseconds now,
                      std::vector<Frame>& out);
  void cut(Frame frame, Random& random, Nanoseconds now, std::vector<Frame>& out);
  void suffer(Frame frame, Random& random, Nanoseconds now, std::vector<Frame>& out);
  void travel(Frame frame, Random& random, Nanoseconds now, std::vector<Frame>& out);
  void pass(Frame frame, std::vector<Frame>& out);

  Faults faults_;
  std::uint64_t seed_;
  std::size_t mtu_;
  Announced& announced_;
  std::uint64_t number_ = 0;   // of frames that came
  std::uint64_t passed_ = 0;   // of segments sent
  std::uint64_t ordinal_ = 0;  // of delayed ones
  std::unordered_map<std::string, Held> held_;
  std::deque<HeldUntil> held_until_;  // by time; may name what was joined meanwhile
  std::list<Late> late_;              // by time
  std::priority_queue<Delayed> delayed_;
  Counts counts_;
};

}  // namespace hawser::adversary
