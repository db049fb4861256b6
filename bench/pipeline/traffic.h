// Traffic: packets of many flows through a rig's service, in either direction.
#pragma once

#include <cstdint>
#include <functional>

#include "frames.h"
#include "rig.h"

namespace hawser::bench {

enum class Way : std::uint8_t { kIn, kOut, kBoth };

// A flow's other half behind nat: what its backend sees and answers to.
struct Mapping {
  End local;
  End backend;
};

class Traffic {
 public:
  // `flows`: a power of two. `nat`: the backends' replies pass here.
  Traffic(Rig& rig, std::uint32_t flows, bool nat);

  // Every flow through its handshake, so that all are known and established. Behind nat the
  // mappings are learnt from the packets that leave. Throws when a packet does not go its way.
  void open(pipeline::Verdict forward);

  // A burst of packets of known flows, each of the next in turn. With both ways every other packet
  // is a reply, of a flow whose turn was long ago.
  template <Way kWay>
  void make(pipeline::Burst& burst) noexcept {
    begin(burst, limits::kBurst);
    for (std::size_t i = 0; i < limits::kBurst; ++i) {
      const bool reply = kWay == Way::kOut || (kWay == Way::kBoth && i % 2 == 1);
      if (reply) {
        const std::uint32_t n =
            (kWay == Way::kBoth ? next_++ + flows_ / 2 : next_++) & (flows_ - 1);
        const Mapping& mapping = mappings_[n];
        put(burst.packets[i], from_backend_, mapping.backend, mapping.local);
      } else {
        const std::uint32_t n = (kWay == Way::kBoth ? next_ : next_++) & (flows_ - 1);
        put(burst.packets[i], from_client_, client_of(n), rig_.service_end());
      }
    }
  }

 private:
  static void begin(pipeline::Burst& burst, std::size_t size) noexcept {
    burst.size = static_cast<std::uint32_t>(size);
    burst.again = false;
  }
  void put(pipeline::Packet& packet, const FrameTemplate& frame, const End& source,
           const End& destination) noexcept {
    std::uint8_t* const to = ring_.next();
    frame.write(to, source, destination);
    describe(packet, to, frame.length());
  }
  // One packet of each flow, made by `make(packet, n)`; `after(packet, n)` sees what left.
  void each(pipeline::Verdict verdict,
            const std::function<void(pipeline::Packet&, std::uint32_t)>& make,
            const std::function<void(const pipeline::Packet&, std::uint32_t)>& after);

  Rig& rig_;
  std::uint32_t flows_;
  std::uint32_t next_ = 0;
  bool nat_;
  PacketRing ring_;
  FrameTemplate from_client_;
  FrameTemplate from_backend_;
  HugeArray<Mapping> mappings_;
};

}  // namespace hawser::bench
