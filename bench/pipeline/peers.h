// Peers: the clients and backends of spliced connections, as far as they must remember anything.
//
// A client's first sequence number is the number of its connection: so the balancer's answers, and
// what it sends to backends, tell whose they are.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "rig.h"
#include "stream_frame.h"

namespace hawser::bench {

// The rig of a service that is read, with so many connections at the same time.
struct SplicedSetup {
  unsigned family = 4;
  std::uint32_t connections = 0;
  std::size_t rules = 0;
};
[[nodiscard]] RigSetup spliced_rig(const SplicedSetup& setup);

// What connections carry behind the first request: more requests, or one body without an end in
// sight.
enum class Bulk : std::uint8_t { kNone, kDown, kUp };

struct PeersSetup {
  std::uint32_t remembered = 0;  // connections at the same time; a power of two
  bool timestamps = true;        // both sides use the TCP option
  std::size_t head_bytes = 0;    // of a request
  std::size_t response_bytes = 0;
  Bulk bulk = Bulk::kNone;
  std::size_t payload = 0;  // of a segment of that body; 0: as much as fits
};

// What somebody sends next.
enum class Say : std::uint8_t {
  kSyn,
  kAccept,  // the acknowledgement of the balancer's SYN-ACK
  kRequest,
  kSynAck,
  kTaken,  // the backend's acknowledgement of the request
  kResponse,
  kThanks,  // the client's acknowledgement
  kClientFin,
  kServerFin,
  kBody,  // a segment of the body, from whoever sends it
};

class Peers {
 public:
  Peers(Rig& rig, const PeersSetup& setup);

  // The next packet of connection `n` behind those in the burst, where there must be room. `part`:
  // which segment of the request.
  void say(Say what, std::uint32_t n, pipeline::Burst& burst, std::uint32_t part = 0) noexcept;
  // Takes from packets that left what clients learn of SYN-ACKs, and backends of SYNs.
  void learn(std::span<const pipeline::Packet> packets) noexcept;

  // The same of `size` connections from `first` on, burst by burst through the rig.
  void say_all(Say what, std::uint32_t part, std::uint32_t first, std::uint32_t size);
  // Every connection through its handshake with the client, the first request, and the handshake
  // with its backend; then whatever else is to be said on it.
  void join_all(std::initializer_list<Say> then);

  [[nodiscard]] std::uint32_t payload() const noexcept { return body_.payload(); }
  [[nodiscard]] std::uint32_t request_segments() const noexcept {
    return static_cast<std::uint32_t>(requests_.front().size());
  }

 private:
  struct Talk {
    End local;
    End backend;
    std::uint32_t up = 0;     // the client's next number
    std::uint32_t down = 0;   // the backend's next number, as the client sees it
    std::uint32_t shift = 0;  // taken off, it is the backend's own
    std::uint32_t echo = 0;   // the time that the client saw in the SYN-ACK, then its shift as well
  };
  static_assert(sizeof(Talk) == 32);

  void make_cookies();
  void put(const StreamFrame& frame, const Marks& marks, const CookieText& cookie,
           pipeline::Burst& burst) noexcept;
  void from_client(const StreamFrame& frame, std::uint32_t n, pipeline::Burst& burst,
                   bool joined) noexcept;
  void from_backend(const StreamFrame& frame, const Talk& talk, pipeline::Burst& burst) noexcept;
  void join(std::uint32_t n, pipeline::Burst& burst) noexcept;

  Rig& rig_;
  std::uint32_t mask_;
  bool timestamps_;
  std::uint32_t clock_ = 0;
  std::vector<Talk> talks_;
  HugeArray<CookieText> cookies_;
  StreamOptions options_;
  StreamFrame syn_;
  StreamFrame client_ack_;
  StreamFrame client_fin_;
  StreamFrame syn_ack_;
  StreamFrame backend_ack_;
  StreamFrame backend_fin_;
  StreamFrame body_;
  Bulk bulk_;
  std::vector<std::vector<StreamFrame>> requests_;  // by variant, then by segment
  std::vector<StreamFrame> responses_;              // by variant
  PacketRing ring_;
};

}  // namespace hawser::bench
