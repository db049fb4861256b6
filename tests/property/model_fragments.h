// The model's memory of fragments of one worker: whose ports are known, and who waits for them.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "hawser/hash/flow_hash.h"
#include "model_config.h"
#include "segment.h"

namespace hawser::property {

// What a first fragment said.
struct KnownDatagram {
  std::uint64_t key = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t identification = 0;  // behind nat
  Milliseconds seen = 0;
};

class ModelFragments {
 public:
  explicit ModelFragments(const hash::FlowHash& hash) : hash_(&hash) {}

  // Nobody: unknown, or too long ago.
  [[nodiscard]] const KnownDatagram* find(const Segment& piece, Milliseconds now) const;
  // Takes note of a first fragment; `next` gives out identifications. Those that waited for it are
  // released.
  template <typename Next>
  void remember(const Segment& piece, Milliseconds now, Next&& next) {
    const KnownDatagram* known = find(piece, now);
    const bool again = known != nullptr && known->source_port == piece.source_port &&
                       known->destination_port == piece.destination_port;
    if (!again) put(piece, next(), now);
    release(key_of(piece));
  }
  // False when too many wait.
  [[nodiscard]] bool hold(const Segment& piece, Milliseconds now);
  // Forgets those that waited too long; how many.
  [[nodiscard]] std::size_t give_up(Milliseconds now);
  [[nodiscard]] std::size_t held() const { return held_.size(); }
  // Those to go their way once more, in the order they came.
  [[nodiscard]] std::vector<Segment>& released() { return released_; }

 private:
  struct Held {
    std::uint64_t key = 0;
    Milliseconds since = 0;
    Segment piece;
  };

  [[nodiscard]] std::uint64_t key_of(const Segment& piece) const;
  void put(const Segment& piece, std::uint32_t identification, Milliseconds now);
  void release(std::uint64_t key);

  const hash::FlowHash* hash_;
  std::map<std::uint64_t, std::vector<KnownDatagram>> sets_;
  std::vector<Held> held_;
  std::vector<Segment> released_;
};

}  // namespace hawser::property
